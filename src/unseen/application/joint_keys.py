"""By which keys the parties of a joint model, or of an alignment, meet: in the request, in the plan.

One key column by its rule, or `keys`: lists of COLUMN=RULE in order of preference, as in `unseen run align`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field, model_validator

from unseen.application import joint_rows
from unseen.application.declared import Rows
from unseen.application.request import Strict
from unseen.computation.intersect.join_kind import MOST_CHOICES
from unseen.computation.profile import Profile
from unseen.data.catalogue import Use
from unseen.data.key_rules import KeyForm, Rule, form_of, parse_key, require_same
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.plan import ColumnUse

Choices = tuple[tuple[tuple[str, KeyForm], ...], ...]
"""Of each key in order of preference, the columns and how they are written."""
Unfit = Annotated[float, Field(ge=0, le=1)]
"""The share of rows whose key may be empty, repeated or malformed, each; they are left out."""


class Keyed(Protocol):
    """What is joined at one party, and by which keys."""

    @property
    def dataset(self) -> str: ...

    @property
    def choices(self) -> Choices: ...


class KeyedSide(Strict):
    """One party's data set and key: `key` by its `rule`, or `keys` in order of preference.

    `rows` is how many rows it offers at most; it may be left out where the agreement does not limit them.
    """

    dataset: str
    key: str = ""
    rule: str = Rule.KEY.value
    keys: Annotated[tuple[tuple[str, ...], ...], Field(max_length=MOST_CHOICES)] = ()
    rows: Rows | None = None

    @property
    def form(self) -> KeyForm:
        """How the key column is written, where there is one."""
        return form_of(self.rule)

    @property
    def choices(self) -> Choices:
        """Of each key in order of preference, the columns and how they are written."""
        if self.keys:
            return tuple(tuple(map(parse_key, choice)) for choice in self.keys)
        return (((self.key, self.form),),)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """All columns of all keys, each once."""
        return columns_of(self)

    @model_validator(mode="after")
    def _keys_fit(self) -> KeyedSide:
        if bool(self.key) == bool(self.keys) or not all(self.keys) or (self.keys and self.rule != Rule.KEY):
            raise ValueError("name either a key column, or keys: lists of COLUMN=RULE in order of preference")
        return self


def columns_of(side: Keyed) -> tuple[str, ...]:
    """All columns of all keys, each once."""
    return tuple(dict.fromkeys(column for choice in side.choices for column, _ in choice))


def require_alike(parties: Mapping[str, Keyed]) -> None:
    """Raises MisuseError unless all parties' keys have the same parts by the same rules."""
    choices = {name: side.choices for name, side in parties.items()}
    if len({tuple(map(len, of)) for of in choices.values()}) > 1:
        raise MisuseError("the parties' keys differ in their number or in their numbers of columns")
    for number, choice in enumerate(next(iter(choices.values()))):
        for part in range(len(choice)):
            require_same({name: of[number][part][1] for name, of in choices.items()})


def as_parameters(parties: Mapping[str, Keyed]) -> dict[str, Json]:
    """The rules that all use; see `require_alike`."""
    choices = next(iter(parties.values())).choices
    rules: list[Json] = [[str(form.rule) for _, form in choice] for choice in choices]
    single = len(choices) == len(choices[0]) == 1
    return {"key_normalisation": str(choices[0][0][1].rule) if single else rules}


def uses(name: str, side: Keyed) -> tuple[ColumnUse, ...]:
    """The key columns, to join by."""
    return tuple(ColumnUse(name, side.dataset, column, Use.JOIN) for column in columns_of(side))


def spoken(parties: Mapping[str, Keyed]) -> str:
    """`bank tax = insurer number, else bank phone = insurer telephone and bank born = insurer birthday`."""
    names = sorted(parties)
    choices: Any = zip(*(parties[name].choices for name in names), strict=True)
    said = [
        " and ".join(
            " = ".join(f"{name} {column}" for name, (column, _) in zip(names, part, strict=True))
            for part in zip(*choice, strict=True)
        )
        for choice in choices
    ]
    return ", else ".join(said)


def alignment(parties: Mapping[str, Keyed], computing: tuple[str, ...]) -> tuple[Profile, dict[str, str]]:
    """The profile of what meeting tells each, and the facts that its sentences leave open."""
    if all(len(side.choices) == 1 for side in parties.values()):
        return joint_rows.profile(computing), {}
    facts = {"keys": spoken(parties), "most_repeats": "1", "left": min(parties)}
    return joint_rows.profile_in_turn(computing), facts
