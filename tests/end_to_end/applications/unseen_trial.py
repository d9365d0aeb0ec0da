"""A small application for tests of the node: each party's column is added up on shares, the total revealed.

It is installed as an application is, by an entry point, and does just enough to have columns, steps, outputs
and a middle in which something can go wrong. With `laps` it multiplies for a while after it has said so; with
`whispers` the first party sends the second its own sum, which no protocol of the plan declares.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request, Run
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

TOTAL = Profile(
    id="trial/total/v1",
    title="Total of all parties' columns",
    source="secret sharing by addition",
    reveals=(
        Disclosure(Role.EACH, "the total of column {column} over all parties"),
        Disclosure(Role.DEALER, "how many laps were run"),
    ),
    messages=(Message("reveal/total", Carries.DISCLOSED, most_messages=1, most_bytes=64),),
)


class Trial:
    """Totals a column. Body of a request: `columns` party → [data set, column, use], `laps`, `whispers`."""

    name = "trial"
    version = "1.0"
    summary = "adds up one column of each party"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        body = request.body
        columns, laps, whispers = body.get("columns"), body.get("laps", 1), body.get("whispers", 0)
        if (
            set(body) - {"columns", "laps", "whispers"}
            or not isinstance(columns, Mapping)
            or not isinstance(laps, int)
        ):
            raise MisuseError("a trial's request has columns and laps")
        uses = []
        for party in agreement.computing:
            dataset, column, use = columns[party]  # type: ignore[misc]
            uses.append(ColumnUse(party, str(dataset), str(column), Use(use)))
        roles = {Role.EACH: agreement.computing, Role.DEALER: (agreement.dealer or "",)}
        return Plan(
            job=request.job,
            agreement=agreement.id,
            application=self.name,
            application_version=self.version,
            purpose=agreement.purpose,
            parties=agreement.computing,
            dealer=agreement.dealer,
            uses=tuple(uses),
            steps=(Step("total", TOTAL, roles, {"column": uses[0].column}),),
            outputs=dict.fromkeys(agreement.computing, ("total",)),
            parameters={"laps": laps, "whispers": whispers},
            seed=request.seed,
            flows=(Flow("total", Shape.AGGREGATE, tuple(uses)),),
        )

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        return {"seconds": 1.0, "bytes": 1000 * rows}

    def run(self, run: Run) -> Mapping[str, Json]:
        circle = run.circle
        use = next(use for use in run.plan.uses if use.party == run.party)
        own = np.array([float(np.sum(run.release(use.dataset).column(use.column).to_numpy()))])
        shares = [
            from_owner(circle, rank, own if rank == circle.rank else None, (1,)) for rank in range(circle.size)
        ]
        total: Shared = sum(shares[1:], shares[0])
        laps = run.plan.parameters["laps"]
        assert isinstance(laps, int)
        run.progress("total", 0.0, "laps begin")
        for lap in range(laps):
            total = total + (total * total - total * total)
            run.progress("total", (lap + 1) / laps)
        if run.plan.parameters["whispers"] and circle.rank == 0:  # what no honest application does
            circle.channel(1).send("trial/whisper", own)
        elif run.plan.parameters["whispers"]:
            circle.channel(0).receive("trial/whisper", np.float64, 1)
        return {"total": round(float(reveal(total, "total")[0]), 3)}


APPLICATION = Trial()
