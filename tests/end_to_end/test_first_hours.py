"""The commands of docs/first-hours.md, run in order as a person would, against real nodes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
from pathlib import Path

import pytest
import yaml
from neighbourhood import AGREEMENT, APPLICATIONS, REQUEST, Neighbourhood

from unseen.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "first-hours.md"
EXPECTED = {
    "law explain": "impact-assessment",
    "agree diff": "changed agreement",
    "people list": "officer",
    "law check": "permitted",
    "plan prepare": "Prepared in prepared.json: job",
    "approve trial prepared.json": "olga approves job",
    "agree suspend": "is suspended",
    "agree resume": "is effective",
    "verify lender/ledger": "sound   lender",
    "verify evidence.zip": "By whose grant",
    "verify job.zip": "proved to be in its ledger",
    "lineage": "wasDerivedFrom",
}
"""What the output of a command must say, by its first words."""


def commands(heading: str) -> list[str]:
    """The indented commands under a heading of the page."""
    part = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.strip() for line in part.splitlines() if line.startswith("    unseen ")]


def agreement() -> str:
    """The trial's agreement, with a law that applies and an officer who must approve."""
    terms = yaml.safe_load(AGREEMENT)
    terms["agreement"] = "Trial under law"
    terms["purpose"] = "dpv:LegalCompliance"
    terms["subjects"] = {"jurisdictions": ["EU"]}
    terms["legal_basis"] = dict.fromkeys(("lender", "bureau"), "legal-obligation: reporting")
    held = dict.fromkeys(("privacy-notice", "processing-record"), "example, 2026-01-01")
    terms["evidence"] = {"lender": held, "bureau": held}
    for party in terms["parties"].values():
        party["jurisdiction"] = "EU"
    terms["approvals"] = {"scope": "class", "count": 1, "role": "officer"}
    return yaml.safe_dump(terms, sort_keys=False)


def run(line: str, *, refused: str = "") -> str:
    """What a command prints. It runs in this process: starting Python each time takes too long."""
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        main(shlex.split(line)[1:])
    if refused:
        assert ended.value.code == 1
        assert refused in errors.getvalue()
        return ""
    assert not ended.value.code, f"{line}\n{errors.getvalue()}"
    for words, expected in EXPECTED.items():
        if line.startswith(f"unseen {words}"):
            assert expected in output.getvalue(), f"{line}\n{output.getvalue()}"
    return output.getvalue()


def officer_at(houses: Neighbourhood, name: str, identifier: str) -> None:
    """The bureau's own officer approves too: every party has its own four eyes."""
    home = f"--home {houses.folder / name}"
    run(f"unseen people enrol pia --role officer --key {name}.key {home}")
    approve = (
        f"unseen approve trial request.yaml --agreement {identifier} --as pia --key {name}.key --quota 9 {home}"
    )
    run(approve)


def test_an_officers_and_an_auditors_first_hour(
    houses: Neighbourhood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(APPLICATIONS)
    for institution in houses.all:
        os.symlink(institution.home.path, tmp_path / institution.name)
    Path("agreement.yaml").write_text(agreement())
    Path("request.yaml").write_text(yaml.safe_dump(REQUEST))
    identifier = job = ""
    for line in commands("A compliance officer"):
        if line.startswith("unseen approve"):
            asked = f"unseen run trial request.yaml --agreement {identifier} --home lender"
            run(asked, refused="nobody is named as the one who asks")
            if line.endswith("--quota 2 --home lender"):
                run(f"{asked} --as ana --key ana.key", refused="four-eyes")
            run(f"{asked} --as olga --key olga.key", refused="not enrolled here as analyst")
        shown = run(line.replace("AGREEMENT", identifier))
        if line.startswith("unseen agree list"):
            identifier = houses.agree(agreement())
            officer_at(houses, "bureau", identifier)
        if line.startswith("unseen run"):
            assert shown
            job = json.loads(run("unseen jobs --home lender --json"))["jobs"][0]["job"]
    assert "<h2>Law</h2>" in Path("plan.html").read_text()
    assert json.loads(Path("assessment.json").read_text())["c_risks"]
    activities = json.loads(Path("record.json").read_text())["activities"]
    assert identifier in [activity["agreement"] for activity in activities]
    assert not houses.findings()
    for line in commands("An auditor"):
        run(line.replace("JOB", job))
