"""The options that many commands share, and how they print."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from unseen.interaction.home import Home

HomeFolder = Annotated[
    Path | None,
    Parameter(name="--home", help="The institution's home folder; $UNSEEN_HOME, or else the present folder."),
]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object instead of text.")]


def open_home(folder: Path | None) -> Home:
    """The home that a command is for. Raises MisuseError."""
    return Home(folder or Path(os.environ.get("UNSEEN_HOME") or "."))


def emit(as_json: bool, value: Any, show: Callable[[Console], None]) -> None:
    """Print `value` as JSON, or let `show` print it for people."""
    if as_json:
        print(json.dumps(value))
    else:
        show(Console(highlight=False, soft_wrap=True))


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A plain table; cells are shown as they are, without markup."""
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made


def size(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GiB"
