"""What a join adds to the plan of an alignment: its kind, its keys and their rules, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from unseen.application.alignment.request import AlignRequest, Side
from unseen.computation.intersect.bucket_profile import JOINS
from unseen.computation.intersect.join import MOST_REPEATS
from unseen.computation.intersect.join_kind import PROFILES, Kind
from unseen.computation.profile import Role
from unseen.data.key_rules import require_same
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.plan import Plan, Step

KEYS: Final = "keys"
"""The plan's parameter: party → its key columns with their rules, COLUMN=RULE."""


def require_alike(parties: Mapping[str, Side]) -> None:
    """Raises MisuseError unless all parties' keys have the same parts under the same rules."""
    choices = {name: side.choices for name, side in parties.items()}
    if len({tuple(map(len, of)) for of in choices.values()}) > 1:
        raise MisuseError("the parties' keys differ in their number or in their numbers of columns")
    for number, choice in enumerate(next(iter(choices.values()))):
        for part in range(len(choice)):
            require_same({name: of[number][part][1] for name, of in choices.items()})


def key_parameters(parties: Mapping[str, Side]) -> dict[str, Json]:
    """The rules that both sides must use, and each side's columns."""
    choices = next(iter(parties.values())).choices
    rules: list[Json] = [[str(form.rule) for _, form in choice] for choice in choices]
    keys: Json = {
        name: [f"{column}={form}" for choice in side.choices for column, form in choice]
        for name, side in parties.items()
    }
    single = len(choices) == len(choices[0]) == 1
    return {"key_normalisation": str(choices[0][0][1].rule) if single else rules, KEYS: keys}


def join_step(
    asked: AlignRequest, roles: Mapping[Role, tuple[str, ...]], facts: Mapping[str, str], buckets: int
) -> Step:
    """The step of the plan, with the profile of the kind of join, at once or in so many buckets."""
    told = {
        **facts,
        "keys": _spoken(asked),
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


def _spoken(asked: AlignRequest) -> str:
    """`bank tax = insurer number, else bank phone = insurer telephone and bank born = insurer birthday`."""
    names = sorted(asked.parties)
    both: Any = zip(*(asked.parties[name].choices for name in names), strict=True)
    spoken = [
        " and ".join(
            " = ".join(f"{name} {column}" for name, (column, _) in zip(names, part, strict=True))
            for part in zip(*choice, strict=True)
        )
        for choice in both
    ]
    return ", else ".join(spoken)
