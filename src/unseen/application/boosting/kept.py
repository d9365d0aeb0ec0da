"""What a party keeps of the rows that trees were fitted to, so that later rows can be held against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unseen.application.evaluation.reference import Reference
from unseen.encoding import Json


@dataclass(frozen=True, eq=False)
class Kept:
    """How many rows lay in each bin of the own columns, the bands of the rows' scores, and at the label's party
    the mean of the numbers that the trees were fitted about."""

    counts: Mapping[str, Json] = field(default_factory=dict)
    reference: Reference | None = None
    centre: float = 0.0
