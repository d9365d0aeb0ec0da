"""A scorecard with the parties as threads: data frames in, both sides' results out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from unseen.application.credit import APPLICATION
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.plan import Plan
from unseen.interaction.testimony import by_kind

JOINING = {"id", "tax", "phone", "born"}


@dataclass(frozen=True)
class Rehearsal:
    """Tables by party (key column `id`; the lender's label column `bad`), and the request's other fields."""

    tables: Mapping[str, pd.DataFrame]
    fields: Mapping[str, Any]
    smallest_overlap: int = 50
    recipients: Mapping[str, list[str]] = field(default_factory=dict)
    bounds: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sent: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    """What each party sent the first of the others, by kind of message, once it has run."""
    told: dict[str, Mapping[str, Mapping[str, Json]]] = field(default_factory=dict)
    """What each party sent each other one."""

    def agreement(self) -> Agreement:
        columns = {
            party: {"table": {name: [self._use(party, name)] for name in table.columns}}
            for party, table in self.tables.items()
        }
        return from_yaml(
            json.dumps(
                {
                    "agreement": "Rehearsal",
                    "parties": {**{p: {"role": "controller"} for p in self.tables}, "dealer": {"role": "dealer"}},
                    "purpose": "dpv:CreditChecking",
                    "valid": {"from": "2020-01-01", "until": "2099-01-01"},
                    "columns": columns,
                    "computations": {"credit": dict(self.bounds)},
                    "recipients": {name: list(parties) for name, parties in self.recipients.items()},
                    "limits": {"smallest_overlap": self.smallest_overlap, "smallest_group": 20},
                }
            )
        )

    def _use(self, party: str, name: str) -> str:
        asked = self.fields.get("fairness") or {}
        if (party, name) == (asked.get("party"), asked.get("column")):
            return "group"
        return "join" if name in JOINING else "label" if name == "bad" else "feature"

    def plan(self) -> Plan:
        terms = self.agreement()
        parties = {
            party: {
                "dataset": "table",
                **self.keys.get(party, {"key": "id"}),
                "features": {name: f"the {name}" for name in table.columns if self._use(party, name) == "feature"},
            }
            for party, table in self.tables.items()
        }
        body = {"label": {"party": "lender", "column": "bad", "bad": [1]}, "parties": parties, **self.fields}
        return APPLICATION.plan(Request("a" * 32, "credit", terms.id, "lender", "0" * 64, body), terms)

    def run(self, folder: Path) -> dict[str, Mapping[str, Json]]:
        plan = self.plan()

        def program(circle: Circle) -> Mapping[str, Json]:
            mine = folder / circle.me
            mine.mkdir()
            table = pa.Table.from_pandas(self.tables[circle.me], preserve_index=False)
            result = APPLICATION.run(Run(circle.me, plan, circle, lambda name: table, lambda *words: None, mine))
            self.sent[circle.me] = by_kind(circle.others()[0].counters.by_tag)
            self.told[circle.me] = {peer: by_kind(c.counters.by_tag) for peer, c in circle.channels.items()}
            return result

        results = run_parties(program, list(plan.parties), patience=60.0)
        return dict(zip(plan.parties, results, strict=True))
