"""Quasi-Newton steps on shares: an inverse Hessian that learns from the steps themselves.

BFGS (Nocedal and Wright, Numerical Optimization, 2006, section 6.1). After a step s that took the gradient down by
y, with r = 1 / sᵀy and u = B·y,

    B <- (I - r·s·yᵀ) B (I - r·y·sᵀ) + r·s·sᵀ = B + s·aᵀ + a·sᵀ,  a = (r + r²·yᵀu)/2 · s - r·u.

So B is the first matrix, masked once, and two vectors a step; and since the step was B times the old gradient,
u is the step less B times the new one: one product with B a step. There is no line search: the objective is
convex, so that sᵀy > 0, and the first matrix is a Hessian's inverse. Where sᵀy < 2^-12·|s|², rounding decides, and
the pair is left out. A step may be cut short before it is taken: u then is what it would have been, less B times
the new gradient.

The lengths of steps are told to all (see the models' profiles), so vectors are held in units of the latest one:
small steps lose no digits. Nobody learns anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from unseen.computation.learn.columns import UNIT_FRACTION
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, shared_zeros
from unseen.computation.share.boolean import where
from unseen.computation.share.elementary import reciprocal
from unseen.computation.share.masked_matrix import MaskedMatrix
from unseen.computation.share.together import Protocol, Steps, together

GRADIENT_FRACTION: Final = 34
VECTOR_FRACTION: Final = 24
"""Fractional bits of vectors in units of the latest step: products of two have room for 2^14."""
UPHILL_FRACTION: Final = 18
"""The same of gradients that are held against steps: where labels are rare they are steep; room for 2^20."""
SCALAR_FRACTION: Final = 20
LEAST_CURVATURE: Final = 2.0**-12
MOST_CURVATURE: Final = 2.0**14
FINEST: Final = 14
"""The smallest unit is 2^-14 standard deviations' units."""
PART_BITS: Final = 12
"""Fractional bits of the part of a step that is taken. Vectors stay below 2^12 of their units."""


@dataclass(frozen=True, eq=False)
class _Before:
    """Gradient and proposed step of the time before, the step's unit, and the part of it that was taken."""

    gradient: Shared
    proposed: Shared
    scale: int
    part: float


class Secants:
    """Quasi-Newton steps uphill from an inverse Hessian B (width, width), symmetric positive semi-definite."""

    def __init__(self, first: MaskedMatrix) -> None:
        self._first = first
        self._steps: list[Shared] = []
        self._others: list[Shared] = []  # the vectors a
        self._before: _Before | None = None

    def step(self, gradient: Shared, length: float) -> Shared:
        """The step (width, 1) that this gradient (width, 1) of GRADIENT_FRACTION bits asks for.

        It has VECTOR_FRACTION bits in units of `unit(length)`; `length` is that of the step taken before, one at
        first.
        """
        scale, before = unit(length), self._before
        if before is None:
            step = self._times(_in_units(gradient, scale))
        else:
            fell = before.gradient - gradient
            near, whole, taken, *uphill = together(
                _in_units.steps(gradient, scale),
                _in_units.steps(before.proposed, scale - before.scale),
                _in_units.steps(_part(before.proposed, before.part), scale - before.scale),
                *(_in_units.steps(part, scale, UPHILL_FRACTION) for part in (fell, gradient)),
            )
            step = self._updated(near, concatenate(uphill, axis=1), whole, taken)
        self._before = _Before(gradient, step, scale, 1.0)
        return step

    def take(self, part: float) -> Shared:
        """A public part of the latest step, the one that is taken: of UNIT_FRACTION bits in plain units."""
        assert self._before is not None
        before = self._before = replace(self._before, part=part)
        return _in_units(_part(before.proposed, part), -before.scale, UNIT_FRACTION)

    def forget(self) -> None:
        """The source may drop the first matrix's mask."""
        self._first.forget()

    def _updated(self, gradient: Shared, uphill: Shared, whole: Shared, step: Shared) -> Shared:
        """Take in the pair of the step before, proposed as `whole`, and of the change; the step that follows.

        `uphill` (width, 2) are the change and the gradient, of fewer bits.
        """
        plain = self._times(gradient)
        u = whole - plain
        right = concatenate([step, u], axis=1)
        found = arithmetic.rescale(arithmetic.matrix_product(uphill.T, right), SCALAR_FRACTION)
        r = _inverse_curvature(found[0, 0].reshape(1))
        e, f, h = found[0, 1], found[1, 0], found[1, 1]
        by_f, by_e, by_h = _each(r * concatenate([f.reshape(1), e.reshape(1), h.reshape(1)]))
        twice = concatenate([by_f, r]) * concatenate([by_e, by_e])
        onto_step = by_f + twice[:1] - by_h
        half = Shared(r.circle, (r + twice[1:]).words, SCALAR_FRACTION + 1)
        weights = concatenate([-by_f.scaled_up(1), -r.scaled_up(1), onto_step.scaled_up(1), half]).reshape(2, 2)
        both = concatenate([u, step], axis=1)
        moved = arithmetic.rescale(arithmetic.matrix_product(both, weights), VECTOR_FRACTION)
        self._steps.append(step)
        self._others.append(moved[:, 1:])
        return plain + moved[:, :1]

    def _times(self, vector: Shared) -> Shared:
        """B as it is by a vector, both in the same units."""
        found = arithmetic.rescale(self._first @ vector, VECTOR_FRACTION)
        if not self._steps:
            return found
        across = concatenate([*self._others, *self._steps], axis=1)
        along = concatenate([*self._steps, *self._others], axis=1)
        parts = arithmetic.rescale(arithmetic.matrix_product(across.T, vector), VECTOR_FRACTION)
        return found + arithmetic.rescale(arithmetic.matrix_product(along, parts), VECTOR_FRACTION)


def unit(length: float) -> int:
    """Steps after one of this length are in units of 2^-unit: between half of it and all of it, none above one."""
    return max(0, -int(np.floor(np.log2(max(length, 2.0**-FINEST)))))


@Protocol
def _in_units(vector: Shared, scale: int, fraction: int = VECTOR_FRACTION) -> Steps[Shared]:
    """A vector in units 2^-scale times as large: one round.

    Bits are dropped by one number whatever the scale, so that the source cannot tell lengths.
    """
    lifted = vector.words << np.uint64(FINEST + scale)
    read = Shared(vector.circle, lifted, vector.fraction + FINEST)
    return (yield from arithmetic.rescale.steps(read, fraction))


def _part(step: Shared, part: float) -> Shared:
    """A public part of a vector, with PART_BITS more fractional bits; local."""
    words = step.words * np.uint64(np.ceil(part * 2.0**PART_BITS))
    return Shared(step.circle, words, step.fraction + PART_BITS)


def _inverse_curvature(curvature: Shared) -> Shared:
    """1 / sᵀy (1,), as good as zero where sᵀy is too small to tell."""
    ceiling = shared_zeros(curvature.circle, (1,), SCALAR_FRACTION) + MOST_CURVATURE
    kept = where(curvature < LEAST_CURVATURE, ceiling, curvature)
    return reciprocal(kept, LEAST_CURVATURE, MOST_CURVATURE, SCALAR_FRACTION)


def _each(vector: Shared) -> list[Shared]:
    return [vector[i : i + 1] for i in range(vector.size)]
