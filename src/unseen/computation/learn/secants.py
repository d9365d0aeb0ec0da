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

from typing import Final

import numpy as np

from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, shared_zeros
from unseen.computation.share.boolean import where
from unseen.computation.share.elementary import reciprocal
from unseen.computation.share.masked_matrix import MaskedMatrix
from unseen.computation.share.together import together

GRADIENT_FRACTION: Final = 34
VECTOR_FRACTION: Final = 24
"""Fractional bits of vectors in units of the latest step: products of two have room for 2^14."""
SCALAR_FRACTION: Final = 20
LEAST_CURVATURE: Final = 2.0**-12
FINEST: Final = 14
"""The smallest unit is 2^-14 standard deviations' units."""


class Secants:
    """Quasi-Newton steps uphill from an inverse Hessian B (width, width), symmetric positive semi-definite."""

    def __init__(self, first: MaskedMatrix) -> None:
        self._first = first
        self._steps: list[Shared] = []
        self._others: list[Shared] = []  # the vectors a
        self._gradient: Shared  # of the time before
        self._proposed: Shared | None = None  # step of the time before, and which part of it was taken
        self._part = 1.0

    def step(self, gradient: Shared, length: float) -> Shared:
        """The step (width, 1) to take at this gradient (width, 1) of GRADIENT_FRACTION bits.

        `length` is that of the step taken before, one at first. The result's fraction follows from it: relative to
        that step it has VECTOR_FRACTION bits.
        """
        unit = max(0, -int(np.floor(np.log2(max(length, 2.0**-FINEST)))))
        if self._proposed is None:
            (near,) = _in_units([gradient], unit)
            step = self._times(near)
        else:
            near, change, whole = _in_units([gradient, self._gradient - gradient, self._proposed], unit)
            step = self._updated(near, change, whole)
        self._gradient, self._proposed, self._part = gradient, _read(step, unit), 1.0
        return self._proposed

    def cut(self, part: float) -> Shared:
        """Of the latest step, what is taken in its place: a public part of it, between 0 and 1."""
        assert self._proposed is not None
        self._part = part
        return self._proposed * part

    def forget(self) -> None:
        """The source may drop the first matrix's mask."""
        self._first.forget()

    def _updated(self, gradient: Shared, change: Shared, whole: Shared) -> Shared:
        """Take in the pair of the step before, proposed as `whole`, and its change; the step that follows."""
        plain = self._times(gradient)
        u, step = whole - plain, whole if self._part == 1.0 else whole * self._part
        left, right = concatenate([change, gradient], axis=1), concatenate([step, u], axis=1)
        found = arithmetic.rescale(arithmetic.matrix_product(left.T, right), SCALAR_FRACTION)
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


def _in_units(vectors: list[Shared], unit: int) -> list[Shared]:
    """Vectors in units of 2^-unit, at VECTOR_FRACTION bits: one round."""
    return together(*(arithmetic.rescale.steps(_read(v, -unit), VECTOR_FRACTION) for v in vectors))


def _read(vector: Shared, bits: int) -> Shared:
    """The same words, read with so many more fractional bits."""
    return Shared(vector.circle, vector.words, vector.fraction + bits)


def _inverse_curvature(curvature: Shared) -> Shared:
    """1 / sᵀy (1,), as good as zero where sᵀy is too small to tell."""
    most = 1.0 / LEAST_CURVATURE
    ceiling = shared_zeros(curvature.circle, (1,), SCALAR_FRACTION) + most
    kept = where(curvature < LEAST_CURVATURE, ceiling, curvature)
    return reciprocal(kept, LEAST_CURVATURE, most, SCALAR_FRACTION)


def _each(vector: Shared) -> list[Shared]:
    return [vector[i : i + 1] for i in range(vector.size)]
