"""How much of a party's columns another could tell from scores that it was shown, and from its own columns alone.

The attacker guesses each column by least squares from its own columns and the scores: where a model is linear and
one column is missing, that solves for it (Luo, Wu, Xiao, Ooi, ICDE 2021, "equality solving"); elsewhere it is the
best straight guess. With an orthonormal basis of what the attacker holds, the share of a column's variance that it
tells is the sum of the squared correlations with each member of the basis. The attacker brings the basis, the
column's owner its columns; correlations and their squares stay on shares.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Who
learns what: see PROFILE. Failure: none. Cost: one masked matrix, 8 bytes a tested value; three rounds.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import concatenate, from_owner, reveal_to
from unseen.computation.share.private import private_matrix
from unseen.computation.types import Real
from unseen.errors import MisuseError

PROFILE: Final = Profile(
    id="learn/feature-attack",
    title="How well a party that is shown scores could tell the others' columns",
    source="Luo, Wu, Xiao, Ooi, ICDE 2021 (equality solving), by least squares on shares",
    reveals=(
        Disclosure(
            Role.OWNER,
            "what share of the variance of each own column the scores' recipient could tell, from its own columns "
            "with the scores and without",
        ),
        Disclosure(Role.DEALER, "the numbers of tested rows and columns"),
    ),
    messages=(Message("reveal/features", Carries.DISCLOSED),),
)
FRACTION: Final = 24
LEAST: Final = 1e-7
"""What is left of a unit vector below this size is rounding, and no direction of its own."""


def feature_attack(
    circle: Circle, owner: int, columns: Real | None, held: Real | None, attacker: int, sizes: tuple[int, int, int]
) -> Real | None:
    """Shares of variance (2, columns) at rank `owner`: told without the scores, and with them; None elsewhere.

    `sizes` are the numbers of rows, of the owner's columns, and of the attacker's. `columns` (rows, columns) at
    the owner; `held` (rows, attacker's columns + 1), the scores last, at the attacker. Of constant columns 0.
    """
    rows, width, own = sizes
    if not rows or not width:
        raise MisuseError("feature inference is tried on rows and columns")
    values = None if columns is None else unit_columns(columns)
    matrix = private_matrix(circle, owner, values, (rows, width), FRACTION)
    basis = None if held is None else orthonormal(held)
    cross = matrix.transposed_times(from_owner(circle, attacker, basis, (rows, own + 1), FRACTION))
    matrix.forget()
    near = arithmetic.rescale(cross, FRACTION)
    squares = arithmetic.multiply(near, near, FRACTION)
    alone = squares[:, :own].sum(axis=1)
    told = reveal_to(concatenate([alone, alone + squares[:, own]]), circle.parties[owner], "features")
    return None if told is None else np.clip(told.reshape(2, width), 0.0, 1.0)


def unit_columns(values: Real) -> Real:
    """Columns (rows, k) about their means, each of length one; constant ones zero."""
    centred = values - values.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    level = np.sqrt((values**2).sum(axis=0))
    there = length > LEAST * level
    return np.asarray(np.where(there, centred / np.where(there, length, 1.0), 0.0))


def orthonormal(held: Real) -> Real:
    """A basis (rows, k) of the columns but the last about their means, zeros where some repeat others; last, the
    direction that the last column adds to them, zeros if none."""
    whole = unit_columns(held)
    rows, width = whole.shape
    basis = np.zeros((rows, width))
    if width > 1:
        left, strength, _ = np.linalg.svd(whole[:, :-1], full_matrices=False)
        kept = strength > LEAST * strength[0]
        basis[:, : int(kept.sum())] = left[:, kept]
    own = basis[:, :-1]
    rest = whole[:, -1] - own @ (own.T @ whole[:, -1])
    rest = rest - own @ (own.T @ rest)
    length = float(np.sqrt((rest**2).sum()))
    basis[:, -1] = rest / length if length > LEAST else 0.0
    return basis
