"""Pictures and figures of a model's bands: axes marked at round numbers, digits that say something."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.application.evaluation import picture
from unseen.application.evaluation.figures import ticks, trimmed, written

SPANS = st.floats(min_value=1e-9, max_value=1e12)


@given(low=st.floats(min_value=-1e6, max_value=1e6), span=SPANS)
def test_ticks_are_few_round_numbers_around_the_span_at_even_distances(low: float, span: float) -> None:
    low, high = (low, low + span) if span > abs(low) * 1e-6 else (0.0, span)
    found = ticks(low, high)
    step = (found[-1] - found[0]) / (len(found) - 1)
    assert 2 <= len(found) <= 6
    assert found[0] <= low + step * 1e-6
    assert found[-1] >= high - step * 1e-6
    assert found[1] > low - step * 1e-6  # no mark more than needed
    assert found[-2] < high + step * 1e-6
    for number, value in enumerate(found):
        assert math.isclose(value, found[0] + number * step, rel_tol=1e-9, abs_tol=step * 1e-6)
    leading = step / 10.0 ** math.floor(math.log10(step * (1 + 1e-9)))
    assert any(math.isclose(leading, round_one, rel_tol=1e-5) for round_one in (1.0, 2.0, 2.5, 5.0))


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 0.6274, [0.0, 0.2, 0.4, 0.6, 0.8]),
        (-3.1, 12_345.0, [-2500.0, 0.0, 2500.0, 5000.0, 7500.0, 10000.0, 12500.0]),
        (0.0, 17_301.0, [0.0, 5000.0, 10000.0, 15000.0, 20000.0]),
    ],
)
def test_the_marks_of_an_axis(low: float, high: float, marks: list[float]) -> None:
    assert ticks(low, high, 7 if low < 0 else 6) == marks


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_what_is_no_span_has_no_axis(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="to a greater one"):
        ticks(low, high)


@given(value=st.floats(min_value=1e-12, max_value=1e12), negative=st.booleans(), digits=st.integers(2, 6))
def test_a_written_number_is_right_to_its_digits(value: float, negative: bool, digits: int) -> None:
    value = -value if negative else value
    for text in (written(value, digits), trimmed(value, digits)):
        assert abs(float(text.replace(",", "")) - value) <= abs(value) * 10.0 ** (1 - digits)
    if abs(value) >= 1e-4:
        shown = [figure for figure in written(value, digits) if figure.isdigit()]
        significant = "".join(shown).lstrip("0")
        assert len(significant) >= digits
        assert "e" not in written(value, digits)


def test_numbers_as_a_person_reads_them() -> None:
    assert [written(value) for value in (0.95, 0.0731249, 1.5, 12_345.6, 0.0, -3.25e-7)] == [
        "0.9500",
        "0.07312",
        "1.500",
        "12,346",
        "0",
        "-3.250e-07",
    ]
    short = [trimmed(value, 3) for value in (0.046, 12_345.0, 250.0, 3e-7, 0.0)]
    assert short == ["0.046", "12,300", "250", "3e-07", "0"]


def bands(*means: tuple[float, float]) -> list[dict[str, Any]]:
    rows, total = 50, sum(came for came, _ in means)
    found, seen = [], 0.0
    for came, expected in means:
        seen += came
        found.append({"rows": rows, "came": came * rows, "expected": expected * rows, "gain": seen / total})
    return found


def places(svg: str, kind: str) -> list[tuple[float, float]]:
    root = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="s" '))
    x, y = ("cx", "cy") if kind == "circle" else ("x", "y")
    return [(float(one.get(x, 0)), float(one.get(y, 0))) for one in root.iter(f"{{s}}{kind}")]


def test_points_of_the_calibration_lie_where_the_marks_say() -> None:
    """Read back as a person does: from the places of the marks to the values of the points."""
    means = ((18_400.0, 17_900.0), (9_100.0, 9_700.0), (1_200.0, 1_050.0))
    svg = picture.calibration(bands(*means))
    marks = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">([\d,]+)<', svg)
    known = [(float(place), float(text.replace(",", ""))) for place, text in marks]
    assert [value for _, value in known] == [0.0, 5000.0, 10000.0, 15000.0, 20000.0]
    (left, low), (right, high) = known[0], known[-1]
    for (across, _), (_, expected) in zip(places(svg, "circle"), means, strict=True):
        assert low + (across - left) / (right - left) * (high - low) == pytest.approx(expected, abs=5.0)


@pytest.mark.parametrize("most", [0.004, 1.0, 18_400.0, 73_000_000.0])
def test_no_mark_is_cut_off_or_runs_into_the_next(most: float) -> None:
    svg = picture.calibration(bands((most, most), (most / 3, most / 4)))
    width = float(re.findall(r'viewBox="0 0 (\d+)', svg)[0])
    found = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">([\d.,]+)<', svg)
    ends = [(float(x) - 3.0 * len(text), float(x) + 3.0 * len(text)) for x, text in found]
    assert all(end < begin for (_, end), (begin, _) in pairwise(ends))
    assert ends[-1][1] <= width
    heights = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="end">([\d.,]+)<', svg)
    assert all(float(x) - 6.0 * len(text) > 14 for x, text in heights)  # clear of the axis' name


def test_gains_are_marked_in_fifths_and_end_at_all_of_both() -> None:
    svg = picture.gains(bands((0.6, 0.5), (0.1, 0.2)))
    assert re.findall(r'text-anchor="end">([^<]+)<', svg) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert len(places(svg, "circle")) == 3


def test_bands_that_all_expect_and_see_nothing_are_drawn_on_one_unit() -> None:
    svg = picture.calibration([{"rows": 5, "came": 0.0, "expected": 0.0}])
    assert re.findall(r'text-anchor="end">([^<]+)<', svg)[-1] == "1"
