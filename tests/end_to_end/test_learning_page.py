"""The commands of docs/learning.md, run in order as a person would, against real nodes, and its pictures."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from neighbourhood import Neighbourhood

from unseen.cli import main
from unseen.cli.demo.material import BUREAU_COLUMNS, LABEL, LENDER_COLUMNS, write_loans
from unseen.data.catalogue import Catalogue, Use

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "learning.md"
SOME = 3300


def commands() -> list[str]:
    return [
        line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    unseen ")
    ]


@pytest.fixture
def on_offer(houses: Neighbourhood, tmp_path: Path) -> Iterator[None]:
    """A third of the demo's loans, as `unseen demo` offers them all; afterwards what was on offer before."""
    usual = {"loans": houses.lender.home, "file": houses.bureau.home}
    before = {}
    for name, home in usual.items():
        with home.store() as store:
            before[name] = Catalogue(store.engine).get(name)
    offer(houses, tmp_path)
    yield
    for name, home in usual.items():
        with home.store() as store:
            Catalogue(store.engine).adopt(before[name])


def offer(houses: Neighbourhood, folder: Path) -> None:
    loans, file = folder / "loans.parquet", folder / "file.parquet"
    write_loans(loans, file)
    pq.write_table(pq.read_table(loans).slice(0, SOME), loans)
    uses = dict.fromkeys(LENDER_COLUMNS, (Use.FEATURE,)) | {LABEL: (Use.LABEL,)}
    with houses.lender.home.store() as store:
        Catalogue(store.engine).add("loans", str(loans), "member_id", uses, LENDER_COLUMNS)
    with houses.bureau.home.store() as store:
        uses = dict.fromkeys(BUREAU_COLUMNS, (Use.FEATURE,))
        Catalogue(store.engine).add("file", str(file), "person_id", uses, BUREAU_COLUMNS)


def run(line: str) -> str:
    """What a command prints. It runs in this process: starting Python each time takes too long."""
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        main(shlex.split(line)[1:])
    assert not ended.value.code, f"{line}\n{errors.getvalue()}"
    return output.getvalue()


@pytest.mark.timeout(420)
def test_from_bins_to_reason_codes_and_trees(
    houses: Neighbourhood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_offer: None
) -> None:
    monkeypatch.chdir(tmp_path)
    os.symlink(DOCS, tmp_path / "docs")
    for institution in houses.all:
        os.symlink(institution.home.path, tmp_path / institution.name)
    names: dict[str, str] = {}
    for line in commands():
        if line.startswith("unseen agree propose"):
            names["AGREEMENT"] = houses.agree((DOCS / "learning" / "agreement.yaml").read_text())
            continue
        for name, value in names.items():
            line = line.replace(name, value)
        shown = run(line)
        if line.startswith("unseen run regression"):
            assert re.search(r"inq_last_6mths +bureau +0\.\d+ ", shown), shown
        if line.startswith("unseen run"):
            job = json.loads(run("unseen jobs --home lender --json"))["jobs"][0]["job"]
            names[{"credit": "SCORECARD"}.get(line.split()[2], line.split()[2].upper())] = job
    card, regression = (json.loads(Path(name, "result.json").read_text()) for name in ("scorecard", "regression"))
    assert card["joint"]["auc"] > 0.57
    lines = {entry["column"]: entry for entry in regression["coefficients"]}
    assert all(lines[name]["value"] >= 0 for name in ("delinq_2yrs", "inq_last_6mths", "inq_last_12m"))
    assert all(lines[name]["inflation"] >= 0.99 for name in lines if name != "(intercept)")
    with houses.lender.client() as client:
        trees = client.result(names["BOOSTING"])["result"]
    assert trees["joint"]["auc"] > 0.57
    runpy.run_path(str(DOCS / "learning" / "draw.py"))["draw"](Path("scorecard"), Path("regression"), tmp_path)
    shown = re.findall(r"learning/(\w+\.svg)", PAGE.read_text(encoding="utf-8"))
    for name in shown:
        assert (DOCS / "learning" / name).exists()
        assert Path(name).read_text(encoding="utf-8").lstrip().startswith(("<?xml", "<svg"))
