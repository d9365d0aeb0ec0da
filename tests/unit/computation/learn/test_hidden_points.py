"""Points of bins on shares, against the same in the clear."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.application.credit.scorecard import adverse
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.hidden_points import looked_up, lost_points, most_adverse, points_of_bins, whole
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.private import private_words

WIDTHS = (3, 5, 2, 4)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=40))
def test_numbers_are_rounded_to_the_nearest_whole_one(values: list[float]) -> None:
    given = np.array(values)

    def program(circle: Circle) -> np.ndarray:
        mine = given if circle.rank == 0 else None
        return reveal(whole(from_owner(circle, 0, mine, given.shape, 24)), "test")

    found = run_parties(program, 2)[1]
    assert (np.abs(found - given) <= 0.5 + 2**-23).all()
    assert (found == np.rint(found)).all()


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("most", [1, 2, 5])
def test_points_totals_and_reasons_are_those_of_the_clear(parties: int, most: int) -> None:
    draw = np.random.default_rng(most)
    weights, coefficients = draw.normal(size=sum(WIDTHS)), -draw.uniform(0.1, 1.5, len(WIDTHS))
    places = draw.integers(0, WIDTHS, size=(200, len(WIDTHS)))
    starts = np.cumsum([0, *WIDTHS[:-1]])
    plain = np.split(np.rint(50.0 - 28.85 * np.repeat(coefficients, WIDTHS) * weights), starts[1:])
    hot = np.zeros((200, sum(WIDTHS)), dtype=np.uint64)
    np.put_along_axis(hot, places + starts, np.uint64(1), axis=1)

    def program(circle: Circle) -> tuple[np.ndarray, ...]:
        def entered(values: np.ndarray) -> object:
            return from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, 28)

        parts = points_of_bins(entered(weights), entered(coefficients), WIDTHS, 28.85)  # type: ignore[arg-type]
        points = whole(parts + 50.0)
        matrix = private_words(circle, 1, hot if circle.rank == 1 else None, hot.shape)
        found = looked_up(matrix, points, WIDTHS)
        reasons = most_adverse(lost_points(found, points, WIDTHS), most)
        return reveal(points, "test"), reveal(found.sum(axis=1), "test"), reveal(reasons, "test")

    points, totals, reasons = run_parties(program, parties)[0]
    np.testing.assert_array_equal(points, np.concatenate(plain))
    columns = [column.astype(np.int64) for column in plain]
    np.testing.assert_array_equal(totals, sum(column[places[:, j]] for j, column in enumerate(columns)))
    np.testing.assert_array_equal(reasons, adverse(columns, places, most))
