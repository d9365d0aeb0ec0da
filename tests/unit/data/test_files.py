"""Files as sources: what is pushed into the engine, how much is held at once, and what broken files are told."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.catalogue import Catalogue
from unseen.data.contract import normalised
from unseen.data.dataset import Use
from unseen.data.engine import CONNECT_SECONDS
from unseen.data.location import Kind, read_location
from unseen.data.reading import Comparison, Condition, Reading, condition_from_json, expression
from unseen.data.release import release, released_batches
from unseen.data.source import BATCH_ROWS, open_source
from unseen.errors import DataError, MisuseError, UnavailableError, UnseenError

LINES = [f"p{n},{n}.5,2020-01-{n % 28 + 1:02d}" for n in range(3000)]
PLANTED = "planted-value"


def write_csv(path: Path, line: str | bytes = "", header: str = "id,amount,day") -> Path:
    """A good CSV, but for one line in its middle."""
    lines = [header.encode(), *(each.encode() for each in LINES)]
    if line:
        lines[2000] = line if isinstance(line, bytes) else line.encode()
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"p1,1.5,2020-01-01,{PLANTED}", "line 2001: 4 fields where the header has 3"),
        (PLANTED, "line 2001: 1 fields where the header has 3"),
        (f'p1,"{PLANTED},2020-01-01', "line 2001: "),
        (b"p\xfc" + PLANTED.encode() + b",1.5,2020-01-01", "line 2001: not in UTF-8; convert the file first"),
    ],
)
def test_a_broken_line_is_named_by_its_number_and_nothing_is_registered(
    ending: str, line: str | bytes, words: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    path = write_csv(tmp_path / f"people.{ending}", line)
    with pytest.raises(DataError, match=words) as caught:
        catalogue.add("people", str(path), "id")
    assert PLANTED not in str(caught.value)
    assert catalogue.names() == []


def test_a_line_that_breaks_after_registration_ends_the_release_with_its_number(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    path = write_csv(tmp_path / "people.csv")
    catalogue.add("people", str(path), "id", {"amount": (Use.FEATURE,)})
    write_csv(path, f"p1,1,2020-01-01,{PLANTED}")
    with pytest.raises(DataError, match="line 2001") as caught:
        release(catalogue, "people", {"amount": (Use.FEATURE,)})
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_headers(sign: str, tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f'id{sign}"a, b; c"{sign}x\np1{sign}7{sign}1.5\n', encoding="utf-8-sig")
    entry = catalogue.add("people", str(path), "id")
    assert [(column.name, column.type) for column in entry.columns] == [
        ("id", "string"),
        ("a, b; c", "int64"),
        ("x", "float64"),
    ]


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "is empty"), (b"\xff\xfe\x00", "not in UTF-8"), (b"\x1f", "damaged")]
)
def test_what_is_no_text_is_no_csv(data: bytes, words: str, tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / ("people.csv.gz" if data == b"\x1f" else "people.csv")
    path.write_bytes(data)
    with pytest.raises(DataError, match=words):
        catalogue.add("people", str(path), "id")


def test_a_duckdb_file_that_another_process_writes_is_in_use(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "core.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t as select 'a' id")
    with pytest.raises(MisuseError, match=r"no table ''.*name one as"):
        catalogue.add("t", str(path), "id")
    assert catalogue.add("t", f"{path}#t", "id").rows == 1


def test_rows_are_never_spilled_to_a_file_in_the_clear(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view that sorts more than memory holds is refused, where DuckDB by itself would write rows to disk."""
    with duckdb.connect(str(tmp_path / "core.duckdb")) as connection:
        sort = "select 'planted' || hash(n) id, hash(n + 1) x from range(2000000) r(n) order by hash(n), id"
        connection.execute(f"create view big as {sort}")
    monkeypatch.setattr("unseen.data.engine.MEMORY", "50MB")
    with (
        pytest.raises(UnavailableError, match="needs more memory"),
        open_source(f"{tmp_path / 'core.duckdb'}#big") as source,
    ):
        source.read(Reading(("id", "x")))


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("postgresql://ann:planted-value@db/core?table=t", MisuseError, "must not hold a password"),
        ("postgresql://ann@db/core?table=t&password=planted-value", MisuseError, "must not hold a password"),
        ("postgresql://ann@db/core", MisuseError, "names no table"),
        ("postgresql://ann@db:port/core?table=t", MisuseError, "cannot be read"),
        ("postgresql://ann@db/core?table", MisuseError, "cannot be read"),
        ("nosuch://ann@db/core?table=t", MisuseError, "no engine is known"),
        ("people.xlsx", MisuseError, "kind that is not known"),
        ("nowhere.parquet", UnavailableError, "no file"),
    ],
)
def test_a_name_that_cannot_be_a_source_is_refused(name: str, error: type[UnseenError], words: str) -> None:
    with pytest.raises(error, match=words) as caught, open_source(name):
        pass
    assert PLANTED not in str(caught.value)


def test_a_location_says_where_without_what_the_driver_needs() -> None:
    location = read_location("postgresql://reader@db/core?table=t&schema=s&sslkey=/k&password_file=/p")
    assert (location.kind, location.table, location.schema) == (Kind.POSTGRESQL, "t", "s")
    assert location.options == {"sslkey": "/k"}
    assert location.where == "postgresql://db/core, table t"
    assert CONNECT_SECONDS < 60


def test_the_engines_plan_reads_the_granted_columns_and_rows_only(tmp_path: Path) -> None:
    """DuckDB's own physical plan: the scan projects the columns, and filters while it reads."""
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{n}": np.arange(100) for n in range(20)}), path)
    reading = Reading(("c1", "c2"), conditions=(Condition("c3", Comparison.LESS, 10),))
    with open_source(str(path)) as source:
        plan = str(source.table.get_backend().raw_sql("explain " + source.query(reading)).fetchall())
        assert source.read(reading).num_rows == 10
    assert "READ_PARQUET" in plan
    assert "Filters" in plan
    assert "c3<10" in plan.replace(" ", "")
    for other in (n for n in range(20) if n not in (1, 2, 3)):
        assert f"c{other} " not in plan


def test_rows_come_in_batches_whatever_the_files_row_groups(tmp_path: Path, catalogue: Catalogue) -> None:
    rows = 5 * BATCH_ROWS + 17
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"id": np.arange(rows), "x": np.ones(rows)}), path, row_group_size=1 << 20)
    catalogue.add("long", str(path), "id", {"x": (Use.FEATURE,)})
    with released_batches(catalogue, "long", {"id": (Use.JOIN,), "x": (Use.FEATURE,)}) as opened:
        sizes = [batch.num_rows for batch in opened]
    assert sum(sizes) == opened.record.rows == rows
    assert max(sizes) <= BATCH_ROWS
    whole = release(catalogue, "long", {"id": (Use.JOIN,), "x": (Use.FEATURE,)})
    assert whole.record.fingerprint == opened.record.fingerprint


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.text(max_size=12) | st.text(st.sampled_from("Aa B\t\x1cé"), max_size=8), min_size=1)
)
def test_keys_written_by_the_engine_are_those_of_the_contract(keys: list[str | None]) -> None:
    """Whatever part of the normal form runs in the engine, the keys are the same as without it."""
    keys = [None if key is None else key.replace("\0", "") for key in keys]
    table = ibis.memtable(pa.table({"id": pa.array(keys, pa.string())}))
    asked = expression(table, Reading(("id",), frozenset({"id"})), "memory").to_pyarrow()
    assert normalised(asked["id"]).to_pylist() == normalised(pa.array(keys, pa.string())).to_pylist()


def test_whole_numbers_are_keys_too(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "people.parquet"
    pq.write_table(pa.table({"id": [7, None, 12]}), path)
    catalogue.add("people", str(path), "id")
    assert release(catalogue, "people", {"id": (Use.JOIN,)}).table["id"].to_pylist() == ["7", None, "12"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"column": "a"},
        {"column": "a", "comparison": "like", "value": "x"},
        {"column": "a", "comparison": "in", "value": "x"},
        {"column": "a", "comparison": "==", "value": ["x"]},
        {"column": "a", "comparison": "==", "value": None},
        {"column": 1, "comparison": "==", "value": 1},
    ],
)
def test_what_is_no_condition_is_refused(value: object) -> None:
    with pytest.raises(MisuseError, match="a condition on rows is"):
        condition_from_json(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("comparison", "value", "kept"),
    [
        ("==", 2, [2]),
        ("!=", 2, [1, 3]),
        ("<", 2, [1]),
        ("<=", 2, [1, 2]),
        (">", 2, [3]),
        (">=", 2, [2, 3]),
        ("in", [1, 3], [1, 3]),
    ],
)
def test_every_comparison_keeps_its_rows(
    comparison: str, value: object, kept: list[int], tmp_path: Path, catalogue: Catalogue
) -> None:
    path = tmp_path / "n.parquet"
    pq.write_table(pa.table({"id": ["a", "b", "c"], "n": [1, 2, 3]}), path)
    catalogue.add("n", str(path), "id", {"n": (Use.FILTER, Use.FEATURE)})
    condition = condition_from_json({"column": "n", "comparison": comparison, "value": value})  # type: ignore[dict-item]
    released = release(catalogue, "n", {"n": (Use.FEATURE,)}, [condition])
    assert released.table["n"].to_pylist() == kept
    assert released.record.as_json()["conditions"] == [condition.as_json()]  # type: ignore[index, call-overload]
