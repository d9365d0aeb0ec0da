"""Catalogue, sources, key contract and release: what goes in, what comes out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.data.catalogue import Catalogue, Use
from unseen.data.contract import NORMALISATION, check_keys, normalised, require_unique
from unseen.data.fingerprint import fingerprint
from unseen.data.reading import Reading
from unseen.data.release import release
from unseen.data.source import open_source
from unseen.errors import DataError, MisuseError, RefusedError, UnavailableError

PEOPLE = pd.DataFrame(
    {
        "id": ["a1", "b2", "c3", "d4"],
        "amount": [1.5, None, 3.0, 4.0],
        "secret": ["w", "x", "y", "z"],
        "n": [1, 2, 3, 4],
    }
)


@pytest.fixture(params=["csv", "csv.gz", "parquet", "duckdb"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same table in every kind of source."""
    path = tmp_path / f"people.{request.param}"
    if request.param == "parquet":
        PEOPLE.to_parquet(path, index=False)
    elif request.param == "duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.register("frame", PEOPLE)
            connection.execute("create table people as select * from frame")
        return f"{path}#people"
    else:
        PEOPLE.to_csv(path, index=False)
    return str(path)


def test_every_kind_of_source_gives_the_same_columns_and_nothing_else(source: str, catalogue: Catalogue) -> None:
    catalogue.add("people", source, "id", {"amount": (Use.FEATURE,)})
    released = release(catalogue, "people", {"id": (Use.JOIN,), "amount": (Use.FEATURE,)})
    assert released.table.column_names == ["id", "amount"]
    assert released.table["id"].to_pylist() == PEOPLE["id"].to_list()
    assert released.table["amount"].to_pylist() == [1.5, None, 3.0, 4.0]
    assert released.record.rows == 4
    assert released.record.columns == {"id": (Use.JOIN,), "amount": (Use.FEATURE,)}


def test_the_engine_is_asked_for_the_granted_columns_only(source: str) -> None:
    with open_source(source) as opened:
        query = opened.query(Reading(("id", "amount")))
    assert '"amount"' in query
    assert "secret" not in query


def test_a_use_that_is_not_on_offer_is_refused_with_the_mend(source: str, catalogue: Catalogue) -> None:
    catalogue.add("people", source, "id", {"amount": (Use.AGGREGATE,)})
    with pytest.raises(RefusedError, match="catalogue-use") as caught:
        release(catalogue, "people", {"amount": (Use.FEATURE,)})
    assert "unseen dataset allow people amount=feature" in caught.value.mend
    with pytest.raises(RefusedError):
        release(catalogue, "people", {"secret": (Use.FEATURE,)})
    catalogue.allow("people", {"amount": (Use.FEATURE,)})
    assert release(catalogue, "people", {"amount": (Use.FEATURE,)}).record.version == 2
    assert catalogue.get("people", version=1).column("amount").uses == (Use.AGGREGATE,)


def test_the_fingerprint_is_of_the_values_not_of_how_they_lie() -> None:
    whole = pa.table({"x": [1, 2, 3, 4], "y": ["a", "b", "c", None]})
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 3)])
    assert fingerprint(whole) == fingerprint(pieces)
    assert fingerprint(whole) != fingerprint(whole.set_column(0, "x", pa.array([1, 2, 3, 5])))
    assert fingerprint(whole) != fingerprint(whole.rename_columns(["y", "x"]))


def test_columns_renamed_or_retyped_since_registration_are_named(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "people.parquet"
    PEOPLE.to_parquet(path, index=False)
    catalogue.add("people", str(path), "id", {"n": (Use.FEATURE,)})
    pq.write_table(pa.table({"id": ["a"], "n": ["text"]}), path)
    with pytest.raises(DataError, match="'n' of data set 'people' was int64 when registered and is string now"):
        release(catalogue, "people", {"n": (Use.FEATURE,)})
    pq.write_table(pa.table({"id": ["a"], "m": [1]}), path)
    with pytest.raises(DataError, match="no column n any more"):
        release(catalogue, "people", {"n": (Use.FEATURE,)})


@pytest.mark.parametrize(
    ("name", "location", "subject", "error", "words"),
    [
        ("people", "missing.csv", "id", UnavailableError, "no file"),
        ("people", "people.xlsx", "id", MisuseError, "of a kind that is not known"),
        ("people", "people.csv", "nobody", DataError, "no column nobody"),
        ("empty", "empty.csv", "id", DataError, "has no rows"),
        ("drop table x;--", "people.csv", "id", MisuseError, "no name for a data set"),
    ],
)
def test_what_cannot_be_registered_is_refused_and_leaves_nothing(
    tmp_path: Path,
    catalogue: Catalogue,
    name: str,
    location: str,
    subject: str,
    error: type[Exception],
    words: str,
) -> None:
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    PEOPLE.head(0).to_csv(tmp_path / "empty.csv", index=False)
    (tmp_path / "people.xlsx").write_bytes(b"PK")
    with pytest.raises(error, match=words):
        catalogue.add(name, str(tmp_path / location), subject)
    assert catalogue.names() == []


def test_a_column_name_is_never_a_piece_of_a_query(tmp_path: Path, catalogue: Catalogue) -> None:
    wild = 'x"; drop table people; --'
    path = tmp_path / "wild.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], wild: [1, 2]}), path)
    catalogue.add("wild", str(path), "id", {wild: (Use.FEATURE,)})
    assert release(catalogue, "wild", {wild: (Use.FEATURE,)}).table[wild].to_pylist() == [1, 2]


def test_a_broken_file_is_refused_without_quoting_it(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but not really PAR1")
    with pytest.raises(DataError, match="cannot be read"):
        catalogue.add("broken", str(tmp_path / "broken.parquet"), "id")


def test_an_unknown_data_set_names_those_there_are(source: str, catalogue: Catalogue) -> None:
    catalogue.add("people", source, "id")
    with pytest.raises(DataError, match="registered: people"):
        catalogue.get("persons")


@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=30))
def test_normalising_twice_changes_nothing_and_ignores_case_width_and_blanks(values: list[str | None]) -> None:
    once = normalised(pa.array(values, pa.string()))
    assert normalised(once).to_pylist() == once.to_pylist()
    padded = [None if value is None else f"  {value}\t" for value in values]
    assert normalised(pa.array(padded, pa.string())).to_pylist() == once.to_pylist()


def test_keys_are_written_alike_whatever_their_form() -> None:
    forms = ["Ａ１ b", " a1  B ", "A1\tb"]
    assert set(normalised(pa.array(forms)).to_pylist()) == {"a1 b"}
    assert normalised(pa.chunked_array([[12, None]])).to_pylist() == ["12", None]
    assert NORMALISATION == "unseen-key/1"


def test_the_key_report_counts_empty_repeated_and_malformed_keys() -> None:
    report = check_keys(pa.array(["a", "a", "", None, "b", "x" * 70_000]))
    assert (report.empty, report.duplicate, report.malformed) == (2 / 6, 1 / 6, 1 / 6)
    assert len(report.warnings()) == 3
    with pytest.raises(DataError, match="one row a person"):
        require_unique(pa.array(["a", "a"]))
    require_unique(pa.array(["a", "b"]))
