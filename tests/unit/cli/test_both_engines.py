"""A steward's day over a DuckDB file and over PostgreSQL: protect, give out, ask, erase, purge, rotate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from unseen.cli import main
from unseen.interaction.home import Home
from unseen.interaction.ledger import Kind

ROWS = 300


@pytest.fixture
def loans(source: str, home: Home, told: Any) -> str:
    """The table on offer, classified."""
    told("dataset", "add", "loans", source, "--subject", "customer_id", "--retention", "3650:closed")
    told("dataset", "classify", "loans", "--yes")
    told("dataset", "allow", "loans", "customer_id=join,retrieve", "mail=retrieve", "amount=retrieve,aggregate")
    return "loans"


def test_entries_are_listed_changed_and_their_keys_checked(
    loans: str, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (entry,) = told("dataset", "list")["datasets"]
    assert (entry["name"], entry["rows"], entry["retention"]) == (loans, ROWS, {"days": 3650, "column": "closed"})
    assert told("dataset", "steward", loans, "--owner", "retail")["owner"] == "retail"
    assert told("dataset", "check", loans)["warnings"] == []
    report = told("dataset", "check", loans, "--key", "mail=unseen-email/1")["keys"]
    assert report[0]["malformed"] == 0
    with pytest.raises(SystemExit):
        main(["dataset", "check", loans, "--key", "remark=unseen-email/1"])
    printed = capsys.readouterr().out
    assert "100.00% of the keys are malformed" in printed
    assert "To mend: one row a person at the source" in printed
    assert "no column 'nothing'" in told("dataset", "allow", loans, "nothing=join", fails=True)


def test_a_protected_copy_names_its_recipient_and_comes_back_for_a_reason(
    loans: str, home: Home, told: Any, tmp_path: Path
) -> None:
    entry = told("dataset", "protect", loans, "customer_id=vault-token", "mail=hash")
    assert [column["protection"] is None for column in entry["columns"]] == [False, False, True, True, True]
    told("subject", "object", "c7", "--purpose", "dpv:CreditChecking")
    copy = tmp_path / "copy.parquet"
    words = ("--recipient", "auditor", "--purpose", "dpv:CreditChecking", "--to", str(copy))
    made = told("dataset", "export", loans, *words)
    assert (made["release"]["rows"], made["release"]["excluded"]) == (ROWS - 1, 1)
    given = pq.read_table(copy)
    assert given.column_names == ["customer_id", "mail", "amount"]
    assert all(len(token) == 32 for token in given["customer_id"].to_pylist())
    (finding,) = told("dataset", "trace", str(copy))["findings"]
    assert finding["recipient"] == "auditor"
    clear = tmp_path / "clear.parquet"
    why = ("--who", "ann", "--why", "fraud-88", "--agreement", "export/auditor", "--to", str(clear))
    told("dataset", "reverse", loans, "customer_id", str(copy), *why)
    assert sorted(pq.read_table(clear)["customer_id"].to_pylist()) == sorted(
        f"c{number}" for number in range(1, ROWS + 1) if number != 7
    )


def test_risk_and_a_synthetic_copy(loans: str, told: Any, tmp_path: Path) -> None:
    value = told("dataset", "risk", loans, "--by", "amount", "--sensitive", "remark", "--k", "4")
    assert value["before"]["smallest"] == 1
    assert value["after"]["smallest"] >= 4
    target = tmp_path / "synthetic.csv"
    made = told("dataset", "synthesise", loans, "--to", str(target), "--epsilon", "2", "--rows", "123")
    assert made["rows"] == pyarrow.csv.read_csv(target).num_rows == 123


def test_a_persons_wishes_are_taken_alone_and_by_the_file(
    loans: str, home: Home, told: Any, tmp_path: Path
) -> None:
    told("subject", "consent", "c1", "--purpose", "credit", "--source", "branch-7")
    file = tmp_path / "consents.csv"
    file.write_text("subject\n" + "".join(f"c{number}\n" for number in range(2, 152)))
    assert told("subject", "consent", "--from", str(file), "--purpose", "credit")["persons"] == 150
    told("subject", "consent", "c2", "--purpose", "credit", "--withdraw")
    told("subject", "object", "c3", "--purpose", "credit", "--evidence", "letter-88")

    def exported(name: str, *words: str) -> int:
        target = ("--to", str(tmp_path / name), "--recipient", "auditor", "--purpose", "credit")
        return int(told("dataset", "export", loans, *target, *words)["release"]["rows"])

    assert exported("consenting.csv", "--consent") == 149
    assert exported("all.csv") == ROWS - 2
    access = told("subject", "access", "c4")
    assert access["rows"] == {loans: 1}
    assert [word["asked"] for word in access["words"]] == ["consent"]
    assert len(access["runs"]) == 2
    erased = told("subject", "erase", "c4", "--evidence", "request-19")
    assert erased["rows"] == {loans: 1}
    assert len(erased["runs"]) == 2
    assert exported("later.csv") == ROWS - 3


def test_what_is_past_its_time_is_removed_or_its_owner_told_how(
    loans: str, home: Home, told: Any, request: pytest.FixtureRequest
) -> None:
    told("dataset", "steward", loans, "--retention", "1:closed")
    assert told("dataset", "purge", loans) == {"dataset": loans, "overdue": ROWS, "undated": 0, "removed": 0}
    told("dataset", "steward", loans, "--retention", "4200:closed")
    overdue = told("dataset", "purge", loans)["overdue"]
    assert 0 < overdue < ROWS
    if "postgresql" in request.node.name:  # its role may only read: the owner gets the statement
        refused = told("dataset", "purge", loans, "--yes", fails=True)
        assert 'DELETE FROM "loans" WHERE "closed" < DATE' in refused
        server = request.getfixturevalue("server")
        with server.owner() as connection, connection.transaction(force_rollback=True):
            assert connection.execute(refused[refused.index("DELETE") :]).rowcount == overdue
        return
    assert told("dataset", "purge", loans, "--yes")["removed"] == overdue
    assert told("dataset", "show", loans)["freshness"]["rows"] == ROWS - overdue
    assert list(home.ledger.entries())[-1].kind is Kind.ADMINISTRATION


def test_after_a_rotation_vault_and_rosters_open_and_tokens_stay(
    loans: str, home: Home, told: Any, tmp_path: Path
) -> None:
    told("dataset", "protect", loans, "customer_id=token", "mail=vault-token")

    def exported(name: str) -> list[str]:
        told("dataset", "export", loans, "--recipient", "auditor", "--to", str(tmp_path / name))
        table = pyarrow.csv.read_csv(tmp_path / name)
        return [*table["customer_id"].to_pylist(), *table["mail"].to_pylist()]

    before = exported("before.csv")
    rotated = {keyset["name"]: keyset["keys"] for keyset in told("key", "rotate")["keysets"]}
    assert rotated["dataset-loans"] == rotated["subjects"] == 2
    assert exported("after.csv") == before
    assert len(told("subject", "access", "c5")["runs"]) == 2
