"""A command as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command: its words, the function behind it, one sentence, and an example that a person could type."""

    words: str
    function: str
    summary: str
    example: str
