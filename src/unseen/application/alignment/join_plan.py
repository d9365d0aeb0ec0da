"""What a join adds to the plan of an alignment: its kind, its keys and their rules, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unseen.application import joint_keys
from unseen.application.alignment.request import AlignRequest
from unseen.computation.intersect.bucket_profile import JOINS
from unseen.computation.intersect.join import MOST_REPEATS
from unseen.computation.intersect.join_kind import PROFILES, Kind
from unseen.computation.profile import Role
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.plan import Plan, Step

KEYS: Final = "keys"
"""The plan's parameter: party → its key columns with their rules, COLUMN=RULE."""


def key_parameters(parties: Mapping[str, joint_keys.Keyed]) -> dict[str, Json]:
    """The rules that both sides must use, and each side's columns."""
    keys: Json = {
        name: [f"{column}={form}" for choice in side.choices for column, form in choice]
        for name, side in parties.items()
    }
    return {**joint_keys.as_parameters(parties), KEYS: keys}


def join_step(
    asked: AlignRequest, roles: Mapping[Role, tuple[str, ...]], facts: Mapping[str, str], buckets: int
) -> Step:
    """The step of the plan, with the profile of the kind of join, at once or in so many buckets."""
    told = {
        **facts,
        "keys": joint_keys.spoken(asked.parties),
        "most_repeats": f"{most_repeats(asked):,}",
        "left": left_of(asked),
        "buckets": f"{buckets:,}",
    }
    return Step(
        "join", (PROFILES if buckets == 1 else JOINS)[asked.kind], {**roles, Role.OWNER: (left_of(asked),)}, told
    )


def join_parameters(asked: AlignRequest) -> dict[str, Json]:
    """What an agreement may bound. Raises MisuseError for columns of a party that gets no rows."""
    if asked.kind is Kind.DIFFERENCE and any(
        side.columns for name, side in asked.parties.items() if name != asked.left
    ):
        raise MisuseError(f"only {asked.left} gets rows of a difference; the other side can take no columns home")
    return {"kind": asked.kind.value, "most_repeats": most_repeats(asked) if asked.joins else 1}


def left_of(asked: AlignRequest) -> str:
    """The party whose rows come first; in an inner join the first by name."""
    return asked.left or min(asked.parties)


def most_repeats(asked: AlignRequest) -> int:
    """How often a key may occur at one side."""
    return asked.most_repeats or MOST_REPEATS


def choices_of(plan: Plan) -> int:
    """How many keys are looked for, one after another."""
    rules = plan.parameters["key_normalisation"]
    return len(rules) if isinstance(rules, list) else 1
