"""Drafts of agreements for each thing a bank does together with others, to be filled in by a person."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from unseen.errors import MisuseError

_FOLDER: Final = "templates"


def names() -> list[str]:
    """The templates there are."""
    folder = files(__package__) / _FOLDER
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read(name: str) -> str:
    """A template's text, in YAML with comments. Raises MisuseError, naming those there are."""
    if name not in names():
        raise MisuseError(f"there is no template {name!r} (there are: {', '.join(names())})")
    return (files(__package__) / _FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
