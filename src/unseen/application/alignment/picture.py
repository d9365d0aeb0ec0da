"""Two circles that overlap, to scale: the customers of either side, and those of both."""

from __future__ import annotations

from html import escape
from math import acos, pi, sqrt
from typing import Final

_LARGEST: Final = 110.0
"""Radius of the larger circle in the picture's units."""
_STEPS: Final = 60


def circles(own: tuple[str, int], other: tuple[str, int], common: int) -> str:
    """An SVG picture. Areas are in proportion to the numbers; `own` and `other` are name and size."""
    (left, m), (right, n) = own, other
    unit = _LARGEST / sqrt(max(m, n) / pi)
    radius, second = (max(3.0, unit * sqrt(size / pi)) for size in (m, n))
    apart = distance(radius, second, pi * min(radius, second) ** 2 * min(1.0, common / min(m, n)))
    width, middle = max(radius, apart + second) - min(-radius, apart - second) + 40, _LARGEST + 44
    start = 20 - min(-radius, apart - second)
    return (
        f'<svg viewBox="0 0 {max(width, 340):.0f} {2 * _LARGEST + 92:.0f}" role="img" '
        f'aria-label="{escape(left)} {m:,}, {escape(right)} {n:,}, common {common:,}">'
        f'<circle cx="{start:.1f}" cy="{middle}" r="{radius:.1f}" fill="#0b6e4f" fill-opacity=".35"/>'
        f'<circle cx="{start + apart:.1f}" cy="{middle}" r="{second:.1f}" fill="#3d5a80" fill-opacity=".35"/>'
        f'<text x="4" y="16" fill="#0b6e4f">{escape(left)}: {m:,}</text>'
        f'<text x="4" y="34" fill="#3d5a80">{escape(right)}: {n:,}</text>'
        f'<text x="4" y="{2 * _LARGEST + 82:.0f}">common: {common:,}</text></svg>'
    )


def lens(r: float, s: float, d: float) -> float:
    """The area that two circles of radii r and s with centres d apart have in common."""
    if d >= r + s:
        return 0.0
    if d <= abs(r - s):
        return pi * min(r, s) ** 2
    first = acos((d * d + r * r - s * s) / (2 * d * r))
    second = acos((d * d + s * s - r * r) / (2 * d * s))
    kite = sqrt((-d + r + s) * (d + r - s) * (d - r + s) * (d + r + s)) / 2
    return r * r * first + s * s * second - kite


def distance(r: float, s: float, area: float) -> float:
    """How far apart the centres are for that common area: halving, as the area falls with the distance."""
    near, far = abs(r - s), r + s
    for _ in range(_STEPS):
        middle = (near + far) / 2
        near, far = (middle, far) if lens(r, s, middle) > area else (near, middle)
    return (near + far) / 2
