"""Real numbers to ring elements in one pass over memory.

Oracle: NumPy's rint of the scaled values, as int64.
"""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Real, Words


@kernel
def scale_up(values: Real, scale: float, bound: float, out: Words) -> bool:
    """out = round(values*scale); whether all magnitudes are below `bound`, which NaN is not."""
    within = True
    for i in range(values.shape[0]):
        value = values[i]
        within &= abs(value) < bound
        out[i] = np.int64(np.rint(value * scale))
    return within
