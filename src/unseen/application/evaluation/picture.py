"""Two small drawings of a model's bands, as SVG text: what was expected against what came, and the gains curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from unseen.application.evaluation.figures import ticks, trimmed
from unseen.encoding import Json

_SIDE: Final = 260.0
_LINE: Final = 14.0
_LETTER: Final = 6.4
"""Height of a line and width of a letter of the marks, in the picture's units."""
_LONG: Final = 7
"""Marks of more letters than this stand too near to each other, unless they are fewer."""


def calibration(bands: Sequence[Mapping[str, Any]]) -> str:
    """Each band a point: the mean that the model expected, and the mean that came; on the diagonal they agree."""
    points = [(band["expected"] / size(band), band["came"] / size(band)) for band in bands]
    values = [value for point in points for value in point]
    low, high = min(0.0, *values), max(0.0, *values)
    return _drawing(points, low, high if high > low else low + 1.0, "expected", "came", joined=False)


def gains(bands: Sequence[Mapping[str, Any]]) -> str:
    """Of all that came, the share in the bands so far, highest predictions first; the diagonal is no model."""
    total = sum(size(band) for band in bands)
    points, seen = [(0.0, 0.0)], 0.0
    for band in bands:
        seen += size(band)
        points.append((seen / total, band["gain"]))
    across, up = "share of rows, highest predictions first", "share of what came"
    return _drawing(points, 0.0, 1.0, across, up, joined=True)


def _drawing(
    points: Sequence[tuple[float, float]], low: float, high: float, across: str, up: str, joined: bool
) -> str:
    """Both axes go from a round number at `low` or below to one at `high` or above."""
    marks = ticks(low, high)
    if max(len(trimmed(value)) for value in marks) > _LONG:
        marks = ticks(low, high, most=4)
    low, high, wide = marks[0], marks[-1], _LETTER * max(len(trimmed(value)) for value in marks)
    left, top, bottom, right = _LINE + 8 + wide, 10.0, 10 + _SIDE, _LINE + 8 + wide + _SIDE

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (x - low) / (high - low) * _SIDE, bottom - (y - low) / (high - low) * _SIDE

    width, height = right + max(8.0, wide / 2), bottom + 2 * _LINE + 8
    parts = [
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{up} against {across}">',
        f'<path d="M{left:.1f} {top}V{bottom}H{right:.1f}" fill="none" stroke="#9aa5b1"/>',
        f'<path d="M{left:.1f} {bottom}L{right:.1f} {top}" stroke="#cbd2d9" stroke-dasharray="4 4"/>',
    ]
    for value in marks:
        (x, y), said = place(value, value), trimmed(value)
        parts.append(f'<text x="{x:.1f}" y="{bottom + _LINE:.1f}" text-anchor="middle">{said}</text>')
        parts.append(f'<text x="{left - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{said}</text>')
    places = [place(*point) for point in points]
    if joined:
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{line}" fill="none" stroke="#0b6e4f" stroke-width="2"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0b6e4f"/>' for x, y in places]
    parts.append(f'<text x="{left + _SIDE / 2:.1f}" y="{height - 6:.1f}" text-anchor="middle">{across}</text>')
    parts.append(
        f'<text transform="translate(11 {10 + _SIDE / 2})rotate(-90)" text-anchor="middle">{up}</text></svg>'
    )
    return "".join(parts)


def size(band: Mapping[str, Any]) -> float:
    """What a band's rates are over: its weight where rows carry weights, else its rows."""
    return float(band.get("weight", band["rows"])) or 1.0


def has_bands(evaluation: Mapping[str, Json]) -> bool:
    """Whether there is something to draw: bands, and something that came in them."""
    bands: Any = evaluation.get("bands")
    return bool(bands) and sum(band["came"] for band in bands) > 0
