"""Softmax of shared scores along an axis.

Source: the textbook's stable form, scores less their largest, as in Keller and Sun, ICML 2022 (eprint 2022/933),
appendix; the exponential and the reciprocal as in `share.exponential` and `share.elementary`. Setting: any number
of semi-honest parties, all but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.arithmetic import MULTIPLICATION, multiply
from unseen.computation.share.array import Shared, shared_zeros
from unseen.computation.share.boolean import WHERE, where
from unseen.computation.share.compare import COMPARISON
from unseen.computation.share.elementary import RECIPROCAL, reciprocal
from unseen.computation.share.exponential import EXPONENTIAL, LOW, exponential
from unseen.computation.share.extremes import LARGEST, maximum
from unseen.computation.share.normalise import span


def _sums(width: int) -> tuple[float, float]:
    """What the sum of so many powers lies between, the largest of them being one."""
    return 0.99, 1.01 * width


def _parts(lines: int, width: int) -> list[tuple[Profile, tuple[int, ...]]]:
    """What a softmax is made of, and the sizes of each."""
    reach, each = span(*_sums(width)), (lines * width,)
    return [
        (LARGEST, (lines, width)),
        *((profile, each) for profile in (COMPARISON, WHERE, EXPONENTIAL, MULTIPLICATION)),
        (RECIPROCAL, (lines, reach.powers, reach.lane == 64)),
    ]


SOFTMAX: Final = Profile(
    id="share/softmax",
    title="Softmax of shared scores along an axis",
    source="Keller and Sun, ICML 2022",
    failure="none; relative error below 2.5e-4, and three steps",
    rounds=lambda lines, width: sum(part.rounds(*sizes) for part, sizes in _parts(lines, width) if part.rounds),
    bytes_sent=lambda lines, width, parties: sum(
        part.bytes_sent(*sizes, parties) for part, sizes in _parts(lines, width) if part.bytes_sent
    ),
)


def softmax(scores: Shared, axis: int = -1, fraction: int = fixed.FRACTION) -> Shared:
    """e^x over the sum of e^x along an axis. 21 rounds and those of the maximum.

    For scores of any size that do not differ by more than 2^(62 - their fraction). Relative error below 2.5e-4
    (and √n·2^-22 for n values along the axis), and three steps of the result; what lies more than 16 below the
    largest counts as 16 below. Up to 2^20 along an axis.
    """
    lined = scores._with(np.ascontiguousarray(np.moveaxis(scores.words, axis, -1)))
    width = lined.shape[-1]
    lowered = lined - scores._with(np.broadcast_to(maximum(lined).words[..., None], lined.shape))
    least = shared_zeros(scores.circle, lined.shape, scores.fraction) + LOW
    powers = exponential(where(lowered < LOW, least, lowered), LOW, 0.0, fraction)
    inverse = reciprocal(powers.sum(axis=-1), *_sums(width), 30)
    shares = multiply(powers, inverse.reshape(*inverse.shape, 1), fraction)
    return shares._with(np.moveaxis(shares.words, -1, axis))
