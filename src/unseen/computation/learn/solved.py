"""Whether a shared matrix of normal equations determines its solution, told to all before anyone relies on it."""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.profile import Carries, Disclosure, Message, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, reveal
from unseen.errors import DataError

DISCLOSURE: Final = Disclosure(
    Role.EACH, "how far the columns are from collinear, as the inverse's error (one number)"
)


def messages(most: int) -> Message:
    """What telling it costs, for so many matrices at most."""
    return Message("reveal/unsolved", Carries.DISCLOSED, most_messages=most, most_bytes=24 * most)


def require_solved(matrix: Shared, inverted: Shared, most: float) -> None:
    """Reveal the sum of squares of matrix (k, k) times inverse less one. Raises DataError where it is not below
    `most`: a direction that the columns do not determine leaves one, and what overflowed anything.
    """
    left_over = arithmetic.rescale(matrix @ inverted - np.eye(matrix.shape[0]), 20)
    if not abs(float(reveal(arithmetic.square(left_over).sum(), "unsolved"))) < most:
        raise DataError(
            "the columns do not determine the coefficients: some are (nearly) sums of others, that is collinear; "
            "leave columns out, or set a penalty"
        )
