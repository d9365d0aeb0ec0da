"""Commands about protected data, from choosing a protection to naming who leaked a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from unseen.cli import main
from unseen.data.catalogue import Catalogue, Retention, Use
from unseen.data.passage import Passage
from unseen.data.release import release
from unseen.errors import DataError, MisuseError
from unseen.interaction.door import protections_for
from unseen.interaction.home import Home

ROWS = 400
DRAW = np.random.default_rng(3)
DAYS = np.datetime64("2020-01-01") + DRAW.integers(0, 365 * 3, ROWS)
TABLE = pa.table(
    {
        "id": [f"c{number}" for number in range(ROWS)],
        "card": [f"{number:010}" for number in DRAW.integers(0, 10**10, ROWS)],
        "income": np.round(DRAW.lognormal(10, 1, ROWS), 2),
        "age": DRAW.integers(18, 90, ROWS),
        "since": pa.array(DAYS.astype("datetime64[D]")),
    }
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.create(tmp_path / "lender", "lender", "127.0.0.1:7601")
    pq.write_table(TABLE, tmp_path / "loans.parquet")
    offered = dict.fromkeys(TABLE.column_names, (Use.RETRIEVE, Use.FEATURE))
    with made.store() as store:
        Catalogue(store.engine).add("loans", str(tmp_path / "loans.parquet"), "id", offered)
    return made


@pytest.fixture
def told(home: Home, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command on the home and gives what it says as JSON; `fails` gives its error."""

    def run(*words: str, fails: bool = False) -> Any:
        with pytest.raises(SystemExit) as caught:
            main([*words, "--home", str(home.path), "--json"])
        value = json.loads(capsys.readouterr().out)
        assert bool(caught.value.code) == fails, value
        return value["error"]["message"] if fails else value

    return run


def test_a_release_leaves_under_the_protections_chosen_and_says_so(home: Home, told: Any) -> None:
    choices = (
        "card=format-preserving",
        "income=bins:edges=0/20000/50000",
        "age=suppress",
        "since=date-shift:days=30",
    )
    entry = told("dataset", "protect", "loans", *choices)
    chosen = {column["name"]: column["protection"] for column in entry["columns"]}
    assert chosen["card"] == {"name": "format-preserving", "parameters": {"alphabet": "numeric", "check": "none"}}
    assert chosen["id"] is None
    with home.store() as store:
        catalogue = Catalogue(store.engine)
        uses = dict.fromkeys(("card", "income", "age", "since"), (Use.FEATURE,))
        passage = Passage(protections=protections_for(home, catalogue.get("loans"), "agreement-1"))
        released = release(catalogue, "loans", uses, passage=passage)
        other = Passage(protections=protections_for(home, catalogue.get("loans"), "agreement-2"))
        again = release(catalogue, "loans", uses, passage=other)
    assert released.table.column_names == ["card", "income", "age", "since"]
    assert set(released.table["income"].to_pylist()) <= {"< 0", "[0, 20000)", "[20000, 50000)", ">= 50000"}
    assert released.table["age"].null_count == ROWS
    assert all(len(card) == 10 for card in released.table["card"].to_pylist())
    assert not set(released.table["card"].to_pylist()) & set(again.table["card"].to_pylist())
    assert released.record.protected["card"] == "format-preserving"
    assert told("dataset", "protect", "loans", "age=none")["columns"][3]["protection"] is None


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ("card", "write COLUMN=PROTECTION"),
        ("card=rot13", "choose one of none, token"),
        ("card=mask:letters=3", "no parameter letters"),
        ("card=bins", "needs edges"),
        ("card=bins:edges=1/2", "none of numbers"),
        ("card=date-shift:days=3", "none of dates"),
        ("card=mask:last=many", "is no count"),
        ("nothing=mask", "no column 'nothing'"),
    ],
)
def test_a_choice_that_cannot_be_kept_is_refused_with_the_mend(told: Any, choice: str, says: str) -> None:
    assert says in told("dataset", "protect", "loans", choice, fails=True)


def test_values_that_came_back_are_reversed_for_a_reason_on_record(home: Home, told: Any, tmp_path: Path) -> None:
    told("dataset", "protect", "loans", "card=format-preserving", "age=suppress")
    copy, clear = tmp_path / "copy.parquet", tmp_path / "clear.parquet"
    told("dataset", "export", "loans", "--recipient", "auditor", "--to", str(copy))
    assert pq.read_table(copy)["card"].to_pylist() != TABLE["card"].to_pylist()
    words = ("--who", "ann", "--why", "fraud case 88", "--agreement", "export/auditor")
    told("dataset", "reverse", "loans", "card", str(copy), *words, "--to", str(clear))
    assert pq.read_table(clear)["card"].to_pylist() == TABLE["card"].to_pylist()
    entry = list(Home(home.path).ledger.entries())[-1]
    assert entry.kind == "key-event"
    assert entry.body["why"] == "fraud case 88"
    assert "cannot be reversed" in told(
        "dataset", "reverse", "loans", "age", str(copy), *words, "--to", str(tmp_path / "x.csv"), fails=True
    )


def test_a_leaked_part_of_an_export_names_its_recipient(home: Home, told: Any, tmp_path: Path) -> None:
    assert "nothing was exported" in told("dataset", "trace", str(tmp_path / "loans.parquet"), fails=True)
    told("subject", "object", "c7")
    for recipient in ("auditor", "bureau"):
        made = told(
            "dataset", "export", "loans", "--recipient", recipient, "--to", str(tmp_path / f"{recipient}.csv")
        )
        assert (made["release"]["rows"], made["release"]["excluded"]) == (ROWS - 1, 1)
        assert made["marked"]["income"] <= 0.0101
    uses = told("subject", "access", "c8")["runs"]
    assert [(use["application"], use["partners"]) for use in uses] == [
        ("export", ["auditor"]),
        ("export", ["bureau"]),
    ]
    assert told("subject", "access", "c7")["runs"] == []
    leaked = (
        pyarrow.csv.read_csv(tmp_path / "bureau.csv").select(["income"]).take(DRAW.permutation(ROWS - 1)[:150])
    )
    pyarrow.csv.write_csv(leaked.rename_columns(["x"]), tmp_path / "found.csv")
    (finding,) = told("dataset", "trace", str(tmp_path / "found.csv"))["findings"]
    assert finding["recipient"] == "bureau"
    assert finding["chance"] < 1e-9
    assert told("dataset", "trace", str(tmp_path / "loans.parquet"))["findings"] == []
    again = ("--recipient", "bureau", "--to", str(tmp_path / "bureau.csv"))
    assert "is there already" in told("dataset", "export", "loans", *again, fails=True)


def test_an_export_for_no_purpose_leaves_out_whoever_objects_to_any_and_says_so(
    home: Home, told: Any, tmp_path: Path
) -> None:
    def exported(number: int, *words: str) -> Any:
        target = ("--to", str(tmp_path / f"{number}.csv"))
        return told("dataset", "export", "loans", "--recipient", "auditor", *target, *words)

    assert exported(0)["warnings"] == []
    told("subject", "object", "c7", "--purpose", "dpv:CreditChecking")
    left_out = exported(1)
    assert left_out["release"]["excluded"] == 1
    assert "no purpose is named" in left_out["warnings"][0]
    named = exported(2, "--purpose", "dpv:CreditChecking")
    assert (named["release"]["excluded"], named["warnings"]) == (1, [])
    other = exported(3, "--purpose", "dpv:CreditCheking")
    assert other["release"]["excluded"] == 0
    assert "persons have spoken of: dpv:CreditChecking" in other["warnings"][0]


def test_only_columns_on_offer_as_retrieve_are_exported(home: Home, told: Any, tmp_path: Path) -> None:
    told("dataset", "allow", "loans", "income=feature")
    words = ("--recipient", "x", "--to", str(tmp_path / "x.csv"), "--columns", "income")
    assert "catalogue-use" in told("dataset", "export", "loans", *words, fails=True)
    assert not (tmp_path / "x.csv").exists()


def test_risk_before_and_after(told: Any) -> None:
    value = told(
        "dataset", "risk", "loans", "--by", "age,since", "--sensitive", "card", "--k", "4", "--steps", "age=10/30"
    )
    assert value["before"]["prosecutor_highest"] == 1
    assert value["after"]["prosecutor_highest"] <= 1 / 4
    assert value["after"]["rows"] + value["left_out"] == ROWS
    assert 0 < value["loss"] < 1
    assert "names none of" in told("dataset", "risk", "loans", "--by", "age", "--steps", "zip=3", fails=True)


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "duckdb"])
def test_rows_past_their_time_are_counted_then_removed_on_record(
    home: Home, told: Any, tmp_path: Path, kind: str
) -> None:
    source = tmp_path / f"old.{kind}"
    dated = TABLE.append_column("ended", pa.array([None, *TABLE["since"].to_pylist()[1:]], pa.date32()))
    if kind == "parquet":
        pq.write_table(dated, source)
    elif kind == "duckdb":
        with duckdb.connect(str(source)) as connection:
            connection.register("given", dated)
            connection.execute('create table "old" as select * from given')
    else:
        dated.to_pandas().to_csv(source, index=False)
    name = f"{source}#old" if kind == "duckdb" else str(source)
    with home.store() as store:
        catalogue = Catalogue(store.engine)
        catalogue.add("old", name, "id")
        assert "no retention" in told("dataset", "purge", "old", fails=True)
        catalogue.steward("old", retention=Retention(days=365 * 5, column="ended"))
    found = told("dataset", "purge", "old")
    limit = np.datetime64("today") - 365 * 5
    expected = int((DAYS[1:] < limit).sum())
    assert found == {"dataset": "old", "overdue": expected, "undated": 1, "removed": 0}
    assert 0 < expected < ROWS
    assert told("dataset", "purge", "old", "--yes")["removed"] == expected
    assert told("dataset", "purge", "old") == {"dataset": "old", "overdue": 0, "undated": 1, "removed": 0}
    with home.store() as store:
        kept = release(Catalogue(store.engine), "old", {"id": (Use.JOIN,)}).table
    assert kept.num_rows == ROWS - expected
    assert list(Home(home.path).ledger.entries())[-1].body["rows"] == expected


def test_a_database_that_is_only_read_is_not_purged_but_its_owner_told_how(home: Home) -> None:
    from dataclasses import replace
    from datetime import date

    from unseen.data.purge import Overdue, purge

    with home.store() as store:
        entry = Catalogue(store.engine).get("loans")
    away = replace(entry, source='postgresql://db/core?table=lo"ans', retention=Retention(30, "since"))
    with pytest.raises(MisuseError, match='DELETE FROM "lo""ans" WHERE "since" < DATE \'2026-01-01\''):
        purge(away, Overdue(1, 0, 2, date(2026, 1, 1)))


def test_a_table_without_numbers_cannot_be_marked(home: Home, told: Any, tmp_path: Path) -> None:
    words = ("--recipient", "x", "--to", str(tmp_path / "x.csv"), "--columns", "card")
    assert "no column to mark" in told("dataset", "export", "loans", *words, fails=True)
    assert DataError.code == "data"
    assert not (tmp_path / "x.csv").exists()


def test_a_synthetic_copy_within_an_agreements_budget(home: Home, told: Any, tmp_path: Path) -> None:
    from unseen.interaction.agreement import from_yaml
    from unseen.interaction.agreements import Agreements

    told("dataset", "allow", "loans", "income=aggregate", "age=aggregate")
    told("subject", "object", "c7")
    words = ("--epsilon", "2", "--picture", str(tmp_path / "fidelity.svg"))
    made = told("dataset", "synthesise", "loans", "--to", str(tmp_path / "own.csv"), *words)
    assert made["excluded"] == 1
    assert pyarrow.csv.read_csv(tmp_path / "own.csv").column_names == ["income", "age"]
    assert set(made["fidelity"]["columns"]) == {"income", "age"}
    assert "</svg>" in (tmp_path / "fidelity.svg").read_text()
    text = """
agreement: {name}
parties: {{lender: {{role: controller}}, bureau: {{role: controller}}}}
purpose: dpv:CreditChecking
valid: {{from: 2020-01-01, until: 2099-12-31}}
columns: {{}}
computations: [trial]
recipients: {{}}
security: {{dealer: false}}
{limits}
"""
    other = Home.create(tmp_path / "bureau", "bureau", "127.0.0.1:7602")
    with home.store() as store:
        home.introduce(store, other.card, other.card.fingerprint)
        agreements = Agreements(home, store)
        none = agreements.propose(from_yaml(text.format(name="Without", limits=""))).id
        limits = "limits: {privacy: {epsilon: 3, delta: 0.0001, days: 30}}"
        some = agreements.propose(from_yaml(text.format(name="With", limits=limits))).id
    refused = told(
        "dataset", "synthesise", "loans", "--to", str(tmp_path / "a.csv"), "--agreement", none[:12], fails=True
    )
    assert "has no privacy budget" in refused
    words = ("--epsilon", "2", "--agreement", some[:12])
    told("dataset", "synthesise", "loans", "--to", str(tmp_path / "b.csv"), *words)
    assert "where 1 of 3 is left" in told(
        "dataset", "synthesise", "loans", "--to", str(tmp_path / "c.csv"), *words, fails=True
    )
    assert not (tmp_path / "c.csv").exists()
    kinds = [entry.kind.value for entry in Home(home.path).ledger.entries()]
    assert kinds.count("budget") == 1
    assert kinds.count("release") == 2
