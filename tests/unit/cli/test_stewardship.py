"""A steward's commands over a DuckDB file and over PostgreSQL: register, classify, show, preview, contracts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from unseen.cli import main
from unseen.interaction.agreement import from_yaml
from unseen.interaction.agreements import Agreements
from unseen.interaction.home import Home
from unseen.interaction.ledger import Kind

sys.path.append(str(Path(__file__).parents[1] / "data"))

ROWS = 300


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(words)
    return int(caught.value.code or 0)


def agreed(home: Home, columns: dict[str, list[str]]) -> str:
    """An agreement that the lender has proposed; its identifier."""
    terms = {
        "agreement": "Trial",
        "parties": {"lender": {"role": "controller"}, "bureau": {"role": "controller"}},
        "purpose": "dpv:CreditChecking",
        "legal_basis": {"lender": "GDPR art. 6(1)(b): assessing an application for credit"},
        "valid": {"from": "2020-01-01", "until": "2099-01-01"},
        "columns": {"lender": {"loans": columns}},
        "computations": ["credit"],
        "recipients": {"scores": ["lender"]},
        "limits": {"smallest_overlap": 10, "smallest_group": 5},
    }
    partner = Home.create(home.path.parent / "partner", "bureau", "127.0.0.1:7603").card
    with home.store() as store:
        home.introduce(store, partner, partner.fingerprint)
        return Agreements(home, store).propose(from_yaml(yaml.safe_dump(terms))).id


def test_a_stewards_way_from_registration_to_what_would_leave(source: str, home: Home, told: Any) -> None:
    added = told(
        *("dataset", "add", "loans", "--source", source, "--subject", "customer_id", "--use", "amount=feature"),
        *("--owner", "retail lending", "--retention", "3650:closed", "--jurisdiction", "EU"),
    )
    assert (added["rows"], added["owner"], added["jurisdictions"]) == (ROWS, "retail lending", ["EU"])
    categories = {column["name"]: column["category"] for column in added["columns"]}
    assert categories["mail"] == "unclassified"
    assert categories["amount"] != "unclassified"

    found = told("dataset", "classify", "loans")
    assert not found["recorded"]
    assert found["columns"]["mail"]["category"] == "user.contact.email"
    recorded = told("dataset", "classify", "loans", "--set", "amount=user.financial", "--yes")
    assert (recorded["recorded"], recorded["version"]) == (True, 2)
    assert "planted" not in json.dumps(recorded)

    shown = told("dataset", "show", "loans")
    by_name = {column["name"]: column for column in shown["columns"]}
    assert by_name["amount"]["category"] == "user.financial"
    assert (by_name["mail"]["level"], by_name["mail"]["financial"]) == ("3", "C2")
    assert shown["freshness"]["rows"] == ROWS
    assert shown["freshness"]["newest"].startswith("20")
    assert shown["freshness"]["problem"] == ""

    identifier = agreed(home, {"customer_id": ["join"], "amount": ["feature"], "mail": ["feature"]})
    seen = told("dataset", "release-preview", "loans", "--agreement", identifier[:12])
    assert seen["rows"] == ROWS
    assert sorted(seen["leaves"]) == ["amount", "customer_id"]
    assert seen["stays"] == ["closed", "remark"]
    assert "remark" not in seen["query"]
    assert "mail" not in seen["query"]
    refused = {line["column"]: line["refused"] for line in seen["columns"]}
    assert "unseen dataset allow loans mail=feature" in refused["mail"][0]
    assert seen["purpose"] == "dpv:CreditChecking"
    assert [entry.kind for entry in home.ledger.entries() if entry.kind is Kind.RELEASE] == []


def test_a_column_that_nobody_has_looked_at_is_not_released(source: str, home: Home, told: Any) -> None:
    told("dataset", "add", "loans", source, "--subject", "customer_id")
    told("dataset", "allow", "loans", "remark=feature")
    identifier = agreed(home, {"remark": ["feature"]})
    seen = told("dataset", "release-preview", "loans", "--agreement", identifier)
    assert "unseen dataset classify loans" in seen["columns"][0]["refused"][0]
    assert "rows" not in seen
    told("dataset", "classify", "loans", "--yes")
    seen = told("dataset", "release-preview", "loans", "--agreement", identifier)
    assert (seen["columns"][0]["refused"], seen["rows"]) == ([], ROWS)


def test_an_entry_goes_out_as_a_contract_and_comes_in_elsewhere(
    source: str, home: Home, told: Any, tmp_path: Path
) -> None:
    told("dataset", "add", "loans", source, "--subject", "customer_id", "--use", "amount=feature,aggregate")
    told("dataset", "classify", "loans", "--yes")
    told("dataset", "steward", "loans", "--owner", "retail", "--retention", "100")
    before = told("dataset", "show", "loans")
    file = tmp_path / "loans.odcs.yaml"
    told("dataset", "contract", "loans", "--to", str(file))
    assert yaml.safe_load(file.read_text())["kind"] == "DataContract"
    again = Home.create(tmp_path / "bureau", "bureau", "127.0.0.1:7602")
    told("dataset", "adopt", str(file), "--home", str(again.path))
    after = told("dataset", "show", "loans", "--home", str(again.path))
    changing = ("version", "registered", "freshness")
    assert {name: after[name] for name in after if name not in changing} == {
        name: before[name] for name in before if name not in changing
    }
    file.write_text(file.read_text().replace("name: amount", "name: amounts"))
    assert run("dataset", "adopt", str(file)) == 1


def test_for_people_all_of_it_is_a_table(source: str, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dataset", "add", "loans", source, "--subject", "customer_id", "--use", "amount=feature") == 0
    assert run("dataset", "classify", "loans") == 1
    printed = capsys.readouterr()
    assert "email 300/300" in printed.out
    assert "--yes" in printed.err
    assert run("dataset", "classify", "loans", "--yes") == 0
    assert run("dataset", "show", "loans") == 0
    shown = capsys.readouterr().out
    assert "user.contact.email" in shown
    assert "Freshness: rows now 300" in shown
    identifier = agreed(home, {"customer_id": ["join"], "remark": ["feature"]})
    assert run("dataset", "release-preview", "loans", "--agreement", identifier) == 0
    shown = capsys.readouterr().out
    assert "not on offer as feature" in shown
    assert "Rows: 300 would be read; 0 left out" in shown
    assert "SELECT" in shown


def test_a_terminal_is_asked_before_anything_is_recorded(
    source: str, home: Home, monkeypatch: pytest.MonkeyPatch, told: Any
) -> None:
    told("dataset", "add", "loans", source, "--subject", "customer_id")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, version in (("no", 1), ("yes", 2)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert run("dataset", "classify", "loans") == 0
        assert told("dataset", "show", "loans")["version"] == version


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "l", "nowhere.csv", "--subject", "id"), "there is no file"),
        (("add", "l", "postgresql://a:planted@h/d?table=t", "--subject", "id"), "must not hold a password"),
        (("add", "l", "x.csv", "--subject", "id", "--retention", "long"), "is no retention"),
        (("show", "nothing"), "no data set 'nothing'"),
        (("classify", "nothing"), "no data set 'nothing'"),
        (("release-preview", "nothing", "--agreement", "4be1"), "no data set 'nothing'"),
        (("adopt", "nowhere.yaml"), "cannot read"),
    ],
)
def test_what_cannot_be_done_is_told(
    words: tuple[str, ...], message: str, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dataset", *words) == 1
    printed = capsys.readouterr()
    assert message in " ".join(printed.err.split())
    assert "planted" not in printed.err


def test_a_column_of_numbers_with_other_text_between_is_refused(
    tmp_path: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "loans.csv"
    file.write_text("id,amount\n" + "".join(f"c{n},{n}\n" for n in range(99)) + "c99,planted\n")
    assert run("dataset", "add", "loans", str(file), "--subject", "id", "--use", "amount=feature") == 1
    printed = " ".join(capsys.readouterr().err.split())
    assert "holds numbers in 99.0% of its values and other text in the rest" in printed
    assert "planted" not in printed
    assert run("dataset", "show", "loans") == 1


def test_a_source_that_is_gone_is_shown_as_registered_with_the_problem(
    tmp_path: Path, home: Home, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "loans.csv"
    file.write_text("id,amount\na,1\n")
    told("dataset", "add", "loans", str(file), "--subject", "id")
    file.unlink()
    assert "there is no file" in told("dataset", "show", "loans")["freshness"]["problem"]
    assert run("dataset", "show", "loans") == 0
    assert "The source cannot be read now" in capsys.readouterr().out
