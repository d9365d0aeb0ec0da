"""Workloads of the engine: one operation on shared values each, checked against NumPy on a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.share import functions
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.boolean import reveal_bits
from unseen.computation.share.elementary import divide
from unseen.computation.share.exponential import HIGH, LOW, exponential
from unseen.computation.types import Real
from unseen.encoding import Json

SAMPLE = 1000
"""How many results are opened and compared with NumPy's, within the time measured."""


@dataclass(frozen=True)
class Inputs:
    """Made-up numbers from a fixed seed, known to all: `left` is entered by rank 0, `right` by the last."""

    left: Real
    right: Real


def _uniform(low: float, high: float, name: str = "values") -> Callable[[int, int, Size], Inputs]:
    def prepare(_: int, __: int, size: Size) -> Inputs:
        draw = np.random.default_rng(7)  # made-up inputs, the same at all: no mask, no share
        return Inputs(draw.uniform(low, high, size[name]), draw.uniform(low, high, size[name]))

    return prepare


def _entered(circle: Circle, inputs: Inputs) -> tuple[Shared, Shared]:
    last = circle.size - 1
    return (
        from_owner(circle, 0, inputs.left if circle.rank == 0 else None, inputs.left.shape),
        from_owner(circle, last, inputs.right if circle.rank == last else None, inputs.right.shape),
    )


def _error(result: Shared, truth: Real) -> Mapping[str, Json]:
    """The largest error of the first results; `truth` has as many, or the sample alone."""
    opened = reveal(result.reshape(-1)[:SAMPLE], "sample")
    return {"error": float(np.abs(opened - truth.reshape(-1)[:SAMPLE]).max())}


def _product(circle: Circle, inputs: Inputs) -> Mapping[str, Json]:
    left, right = _entered(circle, inputs)
    return _error(left * right, inputs.left[:SAMPLE] * inputs.right[:SAMPLE])


def _comparison(circle: Circle, inputs: Inputs) -> Mapping[str, Json]:
    left, right = _entered(circle, inputs)
    opened = reveal_bits((left < right)[:SAMPLE], "sample")
    return {"wrong": int((opened != (inputs.left[:SAMPLE] < inputs.right[:SAMPLE])).sum())}


def _logistic(circle: Circle, inputs: Inputs) -> Mapping[str, Json]:
    left, _ = _entered(circle, inputs)
    return _error(functions.logistic(left, functions.ROUGH[0]), 1.0 / (1.0 + np.exp(-inputs.left[:SAMPLE])))


def _exponential(circle: Circle, inputs: Inputs) -> Mapping[str, Json]:
    left, _ = _entered(circle, inputs)
    opened = reveal(exponential(left, fraction=38)[:SAMPLE], "sample")
    return {"relative_error": float(np.abs(opened / np.exp(inputs.left[:SAMPLE]) - 1.0).max())}


def _operands(_: int, __: int, size: Size) -> Inputs:
    draw = np.random.default_rng(9)  # made-up inputs, the same at all: no mask, no share
    left, right = (2.0 ** draw.uniform(-8.0, 8.0, size["values"]) for _ in range(2))
    return Inputs(left, np.clip(np.rint(right * 2.0**24) / 2.0**24, 2.0**-8, 2.0**8))


def _division(circle: Circle, inputs: Inputs) -> Mapping[str, Json]:
    left, right = _entered(circle, inputs)
    opened = reveal(divide(left, right, 2.0**-8, 2.0**8)[:SAMPLE], "sample")
    truth = inputs.left[:SAMPLE] / inputs.right[:SAMPLE]
    return {"relative_error": float((np.abs(opened - truth) / np.maximum(truth, 1.0)).max())}


def _matrices(_: int, __: int, size: Size) -> Inputs:
    draw, side = np.random.default_rng(8), size["side"]  # made-up inputs, the same at all: no mask, no share
    return Inputs(draw.normal(size=(side, side)), draw.normal(size=(side, side)))


def _matrix_product(circle: Circle, inputs: Inputs) -> Mapping[str, Json]:
    left, right = _entered(circle, inputs)
    return _error((left @ right)[:1], inputs.left[:1] @ inputs.right)


PRODUCT = Program(_uniform(-100.0, 100.0), _product)
COMPARISON = Program(_uniform(-1e6, 1e6), _comparison)
LOGISTIC = Program(_uniform(-12.0, 12.0), _logistic)
DIVISION = Program(_operands, _division)
EXPONENTIAL = Program(_uniform(LOW, HIGH), _exponential)
MATRIX_PRODUCT = Program(_matrices, _matrix_product)
