"""Every operation at the edges of the range that its docstring promises: all largest, all smallest, mixed.

A value beyond the edge is refused before anything is sent, where a party enters it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share import (
    arithmetic,
    elementary,
    exponential,
    extremes,
    functions,
    groups,
    linear,
    moments,
    quotient,
    shuffle,
    smooth,
    softmax,
    sort,
    thresholds,
)
from unseen.computation.share.array import Shared, from_owner, reveal, shared_zeros
from unseen.computation.share.binned import binned_columns
from unseen.computation.share.boolean import Bits, bits_from_owner, reveal_bits, to_numbers, where
from unseen.computation.share.choice import chosen_sums, masked_rows
from unseen.computation.share.compare import equal
from unseen.computation.share.conversion import from_bits, to_bits
from unseen.computation.share.knockout import of_largest
from unseen.computation.share.masked_matrix import masked_matrix
from unseen.computation.share.private import PrivateMatrix, private_matrix
from unseen.computation.share.private_order import private_gather, private_order
from unseen.errors import RangeError

COUNT = 24
NUMBERS = np.arange(COUNT)
ODD = (NUMBERS % 2).astype(bool)
TANH = smooth.Smooth(np.tanh, -4.0, 4.0, 5e-4, 14, 4)
ROOT = smooth.Smooth(np.sqrt, 0.25, 1.0, 2e-6, 8, 1)
KNOWN = 2.0**15 - 2.0**-4
DOMAIN = (2.0**-8, 2.0**8)

Operation = Callable[[Shared], "Shared | Bits"]
Truth = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Edge:
    """An operation on (COUNT,) values within [low, high], in steps of 2^-fraction; NumPy's answer; and how far off
    it may be, absolutely and relatively."""

    name: str
    work: Operation
    truth: Truth
    low: float
    high: float
    fraction: int = 20
    off: float = 0.0
    relative: float = 0.0


def below(exponent: float, fraction: int = 20) -> float:
    """The largest number below 2^exponent."""
    return float(2.0**exponent - 2.0**-fraction)


def whole(name: str, work: Operation, truth: Truth, off: float = 0.0, fraction: int = 20) -> Edge:
    """Of operations that take all that can be entered, as far as float64 tells numbers apart."""
    top = 2.0 ** (62 - fraction) - 2.0 ** (62 - fraction - 52)
    return Edge(name, work, truth, -top, top, fraction, off)


def owned(circle: Circle, owner: int, values: np.ndarray) -> np.ndarray | None:
    return values if circle.rank == owner else None


def entered_bits(circle: Circle, truth: np.ndarray) -> Bits:
    return bits_from_owner(circle, 1, owned(circle, 1, truth), truth.shape)


def gram(x: Shared) -> Shared:
    rows = x.reshape(4, 6)
    return arithmetic.matrix_product(rows, rows.T).reshape(16)


def masked_gram(x: Shared) -> Shared:
    rows = x.reshape(4, 6)
    return (masked_matrix(rows) @ rows.T).reshape(16)


def known(circle: Circle, rows: int, columns: int) -> PrivateMatrix:
    """A matrix of the largest numbers that its owner may enter in the tests of products with it."""
    return private_matrix(circle, 1, owned(circle, 1, np.full((rows, columns), KNOWN)), (rows, columns), 4)


def private_gram(x: Shared) -> Shared:
    return (known(x.circle, 3, COUNT) @ x.reshape(COUNT, 1))[:, 0]


def private_sums(x: Shared) -> Shared:
    return known(x.circle, COUNT, 3).transposed_times(x.reshape(COUNT, 1))[:, 0]


def largest_itself(x: Shared) -> Shared:
    return Shared(x.circle, of_largest(x.reshape(-1, 1), x.words.reshape(1, -1, 1))[0, 0], x.fraction)


def sums_by_parity(x: Shared) -> Shared:
    """Sums of two groups, zeros behind them."""
    return groups.group_by(from_owner(x.circle, 1, owned(x.circle, 1, NUMBERS % 2.0), (COUNT,)), [x]).sums[0]


def extremes_by_value(x: Shared) -> Shared:
    """Keys, smallest and largest value of groups of equal values: three times the same."""
    found = groups.group_extremes(x, x)
    return x._with(np.stack([found.keys.words, found.smallest[0].words, found.largest[0].words]))


def different(values: np.ndarray) -> np.ndarray:
    once = np.unique(values)
    return np.tile(np.concatenate([once, np.zeros(COUNT - len(once))]), (3, 1))


def inverse_diagonal(x: Shared) -> Shared:
    matrix = shared_zeros(x.circle, (COUNT, COUNT), x.fraction).words
    np.fill_diagonal(matrix, x.words)
    return linear.inverse(x._with(matrix), steps=14)


def by_bins(x: Shared) -> Shared:
    places = owned(x.circle, 1, (NUMBERS % 3)[:, None])
    return binned_columns(x.circle, 1, places, [3], COUNT).sums(x[None])[:, 0]


def order(x: Shared) -> Shared:
    return private_order(x.circle, 1, owned(x.circle, 1, NUMBERS[::-1].copy()), COUNT).apply(x)


def gather(x: Shared) -> Shared:
    return private_gather(x.circle, 1, owned(x.circle, 1, NUMBERS // 5), COUNT, x)


def system(x: Shared) -> Shared:
    """The largest right sides that a system may have: its solution below 2^10."""
    matrix = np.diag(np.linspace(0.5, 1.0, COUNT))
    return linear.solve(from_owner(x.circle, 1, owned(x.circle, 1, matrix), matrix.shape, 26), x, steps=12)


def gram_of(values: np.ndarray) -> np.ndarray:
    rows = values.reshape(4, 6)
    return np.asarray(rows @ rows.T)


def cumulated(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.cumsum(values))


EDGES = [
    Edge("product", lambda x: arithmetic.product(x, x), np.square, -below(11), below(11), 20, 2.0**-30),
    Edge("multiply", lambda x: x * x, np.square, -below(11), below(11), 20, 2.0**-19),
    Edge("times a public number", lambda x: x * -2.5, lambda v: -2.5 * v, -below(16.6), below(16.6), 20, 2.0**-19),
    Edge(
        "public matrix product",
        lambda x: (x.reshape(4, 6) @ np.full((6, 2), 2.5)).reshape(-1),
        lambda v: (v.reshape(4, 6) @ np.full((6, 2), 2.5)).ravel(),
        -below(14),
        below(14),
        20,
        2.0**-19,
    ),
    Edge("square", arithmetic.square, np.square, -below(11), below(11), 20, 2.0**-30),
    Edge("dot", lambda x: moments.dot(x, x), lambda v: v @ v, -below(8.7), below(8.7), 20, 2.0**-18),
    Edge(
        "matrix product",
        gram,
        lambda v: gram_of(v).ravel(),
        -below(9.7),
        below(9.7),
        20,
        2.0**-29,
    ),
    Edge("masked product", masked_gram, lambda v: gram_of(v).ravel(), -below(9.7), below(9.7), 20, 2.0**-29),
    Edge(
        "private product", private_gram, lambda v: np.full(3, KNOWN * v.sum()), -below(18.4), below(18.4), 20, 1e-4
    ),
    Edge("private sums", private_sums, lambda v: np.full(3, KNOWN * v.sum()), -below(18.4), below(18.4), 20, 1e-4),
    Edge(
        "known rows scaled",
        lambda x: known(x.circle, COUNT, 1).scale_rows(x)[:, 0],
        lambda v: KNOWN * v,
        -below(22.9),
        below(22.9),
        20,
        0.0,
        2.0**-52,
    ),
    Edge(
        "known Gram matrix",
        lambda x: known(x.circle, COUNT, 2).scaled_gram(x)[1],
        lambda v: np.full((2, 2), KNOWN**2 * v.sum()),
        -below(-0.6),
        below(-0.6),
        20,
        2.0**-18,
        2.0**-50,
    ),
    Edge("scaled", lambda x: arithmetic.scaled(x, 3.0, 10), lambda v: 3 * v, -below(25.4), below(25.4), 20, 3e-3),
    Edge("mean", moments.mean, np.mean, -below(37.4), below(37.4), 20, 2.0**-18, 2.0**-23),
    Edge("variance", moments.variance, np.var, -below(4.7, 24), below(4.7, 24), 24, 2.0**-20, 2.0**-19),
    Edge("sum", lambda x: x.sum(), np.sum, -below(37.4), below(37.4), 20),
    Edge("running sum", lambda x: x.cumsum(), cumulated, -below(37.4), below(37.4), 20, 0.0, 2.0**-50),
    whole("truncation", lambda x: arithmetic.rescale(x, 4), lambda v: v, 2.0**-4),
    whole("sign", lambda x: x < 0.0, lambda v: v < 0),
    whole("comparison", lambda x: x < x[::-1], lambda v: v < v[::-1]),
    whole("equality", lambda x: equal(x, x[::-1]), lambda v: v == v[::-1]),
    whole("thresholds", lambda x: thresholds.below_each(x, [0.0, 1.0]), lambda v: np.stack([v < 0, v < 1])),
    whole("choice", lambda x: where(entered_bits(x.circle, ODD), x, -x), lambda v: np.where(ODD, v, -v)),
    whole("digits and back", lambda x: from_bits(to_bits(x), x.fraction), lambda v: v),
    whole("numbers from signs", lambda x: to_numbers(x < 0.0), lambda v: (v < 0) * 1.0),
    whole(
        "rows by bits",
        lambda x: masked_rows(x.reshape(1, -1)).times(entered_bits(x.circle, ODD[None])).reshape(-1),
        lambda v: np.where(ODD, v, 0.0),
    ),
    whole(
        "values by bits",
        lambda x: chosen_sums(entered_bits(x.circle, np.eye(COUNT, dtype=bool)), x),
        lambda v: v,
    ),
    whole("largest", lambda x: extremes.maximum(x), np.max),
    whole("smallest", lambda x: extremes.minimum(x), np.min),
    whole("place of the largest", lambda x: extremes.argmax(x), np.argmax),
    whole("largest by knock-out", largest_itself, np.max),
    whole("largest few of many", lambda x: sort.top(x, 3)[0], lambda v: np.sort(v)[::-1][:3]),
    whole("sorted and put back", lambda x: sort.place(sort.sort(x), sort.argsort(x)), lambda v: v),
    Edge(
        "quantiles",
        lambda x: sort.quantiles(x, [0.0, 0.3, 0.5, 1.0]),
        lambda v: np.quantile(v, [0.0, 0.3, 0.5, 1.0]),
        -below(17),
        below(17),
        20,
        2.0**-6,
    ),
    whole("extremes of groups", extremes_by_value, different),
    Edge(
        "sums of groups",
        sums_by_parity,
        lambda v: np.concatenate([[v[~ODD].sum(), v[ODD].sum()], np.zeros(COUNT - 2)]),
        -below(37.4),
        below(37.4),
        20,
        0.0,
        2.0**-50,
    ),
    whole("top few", lambda x: extremes.top_along(x, 3)[0], lambda v: np.sort(v)[::-1][:3]),
    whole("shuffle and sort", lambda x: sort.sort(shuffle.shuffle(x)), np.sort),
    whole("order statistics", lambda x: sort.order_statistics(x, [0, 5]), lambda v: np.sort(v)[[0, 5]]),
    whole("known order", order, lambda v: v[::-1]),
    whole(
        "compaction",
        lambda x: groups.compact(entered_bits(x.circle, ODD), [x])[0][0],
        lambda v: np.concatenate([v[ODD], np.zeros(COUNT // 2)]),
    ),
    whole("gather", gather, lambda v: v[NUMBERS // 5]),
    Edge(
        "sums by bins",
        by_bins,
        lambda v: np.bincount(NUMBERS % 3, weights=v, minlength=3),
        -below(21, 38),
        below(21, 38),
        38,
        2.0**-20,
    ),
    Edge("logistic", functions.logistic, lambda v: 1 / (1 + np.exp(-v)), -12.0, 12.0, 20, 7e-4),
    Edge(
        "logistic, far out",
        lambda x: functions.logistic(x, functions.ROUGH[3], fraction=34),
        lambda v: 1 / (1 + np.exp(-v)),
        -114.0,
        114.0,
        20,
        7.5e-4,
    ),
    Edge(
        "root by a series", lambda x: smooth.smooth_function(x, ROOT, 30, fine=True), np.sqrt, 0.25, 1.0, 24, 2e-6
    ),
    Edge("tanh", lambda x: smooth.smooth_function(x, TANH), np.tanh, -4.0, 4.0, 20, 1e-3),
    Edge(
        "exponential",
        lambda x: exponential.exponential(x, fraction=38),
        np.exp,
        exponential.LOW,
        exponential.HIGH,
        24,
        2.0**-37,
        1e-3,
    ),
    Edge("reciprocal", lambda x: elementary.reciprocal(x, *DOMAIN), np.reciprocal, *DOMAIN, 24, 2.0**-22, 5e-6),
    Edge("quotient", lambda x: elementary.divide(x, x, *DOMAIN), lambda v: v / v, *DOMAIN, 24, 2.0**-22, 5e-6),
    Edge("square root", lambda x: elementary.square_root(x, *DOMAIN), np.sqrt, *DOMAIN, 24, 2.0**-22, 5e-6),
    Edge(
        "inverse root",
        lambda x: elementary.inverse_square_root(x, *DOMAIN),
        lambda v: 1 / np.sqrt(v),
        *DOMAIN,
        24,
        2.0**-22,
        5e-6,
    ),
    Edge("logarithm", lambda x: elementary.logarithm(x, *DOMAIN), np.log, *DOMAIN, 24, 6e-6),
    Edge(
        "softmax",
        lambda x: softmax.softmax(x.reshape(2, -1)).reshape(-1),
        lambda v: np.maximum(scipy_softmax(v.reshape(2, -1), axis=1).ravel(), 0.0),
        -below(36, 24),
        below(36, 24),
        24,
        3e-6,
        2.5e-4,
    ),
    Edge(
        "small quotient",
        lambda x: quotient.quotient(x, x, 2.0**-10, 20),
        lambda v: v / v,
        2.0**-10,
        1.0 - 2.0**-31,
        31,
        2.0**-19,
        2.0**-20,
    ),
    Edge("inverse", inverse_diagonal, lambda v: np.diag(1 / v), 2.0**-8.98, 1.0, 24, 2.0**-6),
    Edge("system", system, lambda v: v / np.linspace(0.5, 1.0, COUNT), -below(9, 24), below(9, 24), 24, 1e-3),
]


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_right_at_the_edges_of_the_range(edge: Edge, parties: int) -> None:
    steps = 2.0**edge.fraction
    low, high = np.ceil(edge.low * steps) / steps, np.floor(edge.high * steps) / steps
    mixed = np.random.default_rng(1).permutation(np.where(NUMBERS < COUNT // 2, low, high))
    cases = [np.full(COUNT, low), np.full(COUNT, high), np.where(ODD, low, high), mixed]

    def program(circle: Circle) -> list[np.ndarray]:
        shown = []
        for values in cases:
            found = edge.work(from_owner(circle, 0, owned(circle, 0, values), values.shape, edge.fraction))
            shown.append(reveal_bits(found, "bits") if isinstance(found, Bits) else reveal(found, "values"))
        return shown

    for found in run_parties(program, parties):
        for values, answer in zip(cases, found, strict=True):
            np.testing.assert_allclose(answer, edge.truth(values), rtol=edge.relative, atol=edge.off)


@pytest.mark.parametrize("fraction", [0, 20, 24, 31, 38])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_first_value_beyond_the_range_is_refused_and_nothing_is_sent(fraction: int, sign: float) -> None:
    beyond = np.full(COUNT, sign * 2.0 ** (62 - fraction))

    def program(circle: Circle) -> None:
        with pytest.raises(RangeError, match="cannot be shared"):
            from_owner(circle, circle.rank, beyond, beyond.shape, fraction)
        with pytest.raises(RangeError, match="cannot be shared"):
            private_matrix(circle, circle.rank, beyond[None], (1, COUNT), fraction)
        assert not any(channel.counters.messages_sent for channel in circle.others())

    run_parties(program, 2)
