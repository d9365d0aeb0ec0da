"""The command line: `unseen`. A command's module is imported only when it is called."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from unseen.cli.commands import COMMANDS, GROUPS
from unseen.errors import UnseenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import App


def application() -> App:
    """The command line as a cyclopts application."""
    from cyclopts import App

    import unseen

    app = App(
        name="unseen",
        version=unseen.__version__,
        help="Usable, unseen: institutions compute together on personal data that none of them shows to another.",
        help_epilogue="Begin with: unseen demo",
        help_format="plaintext",
    )
    groups = {name: App(name=name, help=summary) for name, summary in GROUPS.items()}
    for group in groups.values():
        app.command(group)
    for command in COMMANDS:
        *group_name, name = command.words.split()
        into = groups[group_name[0]] if group_name else app
        into.command(
            command.function, name=name, help=command.summary, help_epilogue=f"Example: {command.example}"
        )
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Exit codes: 1 an error, with one message; 2 words that make no command; 130 broken off."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        application()(words)
    except UnseenError as error:
        _show(error, "--json" in words)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, say `head`, has seen enough
        sys.stderr.close()
        sys.exit(0)


def _show(error: UnseenError, as_json: bool) -> None:
    if as_json:
        fields = {name: getattr(error, name) for name in ("party", "rule", "mend") if hasattr(error, name)}
        print(json.dumps({"error": {"code": error.code, "message": str(error), **fields}}))
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]Error:[/] {_escaped(str(error))}", soft_wrap=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
