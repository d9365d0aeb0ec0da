"""Models of several parties' columns with the parties as threads: data frames in, every party's results out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Application, Request, Run
from unseen.interaction.flow import check_flows
from unseen.interaction.plan import Plan
from unseen.interaction.testimony import by_kind

OUTPUTS = (
    "coefficients",
    "own-model",
    "predictions",
    "evaluation",
    "scores",
    "own-splits",
    "fairness",
    "opened-columns",
)


@dataclass
class Joint:
    """Tables by party with a key column `id`; the label is column `label` of whichever party has one.

    Jobs are numbered; a later one reads what an earlier one of the same party left in its folder.
    """

    application: Application
    tables: Mapping[str, pd.DataFrame]
    folder: Path
    uses: Mapping[str, list[str]] = field(default_factory=dict)
    jobs: int = 0

    @property
    def holder(self) -> str:
        return next(party for party, table in self.tables.items() if "label" in table.columns)

    def agreement(self) -> Agreement:
        columns = {
            party: {"table": {name: self._uses(name) for name in table.columns}}
            for party, table in self.tables.items()
        }
        parties = {**{p: {"role": "controller"} for p in self.tables}, "dealer": {"role": "dealer"}}
        body = {
            "agreement": "Joint models",
            "parties": parties,
            "purpose": "dpv:CreditChecking",
            "valid": {"from": "2020-01-01", "until": "2099-01-01"},
            "columns": columns,
            "computations": [self.application.name],
            "recipients": {output: list(self.tables) for output in OUTPUTS},
            "limits": {"smallest_overlap": 1, "smallest_group": 5},
        }
        return from_yaml(json.dumps(body))

    def _uses(self, name: str) -> list[str]:
        return self.uses.get(name, [{"id": "join", "label": "label"}.get(name, "feature")])

    def plan(self, body: Mapping[str, Any]) -> Plan:
        terms = self.agreement()
        parties = {
            party: {
                "dataset": "table",
                "key": "id",
                "features": [name for name in table.columns if self._uses(name) == ["feature"]],
            }
            for party, table in self.tables.items()
        }
        label = {"party": self.holder, "column": "label", **body.get("label", {})}
        whole = {"parties": parties, "seed": "fixed", **body, "label": label}
        plan = self.application.plan(
            Request("a" * 32, self.application.name, terms.id, "x", "0" * 64, whole), terms
        )
        check_flows(plan, terms)
        return plan

    def run(self, **body: Any) -> dict[str, dict[str, Any]]:
        """Results by party; raises where a message was sent that the plan does not declare."""
        plan, self.jobs = self.plan(body), self.jobs + 1
        now = self.folder / str(self.jobs)

        def program(circle: Circle) -> Mapping[str, Json]:
            mine = now / circle.me
            mine.mkdir(parents=True)
            table = pa.Table.from_pandas(self.tables[circle.me], preserve_index=False)

            def earlier(job: str, name: str) -> bytes:
                return (self.folder / job / circle.me / name).read_bytes()

            run = Run(circle.me, plan, circle, lambda _: table, lambda *_: None, mine, earlier)
            result = self.application.run(run)
            assert not (strange := list(undeclared(plan, circle))), strange
            return result

        results = run_parties(program, list(plan.parties), patience=60.0)
        return {party: json.loads(json.dumps(result)) for party, result in zip(plan.parties, results, strict=True)}

    def file(self, party: str, name: str) -> pd.DataFrame:
        """A table that the latest job left at a party."""
        return pq.read_table(self.folder / str(self.jobs) / party / name).to_pandas()


def undeclared(plan: Plan, circle: Circle) -> Iterator[str]:
    """Kinds of messages that this party sent and no table of the plan holds."""
    table = (*(plan.messages() or ()), *BLOCKS)
    for channel in circle.others():
        for kind, found in by_kind(channel.counters.by_tag).items():
            lines = [line for line in table if line.covers(kind)]
            count: Any = found
            within = [
                (line.most_messages or count["messages"]) >= count["messages"]
                and (line.most_bytes or count["bytes"]) >= count["bytes"]
                for line in lines
            ]
            if not any(within):
                yield kind
