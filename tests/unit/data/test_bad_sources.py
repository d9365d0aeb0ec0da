"""Sources not to be trusted, the same in CSV, Parquet, DuckDB and PostgreSQL: each is told, with the mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from postgres import Server
from psycopg import sql

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Use
from unseen.data.key_check import key_report
from unseen.data.reading import Comparison, Condition
from unseen.data.release import release
from unseen.errors import DataError, RefusedError

Lay = Callable[..., str]
WILD = """x"; drop table "victim"; --'); drop table victim; --"""
POSTGRESQL_TYPES = {"string": "text", "int64": "bigint", "double": "double precision"}


@pytest.fixture(params=["csv", "parquet", "duckdb", "postgresql"])
def lay(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[Lay]:
    """Lays columns down as a table of this name, in the place of an earlier one; gives its location."""
    laid: list[sql.Identifier] = []

    def made(name: str, **columns: list[Any] | pa.Array) -> str:
        table = pa.table({key.replace("WILD", WILD): values for key, values in columns.items()})
        if request.param in ("csv", "parquet"):
            path = tmp_path / f"{name}.{request.param}"
            write = pyarrow.csv.write_csv if request.param == "csv" else pq.write_table
            write(table, path)
            return str(path)
        if request.param == "duckdb":
            with duckdb.connect(str(tmp_path / "core.duckdb")) as connection:
                connection.register("given", table)
                doubled = name.replace('"', '""')
                connection.execute(f'create or replace table "{doubled}" as select * from given')
            return f"{tmp_path / 'core.duckdb'}#{name}"
        named = sql.Identifier(name)
        kinds = [
            sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(POSTGRESQL_TYPES[str(field.type)]))
            for field in table.schema
        ]
        with server.owner() as connection:
            connection.execute(sql.SQL("drop table if exists {}").format(named))
            connection.execute(sql.SQL("create table {} ({})").format(named, sql.SQL(", ").join(kinds)))
            marks = sql.SQL(", ").join([sql.Placeholder()] * table.num_columns)
            with connection.cursor() as cursor:
                rows = [tuple(row.values()) for row in table.to_pylist()]
                cursor.executemany(sql.SQL("insert into {} values ({})").format(named, marks), rows)
        laid.append(named)
        return server.url(quote(name), sslmode="verify-full", password_file=server.password_file())

    yield made
    with server.owner() as connection:
        for named in laid:
            connection.execute(sql.SQL("drop table if exists {} cascade").format(named))


def test_a_column_of_numbers_with_other_text_between_is_refused(lay: Lay, catalogue: Catalogue) -> None:
    amounts = [str(number) for number in range(99)] + ["planted"]
    location = lay("mixed", id=[f"c{number}" for number in range(100)], amount=amounts)
    with pytest.raises(DataError, match=r"holds numbers in 99.0% of its values and other text") as caught:
        catalogue.add("mixed", location, "id", {"amount": (Use.FEATURE,)})
    assert "mend these values at the source" in str(caught.value)
    assert "planted" not in str(caught.value)
    assert catalogue.names() == []


def test_a_column_retyped_or_renamed_since_registration_is_named(lay: Lay, catalogue: Catalogue) -> None:
    catalogue.add("moving", lay("moving", id=["a", "b"], n=[1, 2]), "id", {"n": (Use.FEATURE, Use.FILTER)})
    lay("moving", id=["a", "b"], n=["one", "two"])
    again = "was int64 when registered and is string now; register the data set again"
    with pytest.raises(DataError, match=again):
        release(catalogue, "moving", {"n": (Use.FEATURE,)})
    with pytest.raises(DataError, match=again):
        release(catalogue, "moving", {"id": (Use.JOIN,)}, [Condition("n", Comparison.EQUAL, 1)])
    lay("moving", id=["a", "b"], m=[1, 2])
    with pytest.raises(DataError, match="no column n any more; register the data set again"):
        release(catalogue, "moving", {"n": (Use.FEATURE,)})
    assert release(catalogue, "moving", {"id": (Use.JOIN,)}).record.rows == 2


def test_wild_names_of_tables_and_columns_are_names_and_nothing_else(
    lay: Lay, catalogue: Catalogue, server: Server
) -> None:
    victim = lay("victim", id=["a"])
    location = lay(WILD, id=["a", "b"], WILD=[7, 8])
    catalogue.add("wild", location, "id", {WILD: (Use.FEATURE, Use.FILTER)})
    condition = Condition(WILD, Comparison.EQUAL, 7)
    released = release(catalogue, "wild", {"id": (Use.JOIN,), WILD: (Use.FEATURE,)}, [condition])
    assert released.table.to_pylist() == [{"id": "a", WILD: 7}]
    text = Condition("id", Comparison.EQUAL, "a' or '1' = '1")
    catalogue.allow("wild", {"id": (Use.JOIN, Use.FILTER)})
    with pytest.raises(DataError, match="no rows now that the release's conditions name"):
        release(catalogue, "wild", {"id": (Use.JOIN,)}, [text])
    assert catalogue.add("victim", victim, "id").rows == 1


def test_an_empty_table_and_repeated_subjects_are_told(lay: Lay, catalogue: Catalogue) -> None:
    with pytest.raises(DataError, match="has no rows; check the name"):
        catalogue.add("few", lay("few", id=pa.array([], pa.string())), "id")
    assert catalogue.names() == []
    catalogue.add("few", lay("few", id=["a", "A ", "b", None], n=[1, 2, 3, 4]), "id")
    report = key_report(catalogue, "few")
    assert (report["duplicate"], report["empty"]) == (0.25, 0.25)
    assert len(report["warnings"]) == 2  # type: ignore[arg-type]


def test_a_column_that_nobody_has_looked_at_is_refused_with_the_mend(lay: Lay, catalogue: Catalogue) -> None:
    catalogue.add("loans", lay("loans", id=["a", "b"], remark=["x", "y"]), "id")
    catalogue.allow("loans", {"remark": (Use.FEATURE,)})
    with pytest.raises(RefusedError, match="catalogue-category") as caught:
        release(catalogue, "loans", {"remark": (Use.FEATURE,)})
    assert "unseen dataset classify loans" in caught.value.mend
