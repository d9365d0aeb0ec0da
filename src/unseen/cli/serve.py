"""The command that runs a node."""

from __future__ import annotations

import logging
from typing import Annotated

from cyclopts import Parameter

from unseen.cli.options import AsJson, HomeFolder, emit, open_home


def node(
    *,
    home: HomeFolder = None,
    quiet: Annotated[bool, Parameter(negative="", help="Log warnings only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the institution's node until it is stopped. With --json, one line says when the port is open."""
    from unseen.interaction.node import Node

    logging.basicConfig(
        level=logging.WARNING if quiet or as_json else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    ours = open_home(home)

    def ready() -> None:
        where = ours.settings.listen
        emit(
            as_json,
            {"name": ours.name, "listen": where},
            lambda console: console.print(f"The node of [bold]{ours.name}[/] listens on {where}"),
        )
        import sys

        sys.stdout.flush()

    Node(ours).run(ready)
