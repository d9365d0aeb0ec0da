"""Compile what the main job will need, once a machine: the job itself on made-up rows, the parties as threads."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

ROWS: Final = 5000
"""Enough for what the job does with many rows and not with few: keys by vector OLE, sorting ahead."""


def compile_kernels() -> None:
    """Run every kernel that the demo's scorecard uses. Takes a second or two when they are compiled already."""
    from unseen.cli.demo.material import LENDER, agreement, request
    from unseen.computation.circle import Circle
    from unseen.computation.in_process import run_parties
    from unseen.interaction import door
    from unseen.interaction.agreement import from_json
    from unseen.interaction.application import Run, find
    from unseen.interaction.job import new_request

    terms, application = from_json(agreement()), find("credit")
    plan = application.plan(new_request("credit", terms.id, LENDER, request()), terms)
    tables = made_up()
    with TemporaryDirectory() as folder:

        def program(circle: Circle) -> None:
            own = Path(folder) / circle.me
            own.mkdir()
            application.run(Run(circle.me, plan, circle, lambda _: tables[circle.me], lambda *_: None, own))

        run_parties(program, plan.parties, patience=120.0)
    door.warm_up()  # rows that a worker releases are marked by a kernel too


def made_up() -> dict[str, pa.Table]:
    """By party: columns of the real ones' types, of which some tell good from bad; most people are at both."""
    import numpy as np
    import pyarrow as pa

    from unseen.cli.demo.material import BUREAU, BUREAU_COLUMNS, LABEL, LENDER, LENDER_COLUMNS, TEXTS

    draw = np.random.default_rng(1)  # nobody's data: any numbers do
    numbers = draw.normal(size=(ROWS, len(LENDER_COLUMNS) + len(BUREAU_COLUMNS)))
    bad = numbers.sum(axis=1) + draw.normal(size=ROWS) > 0
    people = np.array([f"person {number}" for number in range(ROWS)])
    columns = {
        name: np.where(column > 0, "high", "low") if name in TEXTS else column
        for name, column in zip((*LENDER_COLUMNS, *BUREAU_COLUMNS), numbers.T, strict=True)
    }
    known = np.arange(ROWS // 10, ROWS)[::-1]
    outcome = np.where(bad, "bad", "good")
    lender = {name: columns[name] for name in LENDER_COLUMNS} | {LABEL: outcome, "member_id": people}
    bureau = {name: columns[name][known] for name in BUREAU_COLUMNS} | {"person_id": people[known]}
    return {LENDER: pa.table(lender), BUREAU: pa.table(bureau)}
