"""By which keys the parties of a joint model meet: in the request, and in the plan.

One key column by its rule, or `keys`: lists of COLUMN=RULE in order of preference, as in `unseen run align`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unseen.application import joint_rows
from unseen.application.declared import Rows
from unseen.computation.intersect.join_kind import MOST_CHOICES, PROFILES, Kind
from unseen.computation.profile import Profile
from unseen.data.catalogue import Use
from unseen.data.key_rules import KeyForm, Rule, form_of, parse_key, require_same
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.plan import ColumnUse

Unfit = Annotated[float, Field(ge=0, le=1)]
"""The share of rows whose key may be empty, repeated or malformed, each; they are left out."""


class KeyedSide(BaseModel):
    """One party's data set and key: `key` by its `rule`, or `keys` in order of preference.

    `rows` is how many rows it offers at most; it may be left out where the agreement does not limit them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    key: str = ""
    rule: str = Rule.KEY.value
    keys: Annotated[tuple[tuple[str, ...], ...], Field(max_length=MOST_CHOICES)] = ()
    rows: Rows | None = None

    @property
    def choices(self) -> tuple[tuple[tuple[str, KeyForm], ...], ...]:
        """Of each key in order of preference, the columns and how they are written."""
        if self.keys:
            return tuple(tuple(map(parse_key, choice)) for choice in self.keys)
        return (((self.key, form_of(self.rule)),),)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """All columns of all keys, each once."""
        return tuple(dict.fromkeys(column for choice in self.choices for column, _ in choice))

    @model_validator(mode="after")
    def _keys_fit(self) -> KeyedSide:
        if bool(self.key) == bool(self.keys) or not all(self.keys) or (self.keys and self.rule != Rule.KEY):
            raise ValueError("name either a key column, or keys: lists of COLUMN=RULE in order of preference")
        return self


def require_alike(parties: Mapping[str, KeyedSide]) -> None:
    """Raises MisuseError unless all keys have the same parts by the same rules, and more than one key in order of
    preference only between two parties."""
    choices = {name: side.choices for name, side in parties.items()}
    if len({tuple(map(len, of)) for of in choices.values()}) > 1:
        raise MisuseError("the parties' keys differ in their number or in their numbers of columns")
    first = next(iter(choices.values()))
    if len(first) > 1 and len(parties) > 2:
        raise MisuseError("three parties and more meet by one key, of one column or several; name one")
    for number, choice in enumerate(first):
        for part in range(len(choice)):
            require_same({name: of[number][part][1] for name, of in choices.items()})


def as_parameters(parties: Mapping[str, KeyedSide]) -> dict[str, Json]:
    """The rules that all use; see `require_alike`."""
    choices = next(iter(parties.values())).choices
    rules: list[Json] = [[str(form.rule) for _, form in choice] for choice in choices]
    single = len(choices) == len(choices[0]) == 1
    return {"key_normalisation": str(choices[0][0][1].rule) if single else rules}


def uses(name: str, side: KeyedSide) -> list[ColumnUse]:
    """The key columns, to join by."""
    return [ColumnUse(name, side.dataset, column, Use.JOIN) for column in side.key_columns]


def alignment(parties: Mapping[str, KeyedSide], computing: tuple[str, ...]) -> tuple[Profile, dict[str, str]]:
    """The profile of what meeting tells each, and the facts that its sentences leave open."""
    if all(len(side.choices) == 1 for side in parties.values()):
        return joint_rows.profile(computing), {}
    names = sorted(parties)
    both: Any = zip(*(parties[name].choices for name in names), strict=True)
    spoken = [
        " and ".join(
            " = ".join(f"{name} {column}" for name, (column, _) in zip(names, part, strict=True))
            for part in zip(*choice, strict=True)
        )
        for choice in both
    ]
    return PROFILES[Kind.INNER], {"keys": ", else ".join(spoken), "most_repeats": "1", "left": names[0]}
