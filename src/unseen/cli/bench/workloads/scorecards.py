"""A whole scorecard whose tables nobody sees: the application's own run, from keys to points and reasons."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from unseen.application.credit import APPLICATION
from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.encoding import Json
from unseen.interaction.agreement import from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.plan import Plan

LABEL: Final = "bad"


@dataclass(frozen=True)
class Job:
    """The plan, the same at every party, and this party's own table."""

    plan: Plan
    table: pa.Table


def _prepare(rank: int, parties: int, size: Size) -> Job:
    """The same people at every party, from a fixed seed: made-up data, so nothing is given away.

    A fifth is bad; every column tells a little of it. Each party has its rows in an order of its own.
    """
    rows, width = size["rows"], size["columns"]
    draw = np.random.default_rng(9)  # made-up inputs, the same at all: no mask, no share
    columns = draw.normal(size=(rows, width))
    odds = columns @ draw.choice([-1.0, 1.0], size=width) * (1.5 / np.sqrt(width)) - 1.8
    bad = (draw.random(rows) < 1.0 / (1.0 + np.exp(-odds))).astype(np.int64)
    cuts = np.linspace(0, width, parties + 1).astype(int).tolist()
    names = {f"party{one}": [f"x{j}" for j in range(cuts[one], cuts[one + 1])] for one in range(parties)}
    order = np.random.default_rng(rank).permutation(rows)  # of made-up people: any order that differs does
    table: dict[str, Any] = {"person": [f"p{number}" for number in order]}
    table |= {f"x{j}": columns[order, j] for j in range(cuts[rank], cuts[rank + 1])}
    return Job(_plan(names, size["bins"]), pa.table(table | ({LABEL: bad[order]} if rank == 0 else {})))


def _plan(names: Mapping[str, list[str]], bins: int) -> Plan:
    columns = {
        party: {"table": {"person": ["join"], **{name: ["feature"] for name in own}}}
        for party, own in names.items()
    }
    columns["party0"]["table"][LABEL] = ["label"]
    terms = {
        "agreement": "A measurement",
        "parties": {**{party: {"role": "controller"} for party in names}, "dealer": {"role": "dealer"}},
        "purpose": "dpv:CreditChecking",
        "valid": {"from": "2020-01-01", "until": "2099-01-01"},
        "columns": columns,
        "computations": ["credit"],
        "recipients": {},
        "limits": {"smallest_overlap": 50, "smallest_group": 5},
    }
    agreement = from_yaml(json.dumps(terms))
    body: dict[str, Json] = {
        "label": {"party": "party0", "column": LABEL, "bad": [1]},
        "parties": {
            party: {"dataset": "table", "key": "person", "features": dict.fromkeys(own, "")}
            for party, own in names.items()
        },
        "tables": "nobody",
        "bins": bins,
        "smallest_bin": 0.5 / bins,
        "self_test": False,
    }
    return APPLICATION.plan(Request("a" * 32, "credit", agreement.id, "party0", "0" * 64, body), agreement)


def _run(circle: Circle, job: Job) -> Mapping[str, Json]:
    with tempfile.TemporaryDirectory(prefix="unseen-bench-") as folder:
        run = Run(circle.me, job.plan, circle, lambda _: job.table, lambda *_: None, Path(folder))
        result: Mapping[str, Any] = APPLICATION.run(run)
    if "joint" not in result:
        return {}
    return {"auc": result["joint"]["auc"], "columns": len(result["scorecard"])}


HIDDEN_SCORECARD = Program(_prepare, _run)
