"""Marks in the numbers of an exported table, so that a leaked copy names whom it was given to.

Each number is rounded to an even or odd multiple of its column's unit (its last decimal), which of the two being a
keyed bit of the rest of the number and of the recipient. A value moves by one unit at most. The mark needs no row
identifier, no order and no column name: any part of the rows and any one marked column will do, as long as values
stay exact. It is in the values, so that rounding by a digit or noise removes it, and recipients who compare their
copies can find it.

To trace, the distinct values of each column are held against each recipient's bits. In a column that was not
marked each agrees with probability one half, so that k of n agree with probability at most exp(-n·KL(k/n, 1/2))
(Chernoff 1952); that, times the number of tests made, is stated with every name. Related: Agrawal & Kiernan, VLDB
2002, which keys by a row's identifier instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from unseen.data.number_column import as_numbers, is_number
from unseen.data.protect.secret import Secret
from unseen.errors import DataError

DECIMALS: Final = range(7)
"""Units that are looked for: 1 to a millionth."""
LEAST_VALUES: Final = 64
"""A column with fewer distinct values is not marked: it would name nobody with certainty."""
MOST_FALSE: Final = 1e-9
"""A recipient is named where chance alone would name one with at most this probability."""
_EXACT: Final = 2.0**52
_TRACED: Final = 1_000_000  # distinct values of one column that are looked at; more prove nothing more

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Marked:
    """An exported table with its marks, which columns carry them, and the largest change of any value in each."""

    table: pa.Table
    columns: tuple[str, ...]
    changes: tuple[float, ...]


@dataclass(frozen=True)
class Finding:
    """One recipient that a copy names: by which column, how many values agree, how likely that is by chance."""

    recipient: str
    column: str
    values: int
    agreeing: int
    chance: float


def mark(table: pa.Table, secret: Secret, recipient: str, columns: Sequence[str] | None = None) -> Marked:
    """Mark the named columns (or all numeric ones with enough distinct values) for a recipient.

    Raises DataError if there is none to mark. Types stay; missing values stay missing.
    """
    cipher = _cipher(secret, recipient)
    made, names, changes = table, [], []
    for place, field in enumerate(table.schema):
        if not is_number(field.type) or (columns is not None and field.name not in columns):
            continue
        values = as_numbers(table.column(place)).copy()
        known = values[~np.isnan(values)]
        if len(np.unique(known)) < LEAST_VALUES or (decimals := _unit(known)) is None:
            continue
        marked = values.copy()
        whole = np.rint(known * 10**decimals).astype(np.int64)
        marked[~np.isnan(values)] = np.round(_carrying(whole, cipher) / 10**decimals, decimals)
        column = pc.cast(pa.array(marked, mask=np.isnan(marked)), field.type, safe=False)
        made = made.set_column(place, field, column)
        names.append(field.name)
        changes.append(float(np.nanmax(np.abs(marked - values))))
    if not names:
        raise DataError(
            f"no column to mark: it takes a numeric column of at least {LEAST_VALUES} distinct values that are not"
            " rounded away"
        )
    return Marked(made, tuple(names), tuple(changes))


def trace(table: pa.Table, secret: Secret, recipients: Sequence[str]) -> list[Finding]:
    """Who of the recipients is named by a copy, whatever is left of it; the surest first."""
    columns = [field.name for field in table.schema if is_number(field.type)]
    tests = max(1, len(recipients) * len(columns) * len(DECIMALS))
    found: list[Finding] = []
    ciphers = {recipient: _cipher(secret, recipient) for recipient in recipients}
    for name in columns:
        values = as_numbers(table.column(name))
        distinct = np.unique(values[~np.isnan(values)])[:_TRACED]
        for decimals in DECIMALS:
            whole = _multiples(distinct, decimals)
            if len(whole) < LEAST_VALUES // 2:
                continue
            for recipient, cipher in ciphers.items():
                agreeing = int((_carrying(whole, cipher) == whole).sum())
                chance = min(1.0, tests * _chance(agreeing, len(whole)))
                if chance <= MOST_FALSE:
                    found.append(Finding(recipient, name, len(whole), agreeing, chance))
    best: dict[tuple[str, str], Finding] = {}
    for finding in sorted(found, key=lambda finding: finding.chance):
        best.setdefault((finding.recipient, finding.column), finding)
    return list(best.values())


def _carrying(whole: Whole, cipher: Cipher[modes.ECB]) -> Whole:
    """The multiples nearest to these that carry the recipient's bits."""
    rest = whole >> 1
    blocks = np.zeros((len(rest), 2), np.int64)
    blocks[:, 0] = rest
    tags = np.frombuffer(cipher.encryptor().update(blocks.tobytes()), np.uint8).reshape(-1, 16)
    return rest * 2 + (tags[:, 0] & 1)


def _chance(agreeing: int, values: int) -> float:
    """A bound on the probability that so many or more of so many fair coins agree."""
    share = agreeing / values
    if share <= 0.5:
        return 1.0
    divergence = sum(p * math.log(2 * p) for p in (share, 1 - share) if p > 0)
    return math.exp(-values * divergence)


def _cipher(secret: Secret, recipient: str) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(secret.key("watermark", recipient, size=16)), modes.ECB())


def _unit(values: Real) -> int | None:
    """The fewest decimals that write (almost) all values exactly; the last looked for if none does."""
    fitting = [decimals for decimals in DECIMALS if np.abs(values).max(initial=0.0) * 10**decimals < _EXACT]
    for decimals in fitting:
        if np.isclose(np.round(values, decimals), values, rtol=1e-12, atol=1e-12).mean() > 0.999:
            return decimals
    return fitting[-1] if fitting else None


def _multiples(values: Real, decimals: int) -> Whole:
    """Those values that have so many decimals and no more, as whole numbers of the unit."""
    fits = np.abs(values) * 10**decimals < _EXACT
    exact = np.isclose(np.round(values, decimals), values, rtol=1e-12, atol=1e-12) & fits
    return np.unique(np.rint(values[exact] * 10**decimals).astype(np.int64))
