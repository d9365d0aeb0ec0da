"""Applications are named parts: each is there, takes what the node gives it, and is imported when it is used."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pkgutil import resolve_name

import pytest

from unseen.application.lazy import PARTS, Lazy
from unseen.interaction.application import installed

OURS = {name: found for name, found in installed().items() if isinstance(found, Lazy)}


@pytest.mark.parametrize("name", list(OURS))
def test_every_part_takes_what_it_is_called_with_and_gives_what_is_expected(name: str) -> None:
    assert OURS[name].name == name
    for part, expected in PARTS.items():
        path = getattr(OURS[name], part)
        if part == "estimator" and not path:
            continue
        ours, asked = inspect.signature(resolve_name(path)), inspect.signature(expected.__call__)
        wanted = [(one.name, one.annotation) for one in list(asked.parameters.values())[1:]]
        assert [(one.name, one.annotation) for one in ours.parameters.values()] == wanted, path


def test_finding_all_applications_imports_no_part_of_them() -> None:
    program = (
        "import sys; from unseen.interaction.application import installed; found = installed();"
        "parts = {getattr(one, part, '').split(':')[0] for one in found.values() for part in "
        "('planner', 'performer', 'presenter', 'estimator')};"
        "print(len(found), sorted(parts & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == f"{len(installed())} []"
