"""Curves or vector OLE: the line decides for some thousands of keys, and both parties decide alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.align import FEW, MESSAGES_OF_LINE, Method, chosen
from unseen.computation.intersect.line import MOST_BY_CURVES, PROBE_BYTES, by_line, depends_on_line, measured_rate
from unseen.errors import ProtocolError

MEGABIT = 125_000.0


@pytest.mark.parametrize(
    ("keys", "megabits", "method"),
    [
        (2_500, 1000, Method.OLE),
        (5_000, 100, Method.OLE),
        (5_000, 4, Method.CURVES),
        (12_000, 1, Method.CURVES),
        (12_000, 10, Method.OLE),
        (50_000, 0.5, Method.OLE),
    ],
)
def test_thin_lines_keep_curves_and_fast_ones_do_not(keys: int, megabits: float, method: Method) -> None:
    assert by_line(keys // 2, keys - keys // 2, megabits * MEGABIT) is method


def test_a_fast_line_changes_nothing_and_few_or_many_keys_need_no_line() -> None:
    for keys in range(FEW + 1, MOST_BY_CURVES, 1000):
        assert by_line(keys // 2, keys - keys // 2, 1e9) is chosen(keys // 2, keys - keys // 2) is Method.OLE
    assert [depends_on_line(keys - 1, 1) for keys in (FEW, FEW + 1, MOST_BY_CURVES, MOST_BY_CURVES + 1)] == [
        False,
        True,
        True,
        False,
    ]


@given(st.integers(1, 50_000), st.integers(1, 50_000), st.floats(1.0, 1e10))
def test_both_sides_choose_alike(own: int, theirs: int, rate: float) -> None:
    assert by_line(own, theirs, rate) is by_line(theirs, own, rate)


def test_the_slower_of_both_measurements_counts_at_both() -> None:
    """Clocks that tick at every look: party 1's takes four times as long for the piece."""

    def program(circle: Circle) -> tuple[float, dict[str, list[int]]]:
        moments = iter([0.0, 0.5, 1.0, 1.25, 2.0, 2.0 + (0.5, 1.25)[circle.rank]])
        rate = measured_rate(circle, lambda: next(moments))
        return rate, dict(circle.others()[0].counters.by_tag)

    (one, sent), (two, _) = run_parties(program)
    assert one == two == PROBE_BYTES / 1.0
    assert {line.kind for line in MESSAGES_OF_LINE} >= {tag for tag in sent if tag.startswith("line/")}


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_there_cannot_be_names_its_sender(rate: float) -> None:
    def program(circle: Circle) -> None:
        channel, honest = circle.others()[0], circle.others()[0].send

        def send(tag: str, array: Any) -> None:
            honest(tag, np.array([rate]) if tag == "line/rate" and circle.rank == 0 else array)

        channel.send = send  # type: ignore[method-assign]
        measured_rate(circle, iter(range(9)).__next__)

    with pytest.raises(ProtocolError, match="party0"):
        run_parties(program)
