"""Whether decisions by a model of outcomes treat protected groups alike, where the attribute's owner keeps it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from pydantic import Field

from unseen.application.derivation import smallest_group
from unseen.application.request import Strict
from unseen.computation.learn import fairness as protocol
from unseen.computation.learn.binning import level_bins, pooled
from unseen.computation.learn.fairness import Fairness as Counts
from unseen.computation.learn.fairness import Groups
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared
from unseen.computation.types import Index, Real
from unseen.encoding import Json, canonical, parse_json
from unseen.errors import DataError, MisuseError, ProtocolError
from unseen.interaction.application import Run

OUTPUT: Final = "fairness"
"""What the label's party receives, by the name that an agreement's `recipients` use."""
NAMES: Final = Profile(
    id="models/groups",
    title="Names of the protected groups",
    source="told by their owner",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "what {group_owner} calls the groups of its protected column, of {smallest_group} or more",
        ),
        Disclosure(Role.EACH, "how many groups {group_owner}'s protected column has"),
    ),
    messages=(Message("fairness/groups", Carries.DISCLOSED, most_messages=1),),
)
PROFILES: Final = (NAMES, protocol.PROFILE)
MOST_GROUPS: Final = 20
NAMES_LIMIT: Final = 1 << 14
NAME_LENGTH: Final = 60


class Fairness(Strict):
    """Whose column says who belongs to which group, and who is approved: those whose chance of the outcome is at
    most `most_bad`."""

    party: str
    column: str
    most_bad: float = Field(default=0.2, gt=0, lt=1)


def facts(asked: Fairness | None, smallest: int) -> dict[str, str]:
    """What the profiles' sentences leave open."""
    return {"smallest_group": str(smallest), "group_owner": asked.party if asked else ""}


def judge(
    run: Run, asked: Fairness | None, table: pa.Table, odds: Shared, label: Real | None, holder: int
) -> dict[str, Json]:
    """Approve by shared log-odds (n,) of the outcome, and count by group, if that is asked; everyone takes part.

    `table` are this party's rows in the same order, `label` (n,) known at rank `holder`, who gets the counts.
    Raises DataError at the attribute's owner where there are not two groups that are large enough.
    """
    if asked is None:
        return {}
    owner = run.circle.rank_of(asked.party)
    smallest = smallest_group(run.plan)
    groups, names = None, list[str]()
    if run.circle.rank == owner:
        numbers, names = grouped(table, asked.column, smallest)
        groups = Groups(numbers, len(names))
    names = _agreed_names(run, owner, holder, names)
    cutoff = -float(np.log(asked.most_bad / (1.0 - asked.most_bad)))
    recipient = run.circle.parties[holder]
    found = protocol.fairness(-odds, cutoff, groups, len(names), owner, label, holder, recipient, smallest)
    return {} if found is None else {"fairness": _as_json(asked, names, found)}


def grouped(table: pa.Table, name: str, smallest: int) -> tuple[Index, list[str]]:
    """Each row's group and the groups' names; what is too rare goes with the largest."""
    texts = np.array(table[name].cast(pa.string()).to_pylist(), dtype=object)
    levels = level_bins(texts, smallest)
    numbers = levels.index(texts)
    joined = pooled(np.bincount(numbers, minlength=len(levels.labels)), smallest)[numbers]
    kept, places = np.unique(joined, return_inverse=True)
    if not 2 <= len(kept) <= MOST_GROUPS:
        raise DataError(
            f"column {name!r} has {len(kept)} groups of {smallest} persons or more; fairness needs 2 to "
            f"{MOST_GROUPS}"
        )
    return places.astype(np.int64), [levels.labels[place][:NAME_LENGTH] for place in kept]


def _agreed_names(run: Run, owner: int, holder: int, names: list[str]) -> list[str]:
    """The owner tells the label's party what the groups are called, and the others how many there are."""
    circle = run.circle
    if circle.rank == owner:
        for rank in range(circle.size):
            if rank != owner:
                told = names if rank == holder else [""] * len(names)
                circle.channel(rank).send_bytes("fairness/groups", canonical(told))
        return names
    channel = circle.channel(owner)
    try:
        heard = parse_json(channel.receive_bytes("fairness/groups", NAMES_LIMIT))
    except MisuseError as error:
        raise ProtocolError(channel.peer, "sent names of groups that cannot be read") from error
    if not isinstance(heard, list) or not 2 <= len(heard) <= MOST_GROUPS:
        raise ProtocolError(channel.peer, f"has fewer than 2 or more than {MOST_GROUPS} groups")
    return [str(name)[:NAME_LENGTH] for name in heard]


def _as_json(asked: Fairness, names: list[str], found: Counts) -> Json:
    rates = found.approval_rates.tolist()
    return {
        "party": asked.party,
        "column": asked.column,
        "most_bad": asked.most_bad,
        "disparate_impact": found.disparate_impact,
        "equal_opportunity": found.equal_opportunity,
        "groups": [
            {
                "name": name,
                "persons": int(found.persons[place]),
                "approved": int(found.approved[place]),
                "good": int(found.good[place]),
                "good_approved": int(found.good_approved[place]),
                "approval_rate": rates[place],
            }
            for place, name in enumerate(names)
        ],
    }
