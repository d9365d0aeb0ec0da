"""Fairness of decisions where neither the score nor the protected attribute may be shown.

Scores are shared, the protected group of each person is known to one party, the outcome to another. Approvals
are comparisons with a cut-off; counts by group are products of private and shared vectors. Only counts come out,
of groups that are large enough.

Measures: disparate impact, the least approval rate over the greatest (29 CFR 1607.4 D, "four-fifths rule"); equal
opportunity, the distance between approval rates among good cases (Hardt, Price, Srebro, NeurIPS 2016).
Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Who
learns what: the recipient the counts by group; the others nothing. Failure: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal_to
from unseen.computation.share.boolean import to_numbers
from unseen.computation.share.private import private_matrix
from unseen.computation.types import Index, Real
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/fairness",
    title="Approvals by protected group, neither scores nor groups shown",
    source="comparison on shares, then private matrix by shared vectors (SecureML, IEEE S&P 2017, section IV)",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "for each protected group of at least {smallest_group} persons: how many persons, how many approved, "
            "how many with a good outcome, and how many of these approved",
        ),
        Disclosure(Role.DEALER, "the number of persons and of groups"),
    ),
    messages=(Message("reveal/fairness", Carries.DISCLOSED, most_messages=1),),
)


@dataclass(frozen=True)
class Groups:
    """The protected attribute at its owner: `number` (n,) of each person's group, of `count` groups."""

    number: Index
    count: int


@dataclass(frozen=True)
class Fairness:
    """Counts by group (groups,): persons, approved, good outcomes, approved with a good outcome."""

    persons: Index
    approved: Index
    good: Index
    good_approved: Index

    @property
    def approval_rates(self) -> Real:
        """Share of approved persons by group."""
        return np.asarray(self.approved / self.persons)

    @property
    def disparate_impact(self) -> float:
        """The least approval rate over the greatest; below 0.8 is taken for adverse impact in US practice."""
        most = float(self.approval_rates.max())
        return float(self.approval_rates.min()) / most if most > 0 else 1.0

    @property
    def equal_opportunity(self) -> float:
        """The greatest distance between two groups' approval rates among persons with a good outcome."""
        rates = self.good_approved / np.maximum(self.good, 1)
        return float(rates.max() - rates.min())


def fairness(
    scores: Shared,
    cutoff: float,
    groups: Groups | None,
    group_count: int,
    owner: int,
    bad: Real | None,
    holder: int,
    recipient: str,
    smallest: int = 1,
) -> Fairness | None:
    """Approve shared scores (n,) of `cutoff` or more, and count by protected group; None but at `recipient`.

    `groups` at rank `owner`, None elsewhere; `bad` (n,) of 0 and 1 at rank `holder`, None elsewhere. Raises
    DataError at the owner for a group of fewer than `smallest` persons, before anything is sent.
    """
    circle, rows = scores.circle, scores.size
    members = _members(groups, group_count, rows, smallest) if circle.rank == owner else None
    approved = to_numbers(scores >= cutoff)
    good = from_owner(circle, holder, None if bad is None else 1.0 - np.asarray(bad), (rows,), 0)
    both = arithmetic.product(approved, good)
    table = private_matrix(circle, owner, members, (rows, group_count), 0)
    counted = table.transposed_times(_columns(approved, good, both))
    table.forget()
    persons = from_owner(circle, owner, None if members is None else members.sum(axis=0), (group_count,), 0)
    told = reveal_to(concatenate([persons.reshape(-1, 1), counted], axis=1), recipient, "fairness")
    if told is None:
        return None
    counts = np.rint(told).astype(np.int64)
    return Fairness(counts[:, 0], counts[:, 1], counts[:, 2], counts[:, 3])


def _columns(*vectors: Shared) -> Shared:
    circle: Circle = vectors[0].circle
    return Shared(circle, np.stack([vector.words for vector in vectors], axis=1), 0)


def _members(groups: Groups | None, count: int, rows: int, smallest: int) -> Real:
    """(rows, groups) of 0 and 1."""
    if groups is None or groups.number.shape != (rows,) or groups.count != count:
        raise MisuseError(
            f"the attribute's owner must bring a group number, below {count}, for each of {rows} rows"
        )
    if (groups.number < 0).any() or (groups.number >= count).any():
        raise DataError("a group number lies outside the groups")
    held = np.bincount(groups.number, minlength=count)
    if (held < smallest).any():
        raise DataError(f"a protected group has fewer than {smallest} persons; take it together with another")
    return np.asarray(np.eye(count)[groups.number])
