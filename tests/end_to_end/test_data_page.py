"""The commands of docs/data.md, run in order as a steward would, and what they print held against the page."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from unseen.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
FINGERPRINT = re.compile(r"([0-9a-f]{4} ){7}[0-9a-f]{4}")
Shown = tuple[str, list[str]]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def transcripts() -> list[Shown]:
    """Each command of the page and the lines that it prints there."""
    found: list[Shown] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def printed(command: str) -> str:
    """What a command prints, errors after. It runs in this process: starting Python each time takes too long."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), pytest.raises(SystemExit):
        main(shlex.split(command)[1:])
    return output.getvalue() + errors.getvalue()


def as_pattern(lines: list[str]) -> str:
    """`…` stands for anything in a line, and alone in a line for any lines."""
    parts = [".*?" if line == "…" else re.escape(line).replace("…", "[^\n]*?") + r"[ ]*" for line in lines]
    return "\n".join(parts)


def test_a_stewards_first_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "118")
    exec(blocks("python")[0], {})  # the page's own few lines that make the customers
    Path("agreement.yaml").write_text(blocks("yaml")[0])
    fingerprint = agreement = ""
    for command, expected in transcripts():
        if command.startswith("export "):
            monkeypatch.setenv(*command.removeprefix("export ").split("=", 1))
            continue
        shown = printed(command.replace("FINGERPRINT", fingerprint).replace("AGREEMENT", agreement))
        assert re.fullmatch(as_pattern(expected) + "\n*", shown, re.DOTALL), f"{command}\n{shown}"
        if found := FINGERPRINT.search(shown):
            fingerprint = found[0]
        if command.startswith("unseen agree propose"):
            agreement = shown.split()[1].rstrip("…")
    marked = Path("customers-auditor.csv").read_text()
    assert "C00009" not in marked
    assert "<svg" in Path("synthetic.svg").read_text()
