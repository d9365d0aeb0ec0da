"""Whether decisions by the model treat protected groups alike, where the attribute's owner keeps it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from unseen.application.credit.sides import Standing
from unseen.application.evaluation.equity import Fairness
from unseen.computation.learn.binning import level_bins, pooled
from unseen.computation.learn.fairness import Groups, fairness
from unseen.computation.share.array import Shared
from unseen.computation.types import Index, Real
from unseen.encoding import Json, canonical, parse_json
from unseen.errors import DataError, MisuseError, ProtocolError

MOST_GROUPS = 20
NAMES_LIMIT = 1 << 14
NAME_LENGTH = 60
_NAMES = "credit/groups"


def judge(
    here: Standing, asked: Fairness, table: pa.Table, bad_odds: Shared, bad: Real | None
) -> Mapping[str, Json] | None:
    """Approve who is bad with a chance of at most `asked.most_bad`; count by group, at the label's holder.

    `bad_odds` (n,) are the shared log-odds of a bad outcome; `table` this party's own rows in the same order.
    Raises DataError at the attribute's owner where there are not two groups that are large enough.
    """
    owning = here.run.party == asked.party
    groups, names = _grouped(here, asked, table) if owning else (None, [])
    names = _agreed_names(here, asked, names)
    cutoff = -float(np.log(asked.most_bad / (1.0 - asked.most_bad)))
    rank, holder = here.circle.rank_of(asked.party), here.circle.rank_of(here.holder)
    found = fairness(
        -bad_odds,
        cutoff,
        None if groups is None else Groups(groups, len(names)),
        len(names),
        rank,
        bad,
        holder,
        here.holder,
        here.group,
    )
    if found is None:
        return None
    rates = found.approval_rates.tolist()
    return {
        "party": asked.party,
        "column": asked.column,
        "most_bad": asked.most_bad,
        "disparate_impact": round(found.disparate_impact, 6),
        "equal_opportunity": round(found.equal_opportunity, 6),
        "groups": [
            {
                "name": name,
                "persons": int(found.persons[place]),
                "approved": int(found.approved[place]),
                "good": int(found.good[place]),
                "good_approved": int(found.good_approved[place]),
                "approval_rate": round(rates[place], 6),
            }
            for place, name in enumerate(names)
        ],
    }


def _grouped(here: Standing, asked: Fairness, table: pa.Table) -> tuple[Index, list[str]]:
    """Each row's group and the groups' names; what is too rare goes with the largest."""
    texts = np.array(table[asked.column].cast(pa.string()).to_pylist(), dtype=object)
    levels = level_bins(texts, max(here.group, 1))
    numbers = levels.index(texts)
    joined = pooled(np.bincount(numbers, minlength=len(levels.labels)), here.group)[numbers]
    kept, places = np.unique(joined, return_inverse=True)
    if not 2 <= len(kept) <= MOST_GROUPS:
        raise DataError(
            f"column {asked.column!r} has {len(kept)} groups of {here.group} persons or more; fairness needs 2 to "
            f"{MOST_GROUPS}"
        )
    return places.astype(np.int64), [levels.labels[place][:NAME_LENGTH] for place in kept]


def _agreed_names(here: Standing, asked: Fairness, names: list[str]) -> list[str]:
    """The owner tells the label's holder what the groups are called, and the others how many there are."""
    if here.run.party == asked.party:
        for party in here.circle.parties:
            if party != asked.party:
                said = names if party == here.holder else [""] * len(names)
                here.to(party).send_bytes(_NAMES, canonical(said))
        return names
    owner = here.to(asked.party)
    try:
        heard = parse_json(owner.receive_bytes(_NAMES, NAMES_LIMIT))
    except MisuseError as error:
        raise ProtocolError(owner.peer, "sent names of groups that cannot be read") from error
    if not isinstance(heard, list) or not 2 <= len(heard) <= MOST_GROUPS:
        raise ProtocolError(owner.peer, f"has fewer than 2 or more than {MOST_GROUPS} groups")
    return [str(name)[:NAME_LENGTH] for name in heard]
