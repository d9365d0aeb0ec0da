"""Correlations of several parties' columns and variance inflation factors: how far columns repeat each other.

With R the correlation matrix, the variance inflation factor of column j is (R⁻¹)_jj = 1 / (1 - R²_j), where R²_j
is the share of its variance that the other columns explain. A tiny ridge r keeps collinear columns from running
away; what it costs is put back to first order,

    R⁻¹ ≈ V + r V²,     V = (R + r)⁻¹

so that factors up to 1,000 are right to a percent, and what is beyond is told as large.

Source: Belsley, Kuh, Welsch, Regression Diagnostics (1980), chapter 3. Setting: as in `share.private`; both
results are shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.columns import Block, enter_columns
from unseen.computation.learn.normal import diagonal, normal_matrix
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared
from unseen.computation.share.linear import inverse

PROFILE: Final = Profile(
    id="learn/collinearity",
    title="Correlation matrix and variance inflation factors",
    source="Belsley, Kuh, Welsch, Regression Diagnostics (1980)",
    reveals=(
        Disclosure(Role.EACH, "the order of magnitude (a power of two) of each column's spread"),
        Disclosure(Role.DEALER, "the numbers of rows and of columns"),
    ),
    assumptions=("the source of correlated randomness colludes with no party",),
    messages=(Message("column-magnitudes", Carries.DISCLOSED),),
    failure="none; factors above 1,000 come out as large, not exact",
)

RIDGE_BITS: Final = 14
"""The ridge is 2^-14: a column that others repeat exactly gets a factor of 2^15."""
FRACTION: Final = 22
STEPS: Final = 28


@dataclass(frozen=True, eq=False)
class Collinearity:
    """Shared: `correlation` (k, k) and `inflation` (k,) of all columns, in the order of `names` (rank, column)."""

    correlation: Shared
    inflation: Shared
    names: tuple[tuple[int, str], ...]


def collinearity(circle: Circle, columns: Sequence[Block]) -> Collinearity:
    """Of rows that are aligned over all parties, values in one's own block only. Who learns what: see PROFILE.

    Raises DataError at the owner for a constant or non-finite column, naming it.
    """
    design = enter_columns(circle, columns, 0.0)
    correlation = normal_matrix(design.columns, 1.0 / columns[0].rows)
    design.forget()
    width = len(design.names)
    if width == 1:
        one = Shared(circle, correlation.words * np.uint64(0), FRACTION)[0] + 1.0
        return Collinearity(correlation, one, design.names)
    ridged = correlation + np.eye(width) * 2.0**-RIDGE_BITS
    inverted = inverse(ridged, float(width) + 1.0, STEPS, fraction=FRACTION)
    # r V² by squares of V·2^-7, which is V read with seven fractional bits more.
    small = Shared(circle, inverted.words, FRACTION + RIDGE_BITS // 2)
    squares = arithmetic.square(arithmetic.rescale(small, FRACTION)).sum(axis=1)
    inflation = diagonal(inverted) + arithmetic.rescale(squares, FRACTION)
    return Collinearity(correlation, inflation, design.names)
