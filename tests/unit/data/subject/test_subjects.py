"""What persons said, and what becomes of their rows: the newest word counts, and nobody is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.keyring import Keyring
from unseen.data.master_key import Aead, create_file, master_key
from unseen.data.protect.secret import Secret
from unseen.data.subject.book import ALL, Asked, Note, SubjectBook
from unseen.data.subject.importing import import_csv
from unseen.data.subject.mark import Marker, Words
from unseen.data.subject.screen import Screen
from unseen.errors import DataError, MisuseError

MARKER = Marker(Secret(bytes(32)))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Aead:
    home = tmp_path_factory.mktemp("home")
    create_file("file:k", home)
    return master_key("file:k", home)


@pytest.fixture
def keyring(tmp_path: Path, master: Aead) -> Keyring:
    return Keyring(tmp_path / "keyring", lambda: master)


@pytest.fixture
def book(tmp_path: Path, keyring: Keyring) -> SubjectBook:
    return SubjectBook(tmp_path / "subjects.duckdb", MARKER, keyring.seal("subjects"))


def stream(*people: str | None, size: int = 2) -> pa.RecordBatchReader:
    table = pa.table({"amount": np.arange(len(people), dtype=np.float64), "id": pa.array(people, pa.string())})
    return pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(size)))


def passing(
    book: SubjectBook, people: list[str | None], purpose: str = "credit", consent: bool = False
) -> list[int]:
    """The places of the rows that pass, as their amounts tell."""
    screen = Screen(book, MARKER, purpose, consent)
    kept = [batch for batch in screen.through(stream(*people), "id") if batch.num_rows]
    amounts = [int(amount) for batch in kept for amount in batch.column("amount").to_pylist()]
    assert screen.excluded == len(people) - len(amounts)
    return amounts


def test_an_objection_to_a_purpose_counts_for_that_purpose_until_it_is_lifted(book: SubjectBook) -> None:
    people: list[str | None] = ["ann", "bob", " ANN ", None]
    assert passing(book, people) == [0, 1, 2, 3]
    book.add([Note("Ann", Asked.OBJECTION, "credit", NOON)])
    assert passing(book, people) == [1, 3]
    assert passing(book, people, "marketing") == [0, 1, 2, 3]
    book.add([Note("ann", Asked.LIFTED, "credit", NOON + timedelta(seconds=1))])
    assert passing(book, people) == [0, 1, 2, 3]
    book.add([Note("ann", Asked.OBJECTION, ALL, NOON)])
    assert passing(book, people, "marketing") == [1, 3]


def test_a_release_without_a_purpose_leaves_out_whoever_objects_to_any(book: SubjectBook) -> None:
    book.add([Note("ann", Asked.OBJECTION, "credit", NOON), Note("bob", Asked.WITHDRAWAL, "marketing", NOON)])
    book.add([Note("cid", Asked.OBJECTION, "credit", NOON), Note("cid", Asked.LIFTED, "credit", NOON)])
    assert passing(book, ["ann", "bob", "cid", "dan"], ALL) == [2, 3]
    assert passing(book, ["ann", "bob", "cid", "dan"], "trial") == [0, 1, 2, 3]
    assert book.purposes() == ["credit", "marketing"]


def test_where_consent_is_the_basis_only_those_pass_whose_consent_stands(book: SubjectBook) -> None:
    people: list[str | None] = ["ann", "bob", "cid", "dan", None]
    book.add([Note(name, Asked.CONSENT, "credit", NOON) for name in ("ann", "bob", "cid")])
    assert passing(book, people, consent=True) == [0, 1, 2]
    book.add([Note("ann", Asked.WITHDRAWAL, "credit", NOON + timedelta(days=1))])
    book.add([Note("bob", Asked.OBJECTION, ALL, NOON)])
    assert passing(book, people, consent=True) == [2]
    assert passing(book, people) == [2, 3, 4]
    book.add([Note("ann", Asked.CONSENT, "credit", NOON + timedelta(days=2))])
    assert passing(book, people, consent=True) == [0, 2]


def test_the_later_note_counts_even_at_the_same_moment(book: SubjectBook) -> None:
    book.add([Note("ann", Asked.WITHDRAWAL, "credit", NOON), Note("ann", Asked.CONSENT, "credit", NOON)])
    assert passing(book, ["ann"]) == [0]
    book.add([Note("ann", Asked.WITHDRAWAL, "credit", NOON)])
    assert passing(book, ["ann"]) == []


def test_erasure_is_for_all_purposes_and_for_good(book: SubjectBook) -> None:
    book.add([Note("ann", Asked.ERASURE), Note("ann", Asked.CONSENT, "credit"), Note("ann", Asked.LIFTED, ALL)])
    assert passing(book, ["ann", "bob"]) == [1]
    assert passing(book, ["ann", "bob"], consent=True) == []


NAMES = [f"p{number}" for number in range(6)]
NOTES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(list(Asked)),
        st.sampled_from(["credit", "other", ALL]),
        st.integers(0, 5),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=25)
@given(NOTES, st.sampled_from(["credit", ALL]), st.booleans())
def test_who_passes_is_who_a_careful_clerk_would_let_pass(
    tmp_path_factory: pytest.TempPathFactory, notes: list[tuple[str, Asked, str, int]], named: str, consent: bool
) -> None:
    """Where no purpose is named, a word against any purpose counts, and consent to all purposes alone."""

    class NoSeal:
        def seal(self, data: bytes, context: bytes) -> bytes:
            raise AssertionError

        def open(self, sealed: bytes, context: bytes) -> bytes:
            raise AssertionError

    book = SubjectBook(tmp_path_factory.mktemp("book") / "s.duckdb", MARKER, NoSeal())
    if notes:
        book.add([Note(who, asked, purpose, NOON + timedelta(hours=hour)) for who, asked, purpose, hour in notes])
    expected = []
    for place, name in enumerate(NAMES):
        told = sorted((n for n in notes if n[0] == name), key=lambda note: note[3])
        erased = any(asked is Asked.ERASURE for _, asked, _, _ in told)
        newest = {
            (asked in (Asked.OBJECTION, Asked.LIFTED), purpose): asked
            for _, asked, purpose, _ in told
            if (named == ALL or purpose in ("credit", ALL)) and asked is not Asked.ERASURE
        }
        against = {Asked.OBJECTION, Asked.WITHDRAWAL} & set(newest.values())
        willing = any(asked is Asked.CONSENT and purpose in (named, ALL) for _, asked, purpose, _ in told)
        if not erased and not against and (willing or not consent):
            expected.append(place)
    assert passing(book, [*NAMES], named, consent) == expected


def test_a_large_stream_keeps_its_order_and_types(book: SubjectBook) -> None:
    people = [f"p{number}" for number in range(50_000)]
    book.add([Note(f"p{number}", Asked.OBJECTION) for number in range(0, 50_000, 7)])
    table = pa.table(
        {
            "id": people,
            "when": pa.array(range(50_000), pa.timestamp("ms")),
            "flag": pa.array([None, True] * 25_000),
            "kind": pa.array(["a", "b"] * 25_000).dictionary_encode(),
        }
    )
    screen = Screen(book, MARKER, "credit")
    reader = pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(4096)))
    marks: list[Words] = []
    passed = pa.Table.from_batches(list(screen.through(reader, "id", marks.append)))
    keep = np.arange(50_000) % 7 != 0
    assert passed.equals(table.filter(pa.array(keep)).combine_chunks()) or passed.to_pylist() == [
        row for row, kept in zip(table.to_pylist(), keep, strict=True) if kept
    ]
    assert passed.schema.field("when").type == pa.timestamp("ms")
    assert len(np.unique(np.concatenate(marks))) == keep.sum()


def test_notes_are_read_again_and_nobody_is_named_on_disk(book: SubjectBook, tmp_path: Path) -> None:
    book.add([Note("Erika Mustermann", Asked.CONSENT, "credit", NOON, "branch 7", "letter of Erika Mustermann")])
    (known,) = book.of("erika  mustermann")
    assert (known.asked, known.purpose, known.at, known.source) == (Asked.CONSENT, "credit", NOON, "branch 7")
    assert known.evidence == "letter of Erika Mustermann"
    assert book.of("Max") == []
    assert b"usterman" not in (tmp_path / "subjects.duckdb").read_bytes()
    assert (tmp_path / "subjects.duckdb").stat().st_mode & 0o077 == 0
    with pytest.raises(MisuseError, match="needs a subject"):
        book.add([Note("ok", Asked.CONSENT), Note(" ", Asked.CONSENT)])
    assert book.count() == 1


def lines(people: int) -> Iterator[str]:
    yield "subject,purpose,at"
    for number in range(people):
        yield f"p{number},{'credit' if number % 2 else ''},2026-11-23T09:00:00Z"


def test_a_file_of_many_is_taken_in_by_the_engine(book: SubjectBook, tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    file.write_text("\n".join(lines(5000)))
    told: list[int] = []
    assert import_csv(book, MARKER, file, Asked.CONSENT, "marketing", told.append) == 5000
    assert told[-1] == 5000
    assert [(note.purpose, note.source) for note in book.of("p1")] == [("credit", "consents.csv")]
    assert [note.purpose for note in book.of("p2")] == ["marketing"]
    assert book.of("p2")[0].at == datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subject,purpose\n" + "a,b\n" * 3000 + "a,b,c,SECRET\n", r"at line 3002"),
        ("person\na\n", "no column subject"),
        ("subject,at\na,2026-11-23\nSECRET,yesterday\n", "times that are not written"),
        ("subject,purpose\na,x\n ,x\n", "1 rows of .* have no subject"),
    ],
)
def test_a_file_that_is_broken_is_taken_in_not_at_all(
    book: SubjectBook, tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        import_csv(book, MARKER, file, Asked.CONSENT)
    assert "SECRET" not in str(caught.value)
    assert book.count() == 0
