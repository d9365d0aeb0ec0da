"""The manual says what the code declares: every command, setting and error code."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.cli.manual import TABLES

PAGE = Path(__file__).parents[3] / "docs" / "command-line.md"


@pytest.mark.parametrize("name", TABLES)
def test_the_manual_is_up_to_date(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    written = text.partition(f"<!-- {name}:begin -->")[2].partition(f"<!-- {name}:end -->")[0].strip()
    assert written == TABLES[name](), "run: python -m unseen.cli.manual docs/command-line.md"
