"""The command that makes a synthetic copy of a data set: dataset synthesise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home


def synthesise(
    name: Annotated[str, Parameter(name="NAME", help="The data set's name.")],
    *,
    to: Annotated[Path, Parameter(help="The .csv or .parquet file to write.")],
    epsilon: Annotated[float, Parameter(help="What one row may tell at most; 1 is usual.")] = 1.0,
    delta: Annotated[float, Parameter(help="The chance that it tells more.")] = 1e-6,
    columns: Annotated[str, Parameter(help="a,b,c; all that are on offer as aggregate.")] = "",
    rows: Annotated[
        int | None, Parameter(help="How many rows, exactly; else about as many as the data set has.")
    ] = None,
    agreement: Annotated[str, Parameter(help="For the partners of this agreement, from its privacy budget.")] = "",
    picture: Annotated[Path | None, Parameter(help="An .svg file that shows each column beside its copy.")] = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a synthetic copy with differential privacy, and say how near it is."""
    from unseen.data.synthetic.measure import Cost
    from unseen.interaction.synthesis import Wanted, make

    chosen = tuple(part.strip() for part in columns.split(",") if part.strip())
    wanted = Wanted(name, Cost(epsilon, delta), chosen, rows, agreement)
    made = make(open_home(home), wanted, to, picture)
    value = {
        "dataset": name,
        "rows": made.copy.table.num_rows,
        "excluded": made.excluded,
        "epsilon": epsilon,
        "delta": delta,
        "kept_pairs": [list(edge) for edge in made.copy.edges],
        "fidelity": made.fidelity.as_json(),
        "file": str(to),
    }

    def show(console: Console) -> None:
        console.print(
            f"{value['rows']} synthetic rows in {escape(str(to))}; one row of {escape(name)} shows by at most"
            f" epsilon {epsilon:g}, delta {delta:g}"
        )
        console.print("[bold]How near it is[/] (measured on the data itself: for the steward, not for partners)")
        for line in made.fidelity.lines():
            console.print(f"  {escape(line)}")

    emit(as_json, value, show)
