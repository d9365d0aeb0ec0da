"""How many rows each party offers to an alignment at most: from the request into the plan, then into the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from unseen.computation.intersect.align import MOST_KEYS, Declared
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.declared import DECLARED, declared
from unseen.interaction.plan import Plan

Rows = Annotated[int, Field(ge=1, le=MOST_KEYS)]
"""A number of rows in a request."""


def as_parameter(rows: Mapping[str, int | None]) -> dict[str, Json]:
    """The plan's parameter; none where nobody declares. Raises MisuseError where only some do."""
    if silent := sorted(name for name, count in rows.items() if count is None):
        if len(silent) == len(rows):
            return {}
        raise MisuseError(f"the request says how many rows some parties offer, and not for {', '.join(silent)}")
    return {DECLARED: dict(rows)}


def sizes(plan: Plan, party: str) -> Declared | None:
    """What a plan of two parties declares of this party and of the other; None where it declares nothing."""
    said = declared(plan)
    if not said:
        return None
    (theirs,) = (count for name, count in said.items() if name != party)
    return Declared(said[party], theirs)
