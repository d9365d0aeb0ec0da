"""A real PostgreSQL as a source: over TLS, by password or certificate, asked for what is granted and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres import Server

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Use
from unseen.data.key_check import key_report
from unseen.data.reading import Comparison, Condition
from unseen.data.release import release, released_batches
from unseen.data.source import open_source
from unseen.errors import DataError, MisuseError, UnavailableError, UnseenError

ROWS = 3000
USES = {"amount": (Use.FEATURE,), "opened": (Use.FILTER,), "branch": (Use.FILTER, Use.GROUP)}


@pytest.fixture(scope="module")
def loans(server: Server) -> str:
    """The location of a table that the role `reader` may read."""
    server.execute(
        "create table loans (customer_id text not null, amount numeric(12, 2), opened date, branch int,"
        " secret text)",
        f"insert into loans select '  Cust '||n, n * 1.25, date '2020-01-01' + n % 1000, n % 7, 'planted-secret'"
        f" from generate_series(1, {ROWS}) n",
    )
    return server.url("loans", sslmode="verify-full", password_file=server.password_file())


def test_a_table_is_registered_and_released_over_tls(loans: str, server: Server, catalogue: Catalogue) -> None:
    entry = catalogue.add("loans", loans, "customer_id", USES)
    assert entry.rows == ROWS
    assert {column.name: column.type for column in entry.columns} == {
        "customer_id": "string",
        "amount": "decimal(12, 2)",
        "opened": "date",
        "branch": "int32",
        "secret": "string",
    }
    assert entry.column("branch").distinct == 7
    released = release(catalogue, "loans", {"customer_id": (Use.JOIN,), "amount": (Use.FEATURE,)})
    assert released.table.num_rows == ROWS
    assert released.table["customer_id"][0].as_py() == "cust 1"
    assert str(released.table["amount"].type) == "double"
    with server.owner() as connection:
        assert connection.execute("select count(*) from loans").fetchone() == (ROWS,)


def test_the_server_is_asked_for_the_granted_columns_and_rows_only(
    loans: str, server: Server, catalogue: Catalogue
) -> None:
    """What the server's own log says it was asked."""
    catalogue.add("loans", loans, "customer_id", USES)
    before = len(server.log())
    released = release(
        catalogue,
        "loans",
        {"customer_id": (Use.JOIN,), "amount": (Use.FEATURE,), "branch": (Use.FILTER,)},
        [
            Condition("opened", Comparison.AT_LEAST, "2022-01-01"),
            Condition("branch", Comparison.AMONG, [1, 2]),
        ],
    )
    asked = server.log()[before:]
    assert released.table.column_names == ["customer_id", "amount"]
    with server.owner() as connection:
        expected = connection.execute(
            "select count(*) from loans where opened >= '2022-01-01' and branch in (1, 2)"
        ).fetchone()
    assert expected == (released.record.rows,)
    assert 0 < released.record.rows < ROWS
    cursor = next(part for part in asked.split("LOG:  ") if "DECLARE" in part)
    assert "DOUBLE PRECISION" in cursor
    assert '"opened" >=' in cursor
    selected = cursor.split("FROM", 1)[0]
    assert '"opened"' not in selected
    assert '"branch"' not in selected
    assert "secret" not in asked
    assert len(released.record.conditions) == 2


def test_a_clerk_comes_in_by_certificate(server: Server, loans: str, catalogue: Catalogue) -> None:
    keys = {"sslcert": str(server.folder / "clerk.crt"), "sslkey": str(server.folder / "clerk.key")}
    entry = catalogue.add("loans", server.url("loans", user="clerk", sslmode="verify-full", **keys), "customer_id")
    assert entry.rows == ROWS


def test_batches_come_one_by_one_with_a_record_at_the_end(loans: str, catalogue: Catalogue) -> None:
    catalogue.add("loans", loans, "customer_id", USES)
    uses = {"customer_id": (Use.JOIN,), "amount": (Use.FEATURE,)}
    with released_batches(catalogue, "loans", uses) as opened:
        with pytest.raises(MisuseError, match="all its batches"):
            _ = opened.record
        rows = sum(batch.num_rows for batch in opened)
    assert opened.record.rows == rows == ROWS
    assert opened.record.fingerprint == release(catalogue, "loans", uses).record.fingerprint


def test_the_source_is_read_and_never_written(loans: str) -> None:
    with open_source(loans) as source, pytest.raises(Exception, match="read-only transaction"):
        source.table.get_backend().raw_sql("create table planted (x int)")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"password": "not the password"}, MisuseError, "does not let 'reader' in"),
        ({"port": 1}, UnavailableError, "cannot be reached"),
        ({"table": "nothing"}, MisuseError, "no table 'nothing'"),
        ({"sslrootcert": "/nowhere/root.crt"}, UnavailableError, "sslrootcert="),
        ({"host": "nowhere.invalid"}, UnavailableError, "cannot be reached"),
        ({"database": "nothing"}, MisuseError, "no such database"),
    ],
)
def test_a_source_that_cannot_be_opened_is_told_with_its_mend(
    change: dict[str, object],
    error: type[UnseenError],
    words: str,
    server: Server,
    loans: str,
    catalogue: Catalogue,
) -> None:
    location = server.url("loans", sslmode="verify-full", password_file=server.password_file())
    if "password" in change:
        location = location.replace(server.password_file(), server.password_file(str(change["password"])))
    if "port" in change:
        location = location.replace(f":{server.port}/", f":{change['port']}/")
    if "table" in change:
        location = location.replace("table=loans", f"table={change['table']}")
    if "sslrootcert" in change:
        location = location.replace(f"{server.folder}/root.crt", str(change["sslrootcert"]))
    if "host" in change:
        location = location.replace("localhost", str(change["host"]))
    if "database" in change:
        location = location.replace("/core", f"/{change['database']}")
    with pytest.raises(error, match=words) as caught:
        catalogue.add("loans", location, "customer_id")
    assert str(change.get("password", "password of the tests")) not in str(caught.value)
    assert catalogue.names() == []


def test_a_table_that_the_role_may_not_read_is_told_with_its_mend(server: Server, catalogue: Catalogue) -> None:
    server.execute(
        "create schema closed", "create table closed.vault (id text)", "insert into closed.vault values ('a')"
    )
    server.execute("create role stranger login", "revoke all on schema closed from public")
    location = server.url("vault", schema="closed", sslmode="verify-full", password_file=server.password_file())
    assert catalogue.add("vault", location, "id").rows == 1
    server.execute("revoke pg_read_all_data from reader", "grant usage on schema closed to reader")
    try:
        with pytest.raises(MisuseError, match=r"no table 'vault'|GRANT SELECT"):
            release(catalogue, "vault", {"id": (Use.JOIN,)})
    finally:
        server.execute("grant pg_read_all_data to reader")


def test_a_column_retyped_or_renamed_since_registration_is_named(server: Server, catalogue: Catalogue) -> None:
    server.execute("create table moving (id text, n int)", "insert into moving values ('a', 1)")
    location = server.url("moving", sslmode="verify-full", password_file=server.password_file())
    catalogue.add("moving", location, "id", {"n": (Use.FEATURE,)})
    server.execute("alter table moving alter column n type text")
    with pytest.raises(DataError, match="was int32 when registered and is string now"):
        release(catalogue, "moving", {"n": (Use.FEATURE,)})
    server.execute("alter table moving rename column n to m")
    with pytest.raises(DataError, match="no column n any more"):
        release(catalogue, "moving", {"n": (Use.FEATURE,)})


def test_wild_names_of_tables_and_columns_are_names_and_nothing_else(server: Server, catalogue: Catalogue) -> None:
    server.execute(
        "create table victim (id text)",
        "insert into victim values ('a')",
        """create table "x""; drop table victim; --" (id text, "a'); drop table victim; --" int)""",
        """insert into "x""; drop table victim; --" values ('a', 7)""",
    )
    table = "x%22%3B%20drop%20table%20victim%3B%20--"
    wild = "a'); drop table victim; --"
    location = server.url(table, sslmode="verify-full", password_file=server.password_file())
    catalogue.add("wild", location, "id", {wild: (Use.FEATURE, Use.FILTER)})
    condition = Condition(wild, Comparison.EQUAL, 7)
    released = release(catalogue, "wild", {"id": (Use.JOIN,), wild: (Use.FEATURE,)}, [condition])
    assert released.table[wild].to_pylist() == [7]
    with pytest.raises(DataError, match="compares it with another type"):
        release(catalogue, "wild", {wild: (Use.FEATURE,)}, [Condition(wild, Comparison.EQUAL, "7; drop")])
    with server.owner() as connection:
        assert connection.execute("select count(*) from victim").fetchone() == (1,)


def test_an_empty_table_and_repeated_subjects_are_told(server: Server, catalogue: Catalogue) -> None:
    server.execute("create table few (id text)")
    location = server.url("few", sslmode="verify-full", password_file=server.password_file())
    with pytest.raises(DataError, match="has no rows"):
        catalogue.add("few", location, "id")
    server.execute("insert into few values ('a'), ('A '), ('b'), (null)")
    catalogue.add("few", location, "id")
    report = key_report(catalogue, "few")
    assert (report["duplicate"], report["empty"]) == (0.25, 0.25)


def test_others_must_not_be_able_to_read_a_password_file(
    server: Server, loans: str, catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "open"
    path.write_text("x")
    path.chmod(0o644)
    with pytest.raises(MisuseError, match="chmod 600"):
        catalogue.add("loans", server.url("loans", password_file=str(path)), "customer_id")
    with pytest.raises(UnavailableError, match="cannot be read"):
        catalogue.add("loans", server.url("loans", password_file=str(tmp_path / "none")), "customer_id")
