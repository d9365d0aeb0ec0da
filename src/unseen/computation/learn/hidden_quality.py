"""How well scores separate bad from good where nobody may see a score: evaluation on shares.

Rows are sorted by score on shares. Good cases that score above a bad one are then counted by a sum of places
(Mann & Whitney 1947), and the distance of the two classes' distributions (Kolmogorov–Smirnov) is the largest of
whole numbers that are linear in counts: both measures come out exactly, ties included. Places within equal scores
count half: the rows are sorted twice, good ones first among equals and bad ones first.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Who
learns what: all, how many outcomes are bad; the recipient, the measures and the counts of the bands. Failure:
none. Cost: two sorts, and about 3·n comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.evaluate import Quality
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal_to
from unseen.computation.share.boolean import where
from unseen.computation.share.compare import zero
from unseen.computation.share.extremes import maximum
from unseen.computation.share.sort import sort_by
from unseen.computation.types import Real
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/hidden-quality",
    title="AUC, KS and bands of scores that nobody sees",
    source="Mann & Whitney 1947 and Kolmogorov–Smirnov on sorted shares; sorting as in share/sort",
    reveals=(
        Disclosure(Role.EACH, "how many of the evaluated outcomes are bad"),
        Disclosure(
            Role.RECIPIENT,
            "AUC, Gini, KS, Brier score and log-loss of the model, and for each of {bands} bands of equal size, "
            "ordered by score, how many outcomes are bad and how many the model expected",
        ),
        Disclosure(Role.DEALER, "the number of evaluated rows"),
    ),
    messages=(
        Message("quality/bad", Carries.DISCLOSED, most_messages=1, most_bytes=64),
        Message("reveal/quality", Carries.DISCLOSED, most_messages=1, most_bytes=256),
        Message("reveal/quality-brier", Carries.DISCLOSED, most_messages=1, most_bytes=64),
        Message("reveal/quality-loss", Carries.DISCLOSED, most_messages=1, most_bytes=64),
        Message("reveal/quality-bands", Carries.DISCLOSED, most_messages=1),
    ),
)
HIDDEN_AUC: Final = Profile(
    id="learn/hidden-auc",
    title="AUC of scores that nobody sees",
    source="Mann & Whitney 1947 on sorted shares",
    reveals=(
        Disclosure(
            Role.RECIPIENT, "how well {owner}'s own columns, weighed by the model, tell good from bad (AUC)"
        ),
        Disclosure(Role.DEALER, "the number of tested rows"),
    ),
    messages=(Message("reveal/auc", Carries.DISCLOSED),),
)

MOST_ROWS: Final = 1 << 30


@dataclass(frozen=True)
class HiddenBand:
    """A run of rows by score, lowest first: how many, how many bad, and how many the model expected to be bad."""

    rows: int
    bad: int
    expected: float


@dataclass(frozen=True)
class HiddenQuality:
    """`brier` is the mean squared distance of chance and outcome, `log_loss` the mean of the rows' losses, None
    where they were not given."""

    quality: Quality
    brier: float
    bands: tuple[HiddenBand, ...]
    log_loss: float | None = None


def hidden_quality(
    scores: Shared,
    chances: Shared,
    bad: Real | None,
    holder: int,
    recipient: str,
    bands: int = 10,
    losses: Shared | None = None,
) -> HiddenQuality | None:
    """Measure shared scores (n,), higher for better cases, and shared chances (n,) of a bad outcome.

    `losses` (n,), shared, are the rows' log-losses; `hidden_loss.chances_and_losses` gives chances and losses of
    log-odds. `bad` (n,) of 0 and 1 at rank `holder`, None elsewhere. The result is None but at `recipient`. Raises
    DataError unless both classes are there; all raise it. Rows of one score lie in a band by chance.
    """
    circle, rows = scores.circle, scores.size
    if scores.shape != (rows,) or chances.shape != (rows,) or not 1 <= bands <= rows or rows > MOST_ROWS:
        raise MisuseError("scores and chances must be vectors of one length, with a row a band at least")
    total = _total(circle, bad, holder)
    if not 0 < total < rows:
        raise DataError("evaluation needs good and bad outcomes among the rows")
    outcome = from_owner(circle, holder, bad, (rows,), 0)
    places, (first, score, chance) = both_orders(scores, outcome, [scores, chances])
    measured = concatenate([places, distance(score, first, total)])
    off = chances - Shared(circle, outcome.words << np.uint64(chances.fraction), chances.fraction)
    marks = rows * np.arange(1, bands + 1) // bands - 1
    told = reveal_to(measured, recipient, "quality")
    brier = reveal_to((off * off).sum().reshape(1), recipient, "quality-brier")
    running = Shared(circle, first.words << np.uint64(chance.fraction), chance.fraction).cumsum()
    table = concatenate([running[marks], chance.cumsum()[marks]])
    cumulative = reveal_to(table, recipient, "quality-bands")
    loss = None if losses is None else reveal_to(losses.sum().reshape(1), recipient, "quality-loss")
    if told is None or brier is None or cumulative is None:
        return None
    found = _read(told, float(brier[0]) / rows, cumulative.reshape(2, bands), marks, total)
    return found if loss is None else replace(found, log_loss=float(loss[0]) / rows)


def hidden_auc(scores: Shared, bad: Real | None, holder: int) -> float | None:
    """The chance that a good case has the higher of two shared scores (n,), told to rank `holder`, whose outcomes
    `bad` (n,) are; None elsewhere, and where all outcomes are alike. Nobody else learns anything."""
    circle, rows = scores.circle, scores.size
    outcome = from_owner(circle, holder, bad, scores.shape, 0)
    told = reveal_to(both_orders(scores, outcome)[0], circle.parties[holder], "auc")
    if told is None or bad is None:
        return None
    total = round(float(bad.sum()))
    return area(float(told[0]), total, rows - total) if 0 < total < rows else None


def both_orders(scores: Shared, outcome: Shared, beside: Sequence[Shared] = ()) -> tuple[Shared, list[Shared]]:
    """Rows sorted by score twice, outcomes of 0 first among equals and those of 1 first: the sum (1,) of the
    places of 1 in both orders, and outcomes and columns `beside` (n,) in the first."""
    twice = Shared(scores.circle, scores.words << np.uint64(1), 0)
    _, first, *others = sort_by(twice + outcome, [outcome, *beside])
    second = sort_by(twice - outcome, [outcome])[1]
    places = (first + second).times_integer(np.arange(1, scores.size + 1)).sum()
    return places.reshape(1), [first, *others]


def area(places: float, bad: int, good: int) -> float:
    """From the places of bad rows in both orders: half their sum, less the least that it can be, counts good
    rows below bad ones."""
    return 1.0 - (places / 2.0 - bad * (bad + 1) / 2.0) / (bad * good)


def _total(circle: Circle, bad: Real | None, holder: int) -> int:
    own = None if bad is None else np.array([round(float(bad.sum()))], dtype=np.int64)
    return int(circle.tell_all("quality/bad", holder, own, np.zeros(1, dtype=np.int64))[0])


def distance(score: Shared, bad: Shared, total: int) -> Shared:
    """Of rows in order of score, the largest |c_i·n - (i+1)·total| over the last rows of equal scores, c the
    running count of bad rows: (1,).

    Divided by total·(n - total) it is the distance of the two distributions.
    """
    rows = bad.size
    gap = bad.cumsum().times_integer(rows) - np.arange(1, rows + 1, dtype=np.float64) * total
    inner = gap[:-1]
    same = zero(score[1:] - score[:-1])
    nothing = Shared(gap.circle, np.zeros(rows - 1, dtype=np.uint64), 0)
    ends = where(same, nothing, inner)
    return maximum(concatenate([ends, -ends, nothing[:1]])).reshape(1)


def _read(told: Real, brier: float, cumulative: Real, marks: np.ndarray, total: int) -> HiddenQuality:
    rows = int(marks[-1]) + 1
    good = rows - total
    auc = area(float(told[0]), total, good)
    counts, expected = np.diff(cumulative, axis=1, prepend=0.0)
    sizes = np.diff(marks, prepend=-1)
    found = tuple(
        HiddenBand(int(size), round(float(b)), float(e))
        for size, b, e in zip(sizes, counts, expected, strict=True)
    )
    return HiddenQuality(Quality(auc, float(told[1]) / (total * good), 2.0 * auc - 1.0), brier, found)
