"""What a preparation, and the one run on it, add to the plan of an alignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from unseen.application.alignment.request import AlignRequest, Way
from unseen.computation.intersect.prepared import FOR_BOTH, FOR_SMALL, PREPARATION
from unseen.computation.intersect.prepared_state import MOST_CAPACITY
from unseen.computation.profile import Role
from unseen.errors import MisuseError
from unseen.interaction.plan import Plan, Step

WAY: Final = "way"
"""The plan's parameter that an agreement may bound: at-once, preparation or prepared."""

Roles = Mapping[Role, tuple[str, ...]]


def preparation_step(asked: AlignRequest, roles: Roles) -> Step:
    """The larger side's list is prepared for the smaller side's declared size.

    Raises MisuseError where the smaller side declares too many, or none is the larger.
    """
    _require_small(asked)
    facts = {"large": asked.large, "small": asked.small}
    return Step("prepare", PREPARATION, roles, facts)


def prepared_step(asked: AlignRequest, receiving: Sequence[str], roles: Roles, facts: Mapping[str, str]) -> Step:
    """The run on a preparation. Raises MisuseError where the larger side alone would receive."""
    _require_small(asked)
    if asked.small not in receiving:
        raise MisuseError(
            f"with a prepared list {asked.small} finds the common customers, and it is no recipient here;"
            " align at once, without `prepared`"
        )
    profile = FOR_BOTH if len(receiving) > 1 else FOR_SMALL
    return Step("align", profile, {**roles, Role.OWNER: (asked.small,)}, facts)


def seconds_and_bytes(plan: Plan, small: int, large: int) -> tuple[float, int] | None:
    """Measured rates on two cores of 2026; None for an alignment in one job."""
    way = plan.parameters.get(WAY)
    if way == Way.PREPARATION.value:
        return 0.3 + 0.65e-6 * large, 10 * large + 35 * small
    if way == Way.PREPARED.value:
        return 0.1 + 3e-6 * small, 37 * small
    return None


def _require_small(asked: AlignRequest) -> None:
    small, large = asked.parties[asked.small].rows, asked.parties[asked.large].rows
    if small == large or small > MOST_CAPACITY:
        raise MisuseError(
            f"what is prepared is a large list for a small one of at most {MOST_CAPACITY:,}; the request declares"
            f" {large:,} and {small:,}"
        )
