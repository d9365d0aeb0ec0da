"""Check digits, for many numbers at once: (n, length) arrays of digits in, (n,) truths out.

Each function is one published scheme. Letters come in as 10 to 35 (`ALPHANUMERIC`), digits as themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Digits = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


def matrix(texts: pa.Array, length: int) -> Digits:
    """Texts of one length as their digits' values: 0 to 9, letters 10 to 35 of either case, others -1."""
    codes = np.frombuffer("".join(texts.to_pylist()).encode("ascii", "replace"), np.uint8).reshape(-1, length)
    return _VALUES[codes]


def _values() -> Digits:
    values = np.full(256, -1, np.int64)
    values[48:58] = np.arange(10)
    values[65:91] = values[97:123] = np.arange(10, 36)
    return values


_VALUES = _values()


def weighted(digits: Digits, weights: Sequence[int]) -> Digits:
    """The sum of digits times weights, over as many digits as there are weights."""
    total: Digits = digits[:, : len(weights)] @ np.asarray(weights, np.int64)
    return total


def number(digits: Digits) -> Digits:
    """The number that up to eighteen digits write."""
    total = np.zeros(len(digits), np.int64)
    for column in digits.T:
        total = total * 10 + column
    return total


def luhn(digits: Digits) -> Truths:
    """Luhn's check (ISO/IEC 7812-1 annex B)."""
    doubled = digits.copy()
    doubled[:, -2::-2] = np.where(doubled[:, -2::-2] > 4, 2 * doubled[:, -2::-2] - 9, 2 * doubled[:, -2::-2])
    valid: Truths = doubled.sum(axis=1) % 10 == 0
    return valid


def mod_97(digits: Digits) -> Truths:
    """ISO 7064 mod 97-10 over letters and digits, as IBAN uses it: the first four signs go to the end."""
    remainder = np.zeros(len(digits), np.int64)
    for column in np.roll(digits, -4, axis=1).T:
        remainder = (remainder * np.where(column > 9, 100, 10) + column) % 97
    valid: Truths = remainder == 1
    return valid


def mod_11_2(digits: Digits) -> Truths:
    """ISO 7064 mod 11-2, whose last sign may be X for ten (China's resident identity number, GB 11643)."""
    body, last = digits[:, :-1], digits[:, -1]
    weights = [pow(2, place, 11) for place in range(body.shape[1], 0, -1)]
    total = weighted(body, weights) + np.where(last == 33, 10, last)
    valid: Truths = (total % 11 == 1) & (last != 10)
    return valid


def mod_11_10(digits: Digits) -> Truths:
    """ISO 7064 mod 11,10 (Germany's tax identity number, Croatia's OIB)."""
    state = np.full(len(digits), 10, np.int64)
    for column in digits[:, :-1].T:
        total = (state + column) % 10
        state = 2 * np.where(total == 0, 10, total) % 11
    valid: Truths = (state + digits[:, -1]) % 10 == 1
    return valid


def day_of(digits: Digits, year: int, month: int, day: int, width: int = 2) -> Truths:
    """Whether month and day stand at these places and could be a date; `width` digits of the year at `year`."""
    months = 10 * digits[:, month] + digits[:, month + 1]
    days = 10 * digits[:, day] + digits[:, day + 1]
    valid: Truths = (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)
    if width == 4:
        century = 10 * digits[:, year] + digits[:, year + 1]
        valid &= (century == 19) | (century == 20)
    return valid
