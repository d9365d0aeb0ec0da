"""Small linear algebra on shares: the inverse of a symmetric positive definite matrix.

Source: Schulz 1933; Newton's iteration V <- V(2I - MV) converges for 0 < V0·M < 2, quadratically, and needs
products only.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.share.arithmetic import matrix_product, rescale
from unseen.computation.share.array import Shared

INVERSE_FRACTION: Final = 26
"""Fractional bits within the iteration: entries of the inverse up to 2^9 keep products below 2^62."""


def inverse(matrix: Shared, norm: float, steps: int = 24) -> Shared:
    """The inverse of a shared symmetric positive definite (k, k) matrix with eigenvalues in (0, norm].

    `norm` is public, for example k where the diagonal is one. After s steps the direction of eigenvalue e is
    inverted up to the factor (1 - e/norm)^(2^s): with 24 steps all e > 1e-6·norm are done. What is smaller
    comes out damped, never wild. Entries must stay below 2^9. Rounds: 4 a step.
    """
    k = matrix.shape[0]
    m = rescale(matrix, INVERSE_FRACTION)
    identity = np.eye(k)
    v = m.times_integer(0) + identity / norm
    for _ in range(steps):
        mv = rescale(matrix_product(m, v), INVERSE_FRACTION)
        v = rescale(matrix_product(v, 2.0 * identity - mv), INVERSE_FRACTION)
    return v
