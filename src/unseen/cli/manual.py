"""The manual's tables, made from what the code declares: `python -m unseen.cli.manual docs/command-line.md`."""

from __future__ import annotations

import sys
from inspect import getdoc
from pathlib import Path

from unseen.cli.bench.tables import write_between
from unseen.cli.commands import COMMANDS, GROUPS
from unseen.errors import UnseenError
from unseen.interaction.home import Settings


def commands() -> str:
    """Every command with its sentence and example."""
    lines = []
    for group in ("", *GROUPS):
        lines += [f"### {group}", GROUPS[group], ""] if group else []
        for command in COMMANDS:
            words = command.words.split()
            if (words[0] if len(words) > 1 else "") == group:
                lines += [f"**`unseen {command.words}`**: {command.summary}", "", f"    {command.example}", ""]
    return "\n".join(lines).rstrip()


def settings() -> str:
    """Every setting of HOME/institution.json."""
    lines = ["| setting | type | unless set |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        kind = getattr(field.annotation, "__name__", str(field.annotation))
        lines.append(f"| `{name}` | {kind} | {'required' if field.is_required() else f'`{field.default}`'} |")
    return "\n".join(lines)


def errors() -> str:
    """Every error code that goes over the wire or stands in JSON output."""
    lines = ["| code | meaning |", "| --- | --- |"]
    lines += [f"| `{kind.code}` | {(getdoc(kind) or '').splitlines()[0]} |" for kind in _tree(UnseenError)]
    lines.append("| `internal` | A fault in unseen itself: please report it, with HOME/jobs/<job>/worker.log. |")
    return "\n".join(lines)


def _tree(kind: type[UnseenError]) -> list[type[UnseenError]]:
    """A kind of error and all below it that `unseen.errors` defines."""
    below = [child for child in kind.__subclasses__() if child.__module__ == kind.__module__]
    return [kind, *(deeper for child in below for deeper in _tree(child))]


TABLES = {"commands": commands, "settings": settings, "errors": errors}

if __name__ == "__main__":
    for name, made in TABLES.items():
        write_between(Path(sys.argv[1]), name, made())
