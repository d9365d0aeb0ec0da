"""docs/security.md names tests; each is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "security.md"


def named() -> list[tuple[str, str]]:
    """Every test that the page names: file and function."""
    return re.findall(r"`([a-z_/0-9]+\.py)::([a-z_0-9]+)`", PAGE.read_text(encoding="utf-8"))


def functions(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_is_there() -> None:
    assert len(named()) > 40
    known = {file: functions(file) for file in {file for file, _ in named()}}
    assert [f"{file}::{test}" for file, test in named() if test not in known[file]] == []


def test_every_attack_has_a_defence_and_a_test() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Attacks\n")[1].split("\n## ")[0]
    rows = [
        line
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith(("| attack", "| ---"))
    ]
    assert len(rows) > 30
    for row in rows:
        attack, defence, shown = (cell.strip() for cell in row.strip("|").split(" | "))
        assert attack
        assert defence
        assert "::test_" in shown, row
