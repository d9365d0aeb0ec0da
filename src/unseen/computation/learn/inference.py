"""Tests and intervals of coefficients, from numbers in the clear at whoever receives a model.

Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.5.8 (continued fraction of the
incomplete beta function) and 26.7.1 (Student's distribution by it).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

MOST_TERMS: Final = 400


@dataclass(frozen=True)
class Coefficient:
    """A line of a model's table: `statistic` = value / error, `p` two-sided, `low` to `high` the interval.

    All but `value` are None where the column is not in the model.
    """

    name: str
    value: float
    error: float | None = None
    statistic: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None


def coefficient(
    name: str, value: float, error: float, freedom: float = math.inf, level: float = 0.95
) -> Coefficient:
    """Test against zero by the normal distribution, or Student's with so many degrees of freedom."""
    if not error > 0:
        return Coefficient(name, value)
    statistic, reach = value / error, quantile((1 - level) / 2, freedom) * error
    return Coefficient(name, value, error, statistic, two_sided(statistic, freedom), value - reach, value + reach)


def two_sided(statistic: float, freedom: float = math.inf) -> float:
    """The chance of a value at least so far from zero, if the true one is zero."""
    if math.isinf(freedom):
        return math.erfc(abs(statistic) / math.sqrt(2.0))
    square = statistic * statistic
    if square < freedom:  # near zero, one less the small part keeps the digits that the large part has lost
        return 1.0 - _incomplete_beta(square / (freedom + square), 0.5, freedom / 2.0)
    return _incomplete_beta(freedom / (freedom + square), freedom / 2.0, 0.5)


def quantile(tail: float, freedom: float = math.inf) -> float:
    """What a value exceeds with chance `tail`, between 0 and 1/2."""
    if math.isinf(freedom):
        return NormalDist().inv_cdf(1.0 - tail)
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > 2 * tail:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > 2 * tail else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), by the fraction where it converges fast, elsewhere by I_x(a, b) = 1 - I_{1-x}(b, a)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(1.0 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """1/(1 + d1/(1 + d2/(1 + …))), from the front by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    for term in range(MOST_TERMS):
        m = term // 2
        if term == 0:
            step = 1.0
        elif term % 2 == 0:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 / _away_from_zero(1.0 + step * d)
        c = _away_from_zero(1.0 + step / c)
        value *= c * d
        if term and abs(1.0 - c * d) < 1e-15:
            break
    return value - 1.0


def _away_from_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
