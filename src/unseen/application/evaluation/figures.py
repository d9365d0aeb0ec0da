"""Numbers as a person reads them: as many digits as say something, and axes that are marked at round numbers."""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import Final

_SMALLEST: Final = 1e-4
"""Nearer to zero than this, a number is written with its power of ten."""
_STEPS: Final = (1.0, 2.0, 2.5, 5.0)


def written(value: float, digits: int = 4) -> str:
    """With so many significant digits, and all of those before the point: 0.07312, 1.500, 12,346, 3.1e-06."""
    if value == 0 or not isfinite(value):
        return f"{value:g}"
    if abs(value) < _SMALLEST:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - floor(log10(abs(value))))}f}"


def trimmed(value: float, digits: int = 4) -> str:
    """As `written`, without zeros at the end."""
    if abs(value) < _SMALLEST:
        return f"{value:.{digits}g}"
    found = written(float(f"{value:.{digits}g}"), digits)
    return found.rstrip("0").rstrip(".") if "." in found else found


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Up to `most` round numbers at even distances, the first at `low` or below, the last at `high` or above.

    Raises ValueError unless low < high, both finite, and most >= 3.
    """
    if not (isfinite(low) and isfinite(high) and low < high and most >= 3):
        raise ValueError("an axis goes from a number to a greater one")
    power = floor(log10(high - low)) - 2
    while True:
        for factor in _STEPS:
            step = factor * 10.0**power
            first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
            if last - first < most:
                return [round(place * step, 12 - power) for place in range(first, last + 1)]
        power += 1
