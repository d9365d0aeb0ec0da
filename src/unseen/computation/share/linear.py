"""Small linear algebra on shares: inverses of symmetric positive definite matrices, and systems of equations.

Source: Schulz 1933; Newton's iteration V <- V(2I - MV) converges for 0 < V0·M < 2, quadratically, and needs
products only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.kinds import MaskGram
from unseen.computation.correlation.source import Ticket
from unseen.computation.profile import Profile
from unseen.computation.share.arithmetic import ask_rescale, rescale
from unseen.computation.share.array import Shared, shared_zeros
from unseen.computation.share.masked_matrix import ask_masked_matrix, masked_matrix
from unseen.errors import MisuseError

INVERSE_FRACTION: Final = 26
"""Fractional bits within the iteration: entries of the inverse up to 2^9 keep products below 2^62."""

INVERSE: Final = Profile(
    id="share/inverse",
    title="Inverse of a shared symmetric positive definite matrix",
    source="Schulz 1933, products only",
    failure="none; eigenvalues below a millionth of the bound come out damped",
    rounds=lambda k, steps: 4 * steps + 1,
    bytes_sent=lambda k, steps, parties: parties * (parties - 1) * 8 * k * k * (4 * steps + 1),
)
SOLUTION: Final = Profile(
    id="share/solution",
    title="Solution of a shared symmetric positive definite system",
    source="share/inverse, improved once by the residual",
    failure="none; as share/inverse",
    rounds=lambda k, sides, steps: 4 * steps + 7,
    bytes_sent=lambda k, sides, steps, parties: (
        parties * (parties - 1) * 8 * (k * k * (4 * steps + 4) + 6 * k * sides)
    ),
)


def inverse(
    matrix: Shared,
    norm: float = 1.0,
    steps: int = 24,
    start: Shared | None = None,
    fraction: int = INVERSE_FRACTION,
) -> Shared:
    """The inverse of a shared symmetric positive definite (k, k) matrix M.

    Without `start`: all eigenvalues of M in (0, norm], `norm` public, for example k where the diagonal is one;
    after s steps the direction of eigenvalue e is inverted up to the factor (1 - e/norm)^(2^s), so that with 24
    steps all e > 1e-6·norm are done. What is smaller comes out damped, never wild. With `start`, some V with
    eigenvalues of V·M in (0, 2): fewer steps do. Entries must stay below 2^9; every bit less than 26 in
    `fraction` makes that four times as much. Entries of the inverse are off by about
    k·2^-fraction·|M⁻¹|² at most. Rounds: 4 a step and one; the randomness of all steps is announced at once, so
    that its maker runs ahead. Nobody learns anything.
    """
    circle, k = matrix.circle, matrix.shape[0]
    own = 2 * INVERSE_FRACTION - fraction
    m = rescale(matrix, own)
    identity = np.eye(k)
    v = rescale(start, fraction) if start is not None else shared_zeros(circle, (k, k), fraction) + identity / norm
    mask = ask_masked_matrix(circle, k, k)
    asked = [_ask_step(circle, k, mask.number, own, fraction) for _ in range(steps)]
    fixed = masked_matrix(m, mask)
    fixed.forget()
    for ask in asked:
        # V is symmetric, and kept so: what rounding adds to one side alone would double at each step.
        now = masked_matrix(v, ask.value)
        mv = rescale(fixed.gram(now, ask.product), fraction, ask.rescaled)
        correction = masked_matrix(2.0 * identity - mv, ask.correction)
        found = now.gram(correction, ask.corrected)
        both = Shared(circle, found.words + found.words.T, found.fraction + 1)
        v = rescale(both, fraction, ask.next)
    return v


@dataclass(frozen=True)
class _Step:
    """What one step of Schulz's iteration asked for, in the order of use."""

    value: Ticket
    product: Ticket
    rescaled: Ticket
    correction: Ticket
    corrected: Ticket
    next: Ticket


def _ask_step(circle: Circle, k: int, fixed: int, own: int, fraction: int) -> _Step:
    value = ask_masked_matrix(circle, k, k)
    product, rescaled = circle.source.ask(MaskGram(fixed, value.number, k, k)), ask_rescale(circle, k * k, own)
    correction = ask_masked_matrix(circle, k, k)
    corrected = circle.source.ask(MaskGram(value.number, correction.number, k, k))
    for number in (value.number, correction.number):
        circle.source.forget(number)
    return _Step(value, product, rescaled, correction, corrected, ask_rescale(circle, k * k, fraction + 1))


def solve(matrix: Shared, right: Shared, norm: float = 1.0, steps: int = 24) -> Shared:
    """x with M·x = b for a shared symmetric positive definite (k, k) matrix and b (k,) or (k, m).

    `norm` and `steps` as for `inverse`, whose result V is improved once: x = V·b + V·(b - M·V·b), so that the
    error of V counts squared. |b|, |x| and |V·b| must stay below 2^10, entries of V below 2^9. Six rounds beyond
    the inverse. Off by about k·2^-24·|M⁻¹|·(1 + |x|) at most. Nobody learns anything.
    """
    k = matrix.shape[0]
    if matrix.shape != (k, k) or right.shape[:1] != (k,):
        raise MisuseError(f"a system of shape {matrix.shape} has no right side of shape {right.shape}")
    sides = rescale(right.reshape(k, right.size // k), INVERSE_FRACTION)
    inverted, whole = inverse(matrix, norm, steps), rescale(matrix, INVERSE_FRACTION)
    found = inverted @ sides
    found = found + inverted @ (sides - whole @ found)
    return found.reshape(*right.shape)
