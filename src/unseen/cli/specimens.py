"""Each protocol on shares at a small size: for the table of costs in docs/protocols.md, and for the tests.

A specimen enters made-up inputs and gives back the step that its profile speaks of, so that what the step sends
can be counted by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from unseen.cli.bench.tables import write_between
from unseen.computation.circle import Circle
from unseen.computation.correlation.source import Kind, Ticket
from unseen.computation.in_process import run_parties
from unseen.computation.profile import Profile
from unseen.computation.share import (
    arithmetic,
    binned,
    boolean,
    choice,
    compare,
    elementary,
    exponential,
    extremes,
    functions,
    moments,
    normalise,
    precedence,
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
from unseen.computation.types import Real

COUNT: Final = 1000
HEADER_BYTES: Final = 16
"""Of each message, before its payload."""
RANGE: Final = (2.0**-8, 2.0**8)
TANH: Final = smooth.Smooth(np.tanh, -4.0, 4.0, 5e-4, 14, 4)

Step = Callable[[], object]


@dataclass(frozen=True)
class Specimen:
    """A profile, the sizes that it is asked about with their names, and the step on given values (COUNT,).

    Values lie in [1/8, 1). `varies`: rounds and bytes depend on the random order of rows. `one_way`: the first
    party need not wait for an answer, so that it counts fewer rounds than there are steps.
    """

    profile: Profile
    sizes: tuple[int, ...]
    words: str
    enter: Callable[[Circle, Real], Step]
    varies: bool = False
    one_way: bool = False

    def rounds(self, parties: int) -> int | None:
        """As the profile declares them; None where they vary."""
        if self.profile.rounds is None:
            return None
        more = (parties,) if self.profile is shuffle.SHUFFLE else ()
        return self.profile.rounds(*self.sizes, *more)


@dataclass(frozen=True)
class Cost:
    """What all parties sent each other in one step, the rounds at the first, and the dealer's corrections."""

    bytes_sent: int
    rounds: int
    corrections: int


def cost(specimen: Specimen, parties: int, values: Real | None = None) -> Cost:
    """Run the step among parties of one process, and count."""
    given = np.linspace(0.125, 0.9, COUNT) if values is None else values

    def program(circle: Circle) -> Cost:
        source = _Counting(circle.source)
        counted = replace(circle, source=source)
        step = specimen.enter(counted, given)
        channels = circle.others()
        circle.zero_bits(1)
        circle.open_words("level", np.zeros(1, dtype=np.uint64))
        before, passed, asked = _payload(circle), channels[0].rounds.count, source.corrections
        step()
        return Cost(_payload(circle) - before, channels[0].rounds.count - passed, source.corrections - asked)

    found = run_parties(program, parties)
    return Cost(sum(one.bytes_sent for one in found), found[0].rounds, found[0].corrections)


def _payload(circle: Circle) -> int:
    counters = [channel.counters for channel in circle.others()]
    return sum(c.bytes_sent - HEADER_BYTES * c.messages_sent for c in counters)


class _Counting:
    """A source that counts the bytes of corrections, which go to one party."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.corrections = 0

    def ask(self, kind: Kind) -> Ticket:
        self.corrections += sum(8 * slot.size for slot in kind.bound())
        ticket: Ticket = self._source.ask(kind)
        return ticket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


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


def _roughly(circle: Circle, values: Real) -> Step:
    shares = _shared(circle, values).words.astype(np.uint32)
    return lambda: thresholds.below_each_in_ring(circle, shares, np.arange(3, dtype=np.uint32))


def _quotient(circle: Circle, values: Real) -> Step:
    shared = _shared(circle, values, 31)
    return lambda: quotient.quotient(shared, shared, 0.1, 20)


def _private_order(circle: Circle, values: Real) -> Step:
    mine = circle.rank == circle.size - 1
    order = private_order.private_order(
        circle, circle.size - 1, np.argsort(values)[::-1].astype(np.int64) if mine else None, COUNT
    )
    table = _shared(circle, values)
    return lambda: order.apply(table)


def _private_gather(circle: Circle, values: Real) -> Step:
    index = np.argsort(values)[: COUNT // 2].astype(np.int64) if circle.rank == 1 else None
    table = _shared(circle, values)
    return lambda: private_order.private_gather(circle, 1, index, COUNT // 2, table)


def _bin_sums(circle: Circle, values: Real) -> Step:
    places = np.column_stack([values * 4, values * 9]).astype(np.int64) if circle.rank == 0 else None
    columns = binned.binned_columns(circle, 0, places, [4, 9], COUNT)
    shared = _shared(circle, values[None])
    return lambda: columns.sums(shared)


def _precedence(circle: Circle, values: Real) -> Step:
    numbers = _shared(circle, np.arange(float(COUNT + 1)), 0).words.astype(np.uint32)
    keys = _shared(circle, np.append(values, 0.5)).words
    left, right = np.zeros(COUNT, dtype=np.int64), np.arange(1, COUNT + 1)
    asked = precedence.ask_precedence(circle, COUNT, COUNT + 1)
    return lambda: together(precedence.precedes.steps(circle, keys, numbers, left, right, asked))


_VALUES: Final = f"{COUNT} values"
_RANGED: Final = f"{_VALUES} in [2^-8, 2^8]"

SPECIMENS: Final = (
    Specimen(arithmetic.PRODUCT, (COUNT,), _VALUES, _on_shared(lambda x: arithmetic.product(x, x))),
    Specimen(arithmetic.TRUNCATION, (COUNT,), _VALUES, _on_shared(lambda x: arithmetic.rescale(x, 10))),
    Specimen(compare.COMPARISON, (COUNT,), _VALUES, _on_shared(compare.negative)),
    Specimen(compare.EQUALITY, (COUNT,), _VALUES, _on_shared(compare.zero)),
    Specimen(
        thresholds.BELOW_EACH,
        (COUNT, 3, 1),
        f"{_VALUES}, 3 thresholds",
        _on_shared(lambda x: thresholds.below_each(x, np.arange(3.0))),
    ),
    Specimen(thresholds.BELOW_EACH_ROUGHLY, (COUNT, 3, 0), f"{_VALUES}, 3 thresholds", _roughly),
    Specimen(boolean.GATE, (COUNT,), f"{COUNT} bits", _gate),
    Specimen(boolean.RING, (COUNT,), f"{COUNT} bits", _ring),
    Specimen(boolean.WHERE, (COUNT,), _VALUES, _where),
    Specimen(choice.SCALING, (COUNT,), f"{COUNT} bits, 2 columns", _rows_by_bits),
    Specimen(choice.LOOKUP, (COUNT // 4, 4), f"{COUNT // 4} rows, 4 choices", _values_by_bits),
    Specimen(functions.LOGISTIC, (COUNT,), _VALUES, _on_shared(functions.logistic)),
    Specimen(smooth.SMOOTH, (COUNT,), _VALUES, _on_shared(lambda x: smooth.smooth_function(x, TANH))),
    Specimen(
        smooth.SMOOTH_FINE, (COUNT,), _VALUES, _on_shared(lambda x: smooth.smooth_function(x, TANH, fine=True))
    ),
    Specimen(exponential.EXPONENTIAL, (COUNT,), _VALUES, _on_shared(exponential.exponential)),
    Specimen(
        normalise.NORMALISATION,
        (COUNT, 7, False),
        _RANGED,
        _on_shared(lambda x: normalise.normalise(x, normalise.span(*RANGE)), 24),
    ),
    Specimen(
        elementary.RECIPROCAL,
        (COUNT, 7, False),
        _RANGED,
        _on_shared(lambda x: elementary.reciprocal(x, *RANGE), 24),
    ),
    Specimen(
        elementary.DIVISION, (COUNT, 7, False), _RANGED, _on_shared(lambda x: elementary.divide(x, x, *RANGE), 24)
    ),
    Specimen(
        elementary.ROOT, (COUNT, 7, False), _RANGED, _on_shared(lambda x: elementary.square_root(x, *RANGE), 24)
    ),
    Specimen(elementary.LOGARITHM, (COUNT, 7), _RANGED, _on_shared(lambda x: elementary.logarithm(x, *RANGE), 24)),
    Specimen(
        softmax.SOFTMAX,
        (COUNT // 10, 10),
        f"{COUNT // 10} lines of 10",
        _on_shared(lambda x: softmax.softmax(x.reshape(-1, 10)), 24),
    ),
    Specimen(moments.MEAN, (1,), _VALUES, _on_shared(moments.mean, 24)),
    Specimen(moments.VARIANCE, (COUNT, 1), _VALUES, _on_shared(moments.variance, 24)),
    Specimen(moments.DOT, (COUNT,), _VALUES, _on_shared(lambda x: moments.dot(x, x), 24)),
    Specimen(quotient.QUOTIENT, (COUNT, 2), f"{_VALUES}, least 1/10", _quotient),
    Specimen(shuffle.SHUFFLE, (COUNT, 1), f"{COUNT} rows", _on_shared(shuffle.shuffle), one_way=True),
    Specimen(private_order.PRIVATE_ORDER, (COUNT, 1), f"{COUNT} rows", _private_order, one_way=True),
    Specimen(
        private_order.PRIVATE_GATHER,
        (COUNT, COUNT // 2, 1),
        f"{COUNT // 2} of {COUNT} rows",
        _private_gather,
        one_way=True,
    ),
    Specimen(binned.BIN_SUMS, (COUNT,), f"{COUNT} rows, any columns", _bin_sums, one_way=True),
    Specimen(precedence.PRECEDENCE, (COUNT,), f"{COUNT} pairs", _precedence),
    Specimen(sort.SORT, (COUNT,), _VALUES, _on_shared(sort.sort), varies=True),
    Specimen(extremes.LARGEST, (1, COUNT), _VALUES, _on_shared(lambda x: extremes.largest(x))),
    Specimen(
        extremes.TOP,
        (COUNT // 10, 10, 2),
        f"2 of 10 in {COUNT // 10} lines",
        _on_shared(lambda x: extremes.top_along(x.reshape(-1, 10), 2)),
    ),
)


def table() -> str:
    """Costs of all specimens between two and three parties."""
    lines = [
        "| protocol | for | rounds | bytes, two parties | bytes, three | corrections | failure | source |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for specimen in SPECIMENS:
        profile = specimen.profile
        two, three = cost(specimen, 2), cost(specimen, 3)
        figures = (specimen.rounds(2), two.bytes_sent, three.bytes_sent, two.corrections)
        told = ["varies" if specimen.varies or figure is None else f"{figure:,}" for figure in figures]
        title = f"{profile.title} (`{profile.id}`)"
        cells = (title, specimen.words, *told, profile.failure, profile.source)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    write_between(Path(sys.argv[1]), "protocols", table())
