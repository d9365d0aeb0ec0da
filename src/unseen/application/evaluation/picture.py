"""Two small drawings of a model's bands, as SVG text: what was expected against what came, and the gains curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from unseen.encoding import Json

_SIDE: Final = 260.0
_EDGE: Final = 46.0
_TICKS: Final = 4


def calibration(bands: Sequence[Mapping[str, Any]]) -> str:
    """Each band a point: the mean that the model expected, and the mean that came; on the diagonal they agree."""
    points = [(band["expected"] / size(band), band["came"] / size(band)) for band in bands]
    values = [value for point in points for value in point]
    low, high = min(0.0, *values), max(values)
    return _drawing(points, low, high if high > low else low + 1.0, "expected", "came", joined=False)


def gains(bands: Sequence[Mapping[str, Any]]) -> str:
    """Of all that came, the share in the bands so far, highest predictions first; the diagonal is no model."""
    total = sum(size(band) for band in bands)
    points, seen = [(0.0, 0.0)], 0.0
    for band in bands:
        seen += size(band)
        points.append((seen / total, band["gain"]))
    return _drawing(
        points, 0.0, 1.0, "share of rows, highest predictions first", "share of what came", joined=True
    )


def _drawing(
    points: Sequence[tuple[float, float]], low: float, high: float, across: str, up: str, joined: bool
) -> str:
    def place(x: float, y: float) -> tuple[float, float]:
        return _EDGE + (x - low) / (high - low) * _SIDE, 10 + _SIDE - (y - low) / (high - low) * _SIDE

    size, (left, bottom), (right, top) = _SIDE + _EDGE + 14, place(low, low), place(high, high)
    parts = [
        f'<svg viewBox="0 0 {size:.0f} {size:.0f}" role="img" aria-label="{up} against {across}">',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#9aa5b1"/>',
        f'<path d="M{left} {bottom}L{right} {top}" stroke="#cbd2d9" stroke-dasharray="4 4"/>',
    ]
    for number in range(_TICKS + 1):
        value = low + (high - low) * number / _TICKS
        x, y = place(value, value)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{value:.3g}</text>')
        parts.append(f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    places = [place(*point) for point in points]
    if joined:
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{line}" fill="none" stroke="#0b6e4f" stroke-width="2"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0b6e4f"/>' for x, y in places]
    parts.append(f'<text x="{left + _SIDE / 2}" y="{size - 4}" text-anchor="middle">{across}</text>')
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
