"""Who was in a release: the same answers in one piece or many parts, in bounded memory, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.keyring import Keyring
from unseen.data.master_key import create_file, master_key
from unseen.data.passage import Passage
from unseen.data.passing_folder import PassingFolder
from unseen.data.protect.secret import Secret
from unseen.data.sealed import Passing, SealedFolder
from unseen.data.subject.book import SubjectBook
from unseen.data.subject.mark import Marker, Words
from unseen.data.subject.new_roster import NewRoster
from unseen.data.subject.roster import Rosters
from unseen.data.subject.roster_layout import TAG, Layout
from unseen.data.subject.screen import Screen
from unseen.encoding import digest_bytes
from unseen.errors import MisuseError, UnavailableError, VerificationError

MARKER = Marker(Secret(bytes(32)))
PEOPLE = [f"p{number}" for number in range(40)]
SMALL = Layout(whole=5, parts=4)


def marks_of(people: list[str]) -> Words:
    return MARKER.marks(pa.array(people, pa.string()))[0]


def kept(rosters: Rosters, people: list[str], size: int = 3) -> str:
    fresh = rosters.begin()
    for start in range(0, len(people), size):
        fresh.take(marks_of(people[start : start + size]))
    return fresh.keep()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


@pytest.fixture
def seal() -> Passing:
    return Passing()


def test_a_roster_knows_who_was_in_and_is_written_once(tmp_path: Path, seal: Passing) -> None:
    rosters = Rosters(tmp_path / "rosters", seal, MARKER)
    book = SubjectBook(tmp_path / "subjects.duckdb", MARKER, seal)
    names = []
    for people in (("ann", "bob", "ann"), ("bob", "ann"), ("ann",)):
        table = pa.table({"amount": range(len(people)), "id": people})
        passage = Passage(Screen(book, MARKER, "credit"), new_roster=rosters.begin())
        batches = table.to_reader(max_chunksize=2)
        assert sum(batch.num_rows for batch in passage.through(batches, ["amount"], "id")) == len(people)
        names.append(passage.roster())
    assert names[0] == names[1] != names[2]
    assert len(list((tmp_path / "rosters").iterdir())) == 2, "small ones are one file each, and no other"
    assert rosters.holds(names[0], "Bob")
    assert not rosters.holds(names[2], "bob")
    assert not rosters.holds(names[0], "cid")


def test_a_small_roster_lies_as_it_did_before_there_were_parts(tmp_path: Path, seal: Passing) -> None:
    """Also a long one of those days: it opens, whatever is cut now."""
    octets = np.unique(marks_of(PEOPLE)).astype("<i8").tobytes()
    name = digest_bytes("unseen/roster/v1", octets)
    SealedFolder(tmp_path / "old", seal, "rosters").write(name, octets)
    assert Rosters(tmp_path / "old", seal, MARKER, SMALL).holds(name, "p7")
    assert not Rosters(tmp_path / "old", seal, MARKER, SMALL).holds(name, "nobody")
    assert kept(Rosters(tmp_path / "new", seal, MARKER), PEOPLE) == name
    assert SealedFolder(tmp_path / "new", seal, "rosters").read(name) == octets


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from(PEOPLE), max_size=120),
    st.sampled_from([1, 2, 4, 8, 64]),
    st.integers(0, 30),
    st.integers(1, 50),
    st.randoms(use_true_random=False),
)
def test_any_number_of_parts_gives_the_answers_of_one(
    tmp_path_factory: pytest.TempPathFactory, people: list[str], parts: int, whole: int, size: int, order: object
) -> None:
    folder = tmp_path_factory.mktemp("rosters")
    rosters = Rosters(folder, Passing(), MARKER, Layout(whole, parts))
    with mock.patch("os.fsync"):
        name = kept(rosters, people, size)
        before = files(folder)
        shuffled = sorted(people, key=lambda _: order.random())  # type: ignore[attr-defined]
        assert kept(rosters, shuffled + shuffled[:7], size + 1) == name, "neither order nor repeats count"
    assert files(folder) == before, "written once, and nothing else stays"
    assert len(before) == (1 if len(set(people)) <= whole else parts + 1)
    assert {person for person in PEOPLE if rosters.holds(name, person)} == set(people)


def test_one_part_is_opened_to_tell_of_one_person(tmp_path: Path, seal: Passing) -> None:
    rosters = Rosters(tmp_path, seal, MARKER, SMALL)
    name = kept(rosters, PEOPLE)
    holding = (int(marks_of(["p3"])[0]) + 2**63) >> 62
    for part in set(range(4)) - {holding}:
        (tmp_path / name / f"{part:03}.sealed").unlink()
    assert rosters.holds(name, "p3")


def test_no_part_stands_in_anothers_place_and_none_is_altered(tmp_path: Path, seal: Passing) -> None:
    rosters = Rosters(tmp_path, seal, MARKER, SMALL)
    name, other = kept(rosters, PEOPLE), kept(rosters, PEOPLE[:30])
    part = f"{(int(marks_of(['p3'])[0]) + 2**63) >> 62:03}.sealed"
    for moved in (part, "index.sealed"):
        own = (tmp_path / name / moved).read_bytes()
        (tmp_path / name / moved).write_bytes((tmp_path / other / moved).read_bytes())
        with pytest.raises(VerificationError, match="another's"):
            rosters.holds(name, "p3")
        (tmp_path / name / moved).write_bytes(own[:-1] + bytes([own[-1] ^ 1]))
        with pytest.raises(VerificationError):
            rosters.holds(name, "p3")
        (tmp_path / name / moved).write_bytes(own)
    assert rosters.holds(name, "p3")
    with pytest.raises(MisuseError, match="no roster"):
        rosters.holds(digest_bytes(TAG, b""), "p3")


def test_no_mark_lies_on_the_disk_in_the_clear(tmp_path: Path, seal: Passing) -> None:
    fresh = Rosters(tmp_path, seal, MARKER, SMALL).begin()
    seen: list[bytes] = []

    def looked() -> None:
        seen.extend(path.read_bytes() for path in files(tmp_path))

    for start in range(0, 40, 3):
        fresh.take(marks_of(PEOPLE[start : start + 3]))
        looked()
    with mock.patch("unseen.data.subject.new_roster.fsync_folder", side_effect=lambda _: looked()):
        fresh.keep()
    looked()
    octets = b"".join(seen)
    assert len(octets) > 40 * 8
    assert not any(mark.tobytes() in octets for mark in marks_of(PEOPLE).astype("<i8"))


def test_after_a_rotation_of_keys_parts_open_and_are_not_written_again(tmp_path: Path) -> None:
    create_file("file:k", tmp_path)
    keyring = Keyring(tmp_path / "keyring", lambda: master_key("file:k", tmp_path))
    name = kept(Rosters(tmp_path / "rosters", keyring.seal("subjects"), MARKER, SMALL), PEOPLE)
    before = {path: path.read_bytes() for path in files(tmp_path / "rosters")}
    keyring.rotate("subjects")
    again = Rosters(tmp_path / "rosters", keyring.seal("subjects"), MARKER, SMALL)
    assert kept(again, PEOPLE) == name
    assert {path: path.read_bytes() for path in files(tmp_path / "rosters")} == before
    assert again.holds(name, "p3")
    assert not again.holds(name, "nobody")


def test_a_release_that_breaks_off_leaves_nothing(tmp_path: Path, seal: Passing) -> None:
    fresh = Rosters(tmp_path, seal, MARKER, SMALL).begin()
    fresh.take(marks_of(PEOPLE))
    assert files(tmp_path)
    Passage(new_roster=fresh).close()
    assert not files(tmp_path)
    again = Rosters(tmp_path, seal, MARKER, SMALL).begin()
    again.take(marks_of(PEOPLE))
    with (
        mock.patch("unseen.data.subject.new_roster.fsync_folder", side_effect=OSError(28, "No space left")),
        pytest.raises(UnavailableError, match="make room"),
    ):
        again.keep()
    assert not files(tmp_path)


DIES = """
import os, signal, sys
from pathlib import Path
from unittest import mock
import numpy as np
from unseen.data.sealed import Passing
from unseen.data.subject.new_roster import NewRoster
from unseen.data.subject.roster_layout import Layout

fresh = NewRoster(Path(sys.argv[1]), Passing(), Layout(5, 4))
fresh.take(np.arange(-2**62, 2**62, 2**58))
with mock.patch("unseen.data.subject.new_roster." + sys.argv[2],
                lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
    fresh.keep()
"""


def test_a_killed_process_leaves_no_half_roster_and_the_next_release_cleans(tmp_path: Path, seal: Passing) -> None:
    """Killed with all parts written but none named: what a living process holds stays."""
    living = Rosters(tmp_path, seal, MARKER, SMALL).begin()
    living.take(marks_of(PEOPLE))
    held = files(tmp_path)
    dead = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), "name_of_parts"], timeout=60, check=False)
    assert dead.returncode == -9
    assert len(files(tmp_path)) == len(held) + 5
    assert [path.name for path in tmp_path.iterdir()] == ["passing"]
    Rosters(tmp_path, seal, MARKER, SMALL).begin()
    assert files(tmp_path) == held
    assert Rosters(tmp_path, seal, MARKER).holds(living.keep(), "p3")
    assert len(files(tmp_path)) == 5


MEASURES = """
import resource, sys
from pathlib import Path
import numpy as np
from unseen.data.sealed import Passing
from unseen.data.subject.new_roster import NewRoster
from unseen.data.subject.roster_layout import Layout

generator = np.random.default_rng(1)
for batches in (12, 48):
    fresh = NewRoster(Path(sys.argv[1]), Passing(), Layout(1 << 16, 16))
    for _ in range(batches):
        fresh.take(generator.integers(-(2**63), 2**63 - 1, 1 << 16))
    fresh.keep()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """2.4 million rows more would be 19 MB of marks alone, 160 MB when sorted and sealed in one piece."""
    asked = [sys.executable, "-c", MEASURES, str(tmp_path)]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True).stdout
    few, many = (int(peak) for peak in told.split())
    assert many < few + (12 << 10)


def test_releases_of_the_same_persons_at_once_write_them_once(tmp_path: Path, seal: Passing) -> None:
    rosters = Rosters(tmp_path, seal, MARKER, SMALL)
    one, two = rosters.begin(), rosters.begin()
    for fresh in (one, two):
        fresh.take(marks_of(PEOPLE))
    name = one.keep()
    assert two.keep() == name
    assert rosters.holds(name, "p3")
    assert len(files(tmp_path)) == 5


def test_a_folder_in_use_is_told_from_one_that_was_left(tmp_path: Path) -> None:
    mine = PassingFolder(tmp_path)
    os.makedirs(tmp_path / "passing" / "dead" / "spool")
    Rosters(tmp_path, Passing(), MARKER).begin()
    assert [path.name for path in (tmp_path / "passing").iterdir() if path.is_dir()] == [mine.path.name]
    mine.erase()
    mine.erase()
    assert not mine.path.exists()


def test_parts_are_a_power_of_two() -> None:
    for parts in (0, 3, -4):
        with pytest.raises(MisuseError, match="power of two"):
            Layout(parts=parts)


def test_marks_at_the_edges_of_parts_are_found_where_they_lie() -> None:
    from unseen.data.subject.roster_layout import part_of

    edges = [place * 2**62 + shift for place in range(-2, 3) for shift in (-1, 0, 1)]
    marks = np.array(sorted({edge for edge in edges if -(2**63) <= edge < 2**63}), np.int64)
    for parts in (1, 2, 4, 1 << 12):
        cut: Iterator[Words] = Layout(parts=parts).cut(marks)
        found = [(part, int(mark)) for part, held in enumerate(cut) for mark in held]
        assert found == [(part_of(int(mark), parts), int(mark)) for mark in marks]


def test_a_roster_in_the_making_says_nothing_of_persons(tmp_path: Path, seal: Passing) -> None:
    assert repr(NewRoster(tmp_path, seal, SMALL)) == f"NewRoster({tmp_path})"
