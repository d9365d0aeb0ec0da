"""Bundles for a supervisor: whole ledgers and single jobs, proved offline; what is altered is named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_verify import JOB, ledger_at, receipt, record_run

from unseen.errors import MisuseError
from unseen.interaction.bundle import export_job, export_ledger, verify_bundle
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.ledger import Kind, Ledger

People = dict[str, tuple[SigningKey, Card]]


@pytest.fixture
def ledger(tmp_path: Path, people: People) -> Ledger:
    made = ledger_at(tmp_path / "ledger", people)
    for number in range(5):
        made.append(Kind.RUN, f"other/{number}", {"job": f"{number + 1:032x}"})
    made.append(Kind.RESULT, f"{JOB}/result", {"job": JOB, "digest": "r-lender"})
    record_run(made, receipt(people))
    made.append(Kind.RUN, "later", {"job": "f" * 32})
    return made


def test_a_whole_ledger_travels_as_one_file_and_tells_its_story(ledger: Ledger, tmp_path: Path) -> None:
    export_ledger(tmp_path / "ledger", tmp_path / "out.zip")
    outcome = verify_bundle(tmp_path / "out.zip")
    assert outcome.sound
    assert outcome.ledgers[0].entries == len(ledger)
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        told = bundle.read("story.txt").decode()
    for words in (f"Run {JOB}", "lender learned: the overlap", "By whose grant: lender", "signed by all parties"):
        assert words in told


def test_one_job_is_proved_without_showing_any_other(ledger: Ledger, tmp_path: Path) -> None:
    report = export_job(ledger, JOB, tmp_path / "job.zip")
    assert list(report.runs) == [JOB]
    assert verify_bundle(tmp_path / "job.zip").sound
    with zipfile.ZipFile(tmp_path / "job.zip") as bundle:
        assert "f" * 32 not in bundle.read("job.json").decode()
    with pytest.raises(MisuseError, match="nothing about job"):
        export_job(ledger, "e" * 32, tmp_path / "none.zip")
    with pytest.raises(MisuseError, match="there already"):
        export_job(ledger, JOB, tmp_path / "job.zip")


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with zipfile.ZipFile(path) as bundle:
        value = json.loads(bundle.read("job.json"))
    change(value)
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("job.json", json.dumps(value))


def alter_line(value: dict[str, Any]) -> None:
    value["entries"][2]["line"] = value["entries"][2]["line"].replace("r-lender", "r-forged")


def alter_proof(value: dict[str, Any]) -> None:
    value["entries"][2]["proof"][0] = "00" * 32


def swap_entry(value: dict[str, Any]) -> None:
    value["entries"][2]["proof"], value["entries"][3]["proof"] = (
        value["entries"][3]["proof"],
        value["entries"][2]["proof"],
    )


def drop_cards(value: dict[str, Any]) -> None:
    value["entries"] = value["entries"][2:]


def alter_head(value: dict[str, Any]) -> None:
    value["head"]["signatures"][0]["sig"] = "A" * 86 + "=="


def not_a_list(value: dict[str, Any]) -> None:
    value["entries"] = {}


@pytest.mark.parametrize("change", [alter_line, alter_proof, swap_entry, drop_cards, alter_head, not_a_list])
def test_any_altered_part_of_a_job_bundle_is_a_finding(
    ledger: Ledger, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    export_job(ledger, JOB, tmp_path / "job.zip")
    rewrite(tmp_path / "job.zip", change)
    outcome = verify_bundle(tmp_path / "job.zip")
    assert not outcome.sound
    assert len(outcome.findings) == 1


def test_a_file_that_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK nothing")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as bundle:
        bundle.writestr("../evil", "x")
    for name in ("a.zip", "b.zip", "missing.zip"):
        with pytest.raises(MisuseError, match="no bundle"):
            verify_bundle(tmp_path / name)
