"""Each protocol on shares as a specimen: for the table of costs in docs/protocols.md, and for the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from unseen.cli.bench.tables import write_between
from unseen.cli.specimen import COUNT, Specimen, Step, cost
from unseen.computation.circle import Circle
from unseen.computation.share import (
    adders,
    arithmetic,
    binned,
    boolean,
    choice,
    compare,
    conversion,
    elementary,
    exponential,
    extremes,
    functions,
    groups,
    knockout,
    known_bits,
    linear,
    lookup,
    masked_matrix,
    moments,
    normalise,
    precedence,
    private,
    private_order,
    quotient,
    shuffle,
    smooth,
    softmax,
    sort,
    thresholds,
)
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.together import together
from unseen.computation.types import Real, Words

RANGE: Final = (2.0**-8, 2.0**8)
TANH: Final = smooth.Smooth(np.tanh, -4.0, 4.0, 5e-4, 14, 4)


def _shared(circle: Circle, values: Real, fraction: int = 20) -> Shared:
    return from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, fraction)


def _bits(circle: Circle, values: Real) -> boolean.Bits:
    truth = values > 0.5
    return boolean.bits_from_owner(circle, 0, truth if circle.rank == 0 else None, truth.shape)


def _on_shared(work: Callable[[Shared], object], fraction: int = 20) -> Callable[[Circle, Real], Step]:
    """Of steps that take one shared vector."""

    def enter(circle: Circle, values: Real) -> Step:
        shared = _shared(circle, values, fraction)
        return lambda: work(shared)

    return enter


def _gate(circle: Circle, values: Real) -> Step:
    left = _bits(circle, values)
    return lambda: left & left


def _ring(circle: Circle, values: Real) -> Step:
    truth = _bits(circle, values)
    return lambda: boolean.to_numbers(truth)


def _where(circle: Circle, values: Real) -> Step:
    truth, shared = _bits(circle, values), _shared(circle, values)
    return lambda: boolean.where(truth, shared, -shared)


def _rows_by_bits(circle: Circle, values: Real) -> Step:
    masked = choice.masked_rows(_shared(circle, values.reshape(2, -1)))
    truth = _bits(circle, values.reshape(2, -1))
    return lambda: masked.times(truth)


def _values_by_bits(circle: Circle, values: Real) -> Step:
    truth, chosen = _bits(circle, values.reshape(4, -1)), _shared(circle, values[:4])
    return lambda: choice.chosen_sums(truth, chosen)


def _known_bits(circle: Circle, values: Real) -> Step:
    own = boolean.packed(circle, values > 0.5)
    return lambda: known_bits.known_product(circle, 0, 1, own.words, own.shape)


def _planes(circle: Circle, values: Real, count: int) -> Words:
    """Shared bits of values in that many lines, each in whole words."""
    lines = [_bits(circle, line).words for line in values.reshape(count, -1)]
    return np.stack(lines)


def _digits_by_bits(circle: Circle, values: Real) -> Step:
    words = _shared(circle, values[:4]).words.astype(np.uint32)
    bits = _planes(circle, values, 4)
    return lambda: lookup.looked_up(circle, bits[None], words[None])


def _digit_sums(circle: Circle, values: Real) -> Step:
    planes = np.repeat(_planes(circle, values, 5)[:, None], 32, axis=1)
    return lambda: adders.digit_sums(circle, planes)


def _roughly(circle: Circle, values: Real) -> Step:
    shares = _shared(circle, values).words.astype(np.uint32)
    return lambda: thresholds.below_each_in_ring(circle, shares, np.arange(3, dtype=np.uint32))


def _quotient(circle: Circle, values: Real) -> Step:
    shared = _shared(circle, values, 31)
    return lambda: quotient.quotient(shared, shared, 0.1, 20)


def _private_order(circle: Circle, values: Real) -> Step:
    mine = circle.rank == circle.size - 1
    order = private_order.private_order(
        circle, circle.size - 1, np.argsort(values)[::-1].astype(np.int64) if mine else None, len(values)
    )
    table = _shared(circle, values)
    return lambda: order.apply(table)


def _private_gather(circle: Circle, values: Real) -> Step:
    half = len(values) // 2
    index = np.argsort(values)[:half].astype(np.int64) if circle.rank == 1 else None
    table = _shared(circle, values)
    return lambda: private_order.private_gather(circle, 1, index, half, table)


def _bin_sums(circle: Circle, values: Real) -> Step:
    places = np.column_stack([values * 4, values * 9]).astype(np.int64) if circle.rank == 0 else None
    columns = binned.binned_columns(circle, 0, places, [4, 9], len(values))
    shared = _shared(circle, values[None])
    return lambda: columns.sums(shared)


def _precedence(circle: Circle, values: Real) -> Step:
    count = len(values)
    numbers = _shared(circle, np.arange(float(count + 1)), 0).words.astype(np.uint32)
    keys = _shared(circle, np.append(values, 0.5)).words
    left, right = np.zeros(count, dtype=np.int64), np.arange(1, count + 1)
    asked = precedence.ask_precedence(circle, count, count + 1)
    return lambda: together(precedence.precedes.steps(circle, keys, numbers, left, right, asked))


def _masked_product(circle: Circle, values: Real) -> Step:
    masked = masked_matrix.masked_matrix(_shared(circle, values.reshape(-1, 20)))
    right = _shared(circle, np.resize(values, (20, 3)))
    return lambda: masked @ right


def _private_matrix(circle: Circle, values: Real) -> Step:
    matrix = values.reshape(-1, 20) if circle.rank == 1 else None
    return lambda: private.private_matrix(circle, 1, matrix, (len(values) // 20, 20), 20)


def _entered(circle: Circle, values: Real) -> private.PrivateMatrix:
    matrix = values.reshape(-1, 20) if circle.rank == 0 else None
    return private.private_matrix(circle, 0, matrix, (len(values) // 20, 20), 20)


def _private_product(circle: Circle, values: Real) -> Step:
    entered, right = _entered(circle, values), _shared(circle, np.resize(values, (20, 3)))
    return lambda: entered @ right


def _private_scaling(circle: Circle, values: Real) -> Step:
    entered, weights = _entered(circle, values), _shared(circle, values[: len(values) // 20])
    return lambda: entered.scale_rows(weights)


def _scaled_gram(circle: Circle, values: Real) -> Step:
    entered, weights = _entered(circle, values), _shared(circle, values[: len(values) // 20])
    return lambda: entered.scaled_gram(weights)


def _from_bits(circle: Circle, values: Real) -> Step:
    digits = _bits(circle, values.reshape(-1, 20))
    return lambda: conversion.from_bits(digits)


def _inverse(circle: Circle, values: Real) -> Step:
    matrix = _shared(circle, np.diag(values[:4]))
    return lambda: linear.inverse(matrix, steps=6)


def _solution(circle: Circle, values: Real) -> Step:
    matrix, right = _shared(circle, np.diag(values[:4])), _shared(circle, values[:4])
    return lambda: linear.solve(matrix, right, steps=6)


def _placement(circle: Circle, values: Real) -> Step:
    table, positions = _shared(circle, values), sort.row_numbers(_shared(circle, values))
    return lambda: sort.place(table, positions)


def _compaction(circle: Circle, values: Real) -> Step:
    truth, shared = _bits(circle, values), _shared(circle, values)
    return lambda: groups.compact(truth, [shared])


def _each(count: int) -> tuple[int, ...]:
    return (count,)


def _sizes(*more: int) -> Callable[[int], tuple[int, ...]]:
    """One for each value, and what does not depend on their number."""
    return lambda count: (count, *more)


def _always(*sizes: int) -> Callable[[int], tuple[int, ...]]:
    return lambda count: sizes


_COMPARISON: Final = 66
"""Bytes of corrections for comparing two of a thousand shuffled rows."""
_VALUES: Final = f"{COUNT} values"
_RANGED: Final = f"{_VALUES} in [2^-8, 2^8]"
_ROWS: Final = f"{COUNT} rows"
_MATRIX: Final = f"a {COUNT // 20} × 20 matrix"

PRODUCTS: Final = (
    Specimen(arithmetic.PRODUCT, _each, _VALUES, _on_shared(lambda x: arithmetic.product(x, x))),
    Specimen(arithmetic.MULTIPLICATION, _each, _VALUES, _on_shared(lambda x: arithmetic.multiply(x, x, 20))),
    Specimen(arithmetic.SQUARE, _each, _VALUES, _on_shared(arithmetic.square)),
    Specimen(
        arithmetic.MATRIX_PRODUCT,
        lambda n: (20, n // 20, 20),
        f"{_MATRIX} and its transpose",
        _on_shared(lambda x: arithmetic.matrix_product(x.reshape(-1, 20).T, x.reshape(-1, 20))),
    ),
    Specimen(masked_matrix.MASKED_PRODUCT, _always(20, 3), f"{_MATRIX} by 3 columns", _masked_product),
    Specimen(private.PRIVATE_MATRIX, lambda n: (n // 20, 20), _MATRIX, _private_matrix, one_way=True),
    Specimen(private.PRIVATE_PRODUCT, _always(20, 3), f"{_MATRIX} by 3 columns", _private_product, one_way=True),
    Specimen(private.PRIVATE_SCALING, lambda n: (n // 20,), f"{_MATRIX}'s rows", _private_scaling, one_way=True),
    Specimen(private.SCALED_GRAM, lambda n: (n // 20,), f"{_MATRIX}'s rows", _scaled_gram, one_way=True),
    Specimen(arithmetic.TRUNCATION, _each, _VALUES, _on_shared(lambda x: arithmetic.rescale(x, 10))),
)
BITS: Final = (
    Specimen(compare.COMPARISON, _each, _VALUES, _on_shared(compare.negative)),
    Specimen(compare.EQUALITY, _each, _VALUES, _on_shared(compare.zero)),
    Specimen(
        thresholds.BELOW_EACH,
        _sizes(3, 1),
        f"{_VALUES}, 3 thresholds",
        _on_shared(lambda x: thresholds.below_each(x, np.arange(3.0))),
    ),
    Specimen(thresholds.BELOW_EACH_ROUGHLY, _sizes(3, 0), f"{_VALUES}, 3 thresholds", _roughly),
    Specimen(boolean.GATE, _each, f"{COUNT} bits", _gate),
    Specimen(boolean.RING, _each, f"{COUNT} bits", _ring),
    Specimen(conversion.NUMBER_TO_BITS, _each, _VALUES, _on_shared(conversion.to_bits)),
    Specimen(conversion.BITS_TO_NUMBER, lambda n: (n // 20, 20), f"{COUNT // 20} of 20 digits", _from_bits),
    Specimen(boolean.WHERE, _each, _VALUES, _where),
    Specimen(choice.SCALING, _each, f"{COUNT} bits, 2 columns", _rows_by_bits),
    Specimen(choice.LOOKUP, lambda n: (n // 4, 4), f"{COUNT // 4} rows, 4 choices", _values_by_bits),
    Specimen(known_bits.KNOWN_PAIR, _each, f"{COUNT} bits", _known_bits),
    Specimen(
        lookup.DIGITS,
        lambda n: (n // 4, 1, 4, 32),
        f"{COUNT // 4} rows, 4 choices of 32 digits",
        _digits_by_bits,
    ),
    Specimen(
        adders.DIGIT_SUMS, lambda n: (n // 5, 5, 32), f"{COUNT // 5} rows, 5 numbers of 32 digits", _digit_sums
    ),
)
FUNCTIONS: Final = (
    Specimen(functions.LOGISTIC, _each, _VALUES, _on_shared(functions.logistic)),
    Specimen(smooth.SMOOTH, _each, _VALUES, _on_shared(lambda x: smooth.smooth_function(x, TANH))),
    Specimen(smooth.SMOOTH_FINE, _each, _VALUES, _on_shared(lambda x: smooth.smooth_function(x, TANH, fine=True))),
    Specimen(exponential.EXPONENTIAL, _each, _VALUES, _on_shared(exponential.exponential)),
    Specimen(
        normalise.NORMALISATION,
        _sizes(7, False),
        _RANGED,
        _on_shared(lambda x: normalise.normalise(x, normalise.span(*RANGE)), 24),
    ),
    Specimen(
        elementary.RECIPROCAL,
        _sizes(7, False),
        _RANGED,
        _on_shared(lambda x: elementary.reciprocal(x, *RANGE), 24),
    ),
    Specimen(
        elementary.DIVISION, _sizes(7, False), _RANGED, _on_shared(lambda x: elementary.divide(x, x, *RANGE), 24)
    ),
    Specimen(
        elementary.ROOT, _sizes(7, False), _RANGED, _on_shared(lambda x: elementary.square_root(x, *RANGE), 24)
    ),
    Specimen(elementary.LOGARITHM, _sizes(7), _RANGED, _on_shared(lambda x: elementary.logarithm(x, *RANGE), 24)),
    Specimen(
        softmax.SOFTMAX,
        lambda n: (n // 10, 10),
        f"{COUNT // 10} lines of 10",
        _on_shared(lambda x: softmax.softmax(x.reshape(-1, 10)), 24),
    ),
    Specimen(moments.MEAN, _always(1), _VALUES, _on_shared(moments.mean, 24)),
    Specimen(moments.VARIANCE, _sizes(1), _VALUES, _on_shared(moments.variance, 24)),
    Specimen(moments.DOT, _each, _VALUES, _on_shared(lambda x: moments.dot(x, x), 24)),
    Specimen(quotient.QUOTIENT, _sizes(2), f"{_VALUES}, least 1/10", _quotient),
    Specimen(linear.INVERSE, _always(4, 6), "4 × 4, 6 steps", _inverse),
    Specimen(linear.SOLUTION, _always(4, 1, 6), "4 equations, 6 steps", _solution),
)
ROWS: Final = (
    Specimen(shuffle.SHUFFLE, _sizes(1), _ROWS, _on_shared(shuffle.shuffle), one_way=True),
    Specimen(private_order.PRIVATE_ORDER, _sizes(1), _ROWS, _private_order, one_way=True),
    Specimen(
        private_order.PRIVATE_GATHER,
        lambda n: (n, n // 2, 1),
        f"{COUNT // 2} of {COUNT} rows",
        _private_gather,
        one_way=True,
    ),
    Specimen(binned.BIN_SUMS, _each, f"{_ROWS}, any columns", _bin_sums, one_way=True),
    Specimen(precedence.PRECEDENCE, _each, f"{COUNT} pairs", _precedence),
    Specimen(
        sort.SORT,
        _sizes(0),
        _VALUES,
        _on_shared(sort.sort),
        lambda n: _COMPARISON * sort.usual_comparisons(n) + 16 * n,
    ),
    Specimen(
        sort.RANKS,
        _each,
        _VALUES,
        _on_shared(lambda x: sort.order_statistics(x, [0, x.size // 2])),
        lambda n: _COMPARISON * 4 * n + 16 * n,
    ),
    Specimen(sort.PLACEMENT, _sizes(1), _ROWS, _placement, one_way=True),
    Specimen(groups.COMPACTION, _sizes(1), _ROWS, _compaction, one_way=True),
    Specimen(
        groups.GROUPING,
        _sizes(1),
        _ROWS,
        _on_shared(lambda x: groups.group_by(x, [x])),
        # The sort with one column more, and 152 bytes a row: equality, a bit as a number, choice, placement.
        lambda n: _COMPARISON * sort.usual_comparisons(n) + (24 + 152) * n,
    ),
    Specimen(extremes.LARGEST, lambda n: (1, n), _VALUES, _on_shared(lambda x: extremes.largest(x))),
    Specimen(
        knockout.KNOCKOUT,
        _sizes(1, 1),
        f"{_VALUES}, one number carried",
        _on_shared(lambda x: knockout.of_largest(x.reshape(-1, 1), x.words.reshape(1, -1, 1))),
    ),
    Specimen(
        extremes.TOP,
        lambda n: (n // 10, 10, 2),
        f"2 of 10 in {COUNT // 10} lines",
        _on_shared(lambda x: extremes.top_along(x.reshape(-1, 10), 2)),
    ),
)
SPECIMENS: Final = (*PRODUCTS, *BITS, *FUNCTIONS, *ROWS)


def table() -> str:
    """Costs of all specimens between two and three parties."""
    lines = [
        "| protocol | for | rounds | bytes, two parties | bytes, three | corrections | failure | source |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for specimen in SPECIMENS:
        profile = specimen.profile
        two, three = cost(specimen, 2), cost(specimen, 3)
        if specimen.usual_corrections:
            sent = (specimen.bytes_sent(2) or 0, specimen.bytes_sent(3) or 0)
            figures = (specimen.rounds(2) or 0, *sent, specimen.usual_corrections(COUNT))
            told = [f"about {float(f'{figure:.2g}'):,.0f}" for figure in figures]
        else:
            exact = (specimen.rounds(2), two.bytes_sent, three.bytes_sent, two.corrections)
            told = ["" if figure is None else f"{figure:,}" for figure in exact]
        title = f"{profile.title} (`{profile.id}`)"
        cells = (title, specimen.words, *told, profile.failure, profile.source)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    write_between(Path(sys.argv[1]), "protocols", table())
