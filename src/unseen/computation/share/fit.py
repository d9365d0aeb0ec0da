"""Fits of functions by sums of others, with the largest error as small as it can be.

Source: Lawson's iteration (1961), reweighted least squares towards the uniform norm.
"""

from __future__ import annotations

import numpy as np

from unseen.computation.types import Real


def nearest_uniformly(basis: Real, target: Real, rcond: float) -> tuple[Real, float]:
    """The weights of the columns of `basis` (points, columns) that come nearest to `target`, and their error.

    Directions whose singular value is below `rcond` of the largest stay out: the points do not determine them,
    and they would only blow up the weights. Each step solves the normal equations: a few small products, where a
    full decomposition would take longer than a training step. `rcond` is 1e-6 or more.
    """
    weights, best, best_error = np.ones(len(target)), np.zeros(basis.shape[1]), np.inf
    for _ in range(60):
        weighted = basis * weights[:, None]
        values, vectors = np.linalg.eigh(weighted.T @ basis)
        kept = vectors[:, values > rcond**2 * values[-1]]
        candidate = kept @ ((kept.T @ (weighted.T @ target)) / values[values > rcond**2 * values[-1]])
        error = np.abs(basis @ candidate - target)
        if error.max() < best_error:
            best, best_error = candidate, float(error.max())
        weights *= error
        weights /= weights.mean()
    return np.asarray(best, dtype=np.float64), best_error
