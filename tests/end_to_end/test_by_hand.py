"""The main steps typed by hand, one institution after the other, as the README tells them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from neighbourhood import AGREEMENT, APPLICATIONS, REQUEST, ROWS, TOTAL, Institution, command

from ports import free_port
from unseen.cli import main

NAMES = ("lender", "bureau", "dealer")


@pytest.fixture
def started() -> Iterator[list[Institution]]:
    """Nodes that a test has started, stopped at its end."""
    running: list[Institution] = []
    yield running
    for institution in running:
        institution.stop()


def told(*words: str) -> dict[str, Any]:
    """A command's answer as JSON. The command runs in this process: starting Python each time takes too long."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert not ended.value.code, output.getvalue()
    answer: dict[str, Any] = json.loads(output.getvalue())
    return answer


def test_from_init_to_verify(tmp_path: Path, started: list[Institution], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(APPLICATIONS)
    homes = {name: str(tmp_path / name) for name in NAMES}
    cards = {
        name: told("init", name, "--home", home, "--listen", f"127.0.0.1:{free_port()}")
        for name, home in homes.items()
    }
    again = command("init", "lender", "--home", homes["lender"])
    assert again.returncode == 1
    assert "already" in again.stderr

    for name in ("lender", "bureau"):
        dataset, subject, amounts = ROWS[name]
        file = tmp_path / f"{dataset}.csv"
        file.write_text(
            f"{subject},amount\n" + "".join(f"p{n % 2},{amount}\n" for n, amount in enumerate(amounts))
        )
        words = ("dataset", "add", dataset, str(file), "--subject", subject, "--use", "amount=feature")
        assert told(*words, "--home", homes[name])["rows"] == len(amounts)
    report = told("dataset", "check", "loans", "--home", homes["lender"])
    assert report["duplicate"] > 0
    assert "repeated" in report["warnings"][0]

    for name in NAMES:
        started.append(institution := Institution.at(tmp_path / name))
        institution.launch()
    for institution in started:
        institution.await_port()

    for name in NAMES:
        told("card", "--home", homes[name], "--to", str(tmp_path / f"{name}.card"))
    for me in NAMES:
        for other in NAMES:
            if other != me:
                words = ("introduce", str(tmp_path / f"{other}.card"), "--fingerprint", cards[other]["spoken"])
                told(*words, "--home", homes[me])
    wrong = command(
        "introduce", str(tmp_path / "bureau.card"), "--fingerprint", "0" * 32, "--home", homes["lender"]
    )
    assert wrong.returncode == 1
    assert "not the one given" in wrong.stderr
    found = told("partners", "--home", homes["lender"])["partners"]
    assert {entry["name"]: entry["node"][:7] for entry in found} == {"bureau": "answers", "dealer": "answers"}

    terms = tmp_path / "agreement.yaml"
    terms.write_text(AGREEMENT)
    proposed = told("agree", "propose", str(terms), "--home", homes["lender"])
    assert proposed["missing"] == ["bureau", "dealer"]
    assert not proposed["not_told"]
    for name in ("bureau", "dealer"):
        (known,) = told("agree", "list", "--home", homes[name])["agreements"]
        assert known["id"] == proposed["id"]
        told("agree", "sign", proposed["id"][:10], "--home", homes[name])
    assert told("agree", "show", proposed["id"][:10], "--home", homes["lender"])["effective"]

    request = tmp_path / "request.yaml"
    request.write_text(yaml.safe_dump(REQUEST))
    asked = ("trial", str(request), "--agreement", proposed["id"][:10], "--home", homes["lender"])
    plan = command("plan", "show", *asked)
    assert plan.returncode == 0, plan.stderr
    assert "What each party learns" in plan.stdout
    assert "the total of column amount over all parties" in plan.stdout
    assert "Estimate: 1 s" in plan.stdout
    shown = command("run", *asked)
    assert shown.returncode == 0, shown.stderr
    assert "Done" in shown.stdout
    assert f"total: {TOTAL:.0f}" in shown.stdout
    done = told("run", *asked)
    assert done["result"] == {"total": TOTAL}
    assert len(told("jobs", "--home", homes["bureau"])["jobs"]) == 2
    job = told("job", "show", done["job"][:8], "--home", homes["bureau"])
    assert job["state"] == "done"
    assert job["plan_hash"] == done["plan_hash"]
    sound = told("verify", *homes.values())
    assert sound["sound"] is True
    assert all(done["job"] in ledger["receipts"] for ledger in sound["ledgers"])


def test_a_run_without_a_node_says_how_to_start_it(tmp_path: Path) -> None:
    told("init", "lender", "--home", str(tmp_path / "lender"), "--listen", f"127.0.0.1:{free_port()}")
    request = tmp_path / "request.yaml"
    request.write_text("{}")
    done = command("run", "trial", str(request), "--agreement", "00", "--home", str(tmp_path / "lender"))
    assert done.returncode == 1
    assert "unseen node" in done.stderr
    assert "Traceback" not in done.stderr
