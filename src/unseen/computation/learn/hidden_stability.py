"""Whether a population has moved away from the one that a model was fitted to, where nobody may see a score.

The scores of the first population give edges, its own quantiles, which stay shared; scores of either population
are held against them, and how many fall between two edges is told to the recipient: the population stability index
follows (`measures.shift`). Edges may be kept, each party its share, and serve a later population.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Who
learns what: see PROFILE. Failure: none. Cost: ranks of the first population once (about 4·n comparisons), then as
many comparisons a row as there are edges.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.learn.measures import band_marks
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, reveal_to
from unseen.computation.share.boolean import popcount
from unseen.computation.share.compare import negative
from unseen.computation.share.sort import order_statistics
from unseen.computation.types import Index
from unseen.errors import MisuseError

PROFILE: Final = Profile(
    id="learn/hidden-stability",
    title="Stability of a population by scores that nobody sees",
    source="quantiles by ranks as in share/order-statistics; comparison as in share/comparison",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "how many rows of the first and of the second population score between the quantiles of the first, "
            "{bands} bands in all",
        ),
        Disclosure(Role.DEALER, "the numbers of rows of both populations"),
    ),
    messages=(Message("reveal/stability", Carries.DISCLOSED, most_messages=2, most_bytes=256),),
)
AT_ONCE: Final = 1 << 20
"""Comparisons at a time."""


def score_edges(scores: Shared, smallest: int = 1) -> Shared:
    """The scores of (n,) that part the rows into up to ten bands of at least `smallest`: (bands - 1,), shared."""
    marks = band_marks(scores.size, smallest)
    return order_statistics(scores, (marks[:-1] + 1).tolist())


def counts_between(edges: Shared, scores: Shared, recipient: str) -> Index | None:
    """How many of scores (n,) lie between edges (k,), each edge in the upper band: (k + 1,) to `recipient`."""
    if edges.fraction != scores.fraction or scores.shape != (scores.size,) or edges.shape != (edges.size,):
        raise MisuseError("scores and edges must be vectors of the same precision")
    if not edges.size:
        return np.array([scores.size]) if scores.circle.me == recipient else None
    circle, step = scores.circle, max(1, AT_ONCE // edges.size)
    below = Shared(circle, np.zeros(edges.size, dtype=np.uint64), 0)
    for start in range(0, scores.size, step):
        part = scores[start : start + step]
        apart = np.subtract(part.words[None, :], edges.words[:, None])
        below = below + popcount(negative(Shared(circle, apart, scores.fraction)), axis=1)
    told = reveal_to(below, recipient, "stability")
    return None if told is None else np.diff(np.r_[0, np.rint(told).astype(np.int64), scores.size])
