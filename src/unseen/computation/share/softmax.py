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
from unseen.computation.share.arithmetic import multiply
from unseen.computation.share.array import Shared, shared_zeros
from unseen.computation.share.boolean import where
from unseen.computation.share.elementary import reciprocal
from unseen.computation.share.exponential import LOW, exponential
from unseen.computation.share.extremes import LARGEST, maximum

SOFTMAX: Final = Profile(
    id="share/softmax",
    title="Softmax of shared scores along an axis",
    source="Keller and Sun, ICML 2022",
    failure="none; relative error below 2e-4, and two steps",
    rounds=lambda lines, width: 21 + (LARGEST.rounds(lines, width) if LARGEST.rounds else 0),
)


def softmax(scores: Shared, axis: int = -1, fraction: int = fixed.FRACTION) -> Shared:
    """e^x over the sum of e^x along an axis. 21 rounds and those of the maximum.

    For scores of any size that do not differ by more than 2^(62 - their fraction). Relative error below 2e-4, and
    two steps of the result; what lies more than 16 below the largest counts as 16 below. Up to 2^20 along an axis.
    """
    lined = scores._with(np.ascontiguousarray(np.moveaxis(scores.words, axis, -1)))
    width = lined.shape[-1]
    lowered = lined - scores._with(np.broadcast_to(maximum(lined).words[..., None], lined.shape))
    least = shared_zeros(scores.circle, lined.shape, scores.fraction) + LOW
    powers = exponential(where(lowered < LOW, least, lowered), LOW, 0.0, fraction)
    inverse = reciprocal(powers.sum(axis=-1), 0.99, 1.01 * width, 30)
    shares = multiply(powers, inverse.reshape(*inverse.shape, 1), fraction)
    return shares._with(np.moveaxis(shares.words, -1, axis))
