"""Format-preserving encryption of text columns: a card number becomes another card number, and back.

Characters of the alphabet are encrypted by FF1; all others (blanks, dashes, letters in a numeric column) stay
where they are. With a check digit, the value before was valid and the value after is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.data.protect.digits import Digits
from unseen.data.protect.ff1 import FF1, LEAST_DOMAIN, large_enough
from unseen.data.protect.protection import Reason
from unseen.data.protect.secret import Secret
from unseen.data.protect.text import Numbers, Text, read
from unseen.errors import DataError, MisuseError


class Alphabet(StrEnum):
    """The characters that are encrypted; the value of a member lists them in order."""

    NUMERIC = "0123456789"
    LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
    UPPER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class CheckDigit(StrEnum):
    """A check digit that the value ends with, and that is made anew: ISO/IEC 7812-1 (Luhn)."""

    NONE = "none"
    LUHN = "luhn"


OTHER: Final = 255


@dataclass(frozen=True)
class _Rows:
    """The digits of all rows in one run, and where each row's digits begin and end."""

    digits: Digits
    bounds: Numbers
    inside: NDArray[np.bool_]
    """For each byte of the text, whether it is a character of the alphabet."""


class FormatPreserving:
    """FF1 over a column. `tweak` (public, at most 255 bytes) binds the result to a place, such as the column.

    Not for short values: fewer than 10^6 possibilities are refused (six digits, four alphanumeric characters).
    Equal values give equal results under one key and tweak: frequencies stay visible.
    """

    name: ClassVar[str] = "format-preserving"

    def __init__(
        self,
        secret: Secret,
        purpose: str,
        alphabet: Alphabet = Alphabet.NUMERIC,
        check: CheckDigit = CheckDigit.NONE,
        tweak: bytes = b"",
    ) -> None:
        if check is not CheckDigit.NONE and alphabet is not Alphabet.NUMERIC:
            raise MisuseError("a check digit is kept in numeric values only")
        if len(tweak) > 255:
            raise MisuseError("a tweak has at most 255 bytes")
        self._cipher = FF1(secret.key(self.name, purpose, alphabet.name, check.value))
        self._tweak = tweak
        self._check = check
        self._letters = np.frombuffer(alphabet.value.encode(), np.uint8)
        self._codes = np.full(256, OTHER, np.uint8)
        self._codes[self._letters] = np.arange(len(self._letters), dtype=np.uint8)

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The encrypted column, as strings.

        Raises DataError for values that are too short or whose check digit is wrong; tells how many.
        """
        return self._map(values, self._cipher.encrypt)

    def reverse(self, values: pa.Array, reason: Reason, subjects: pa.Array | None = None) -> pa.Array:
        """The column as it was, as strings."""
        reason.note(self.name, len(values))
        return self._map(values, self._cipher.decrypt)

    def _map(self, values: pa.Array, cipher: Callable[[Digits, int, bytes], Digits]) -> pa.Array:
        text = read(values)
        rows = self._rows(text)
        radix, kept = len(self._letters), int(self._check is CheckDigit.LUHN)
        lengths = np.diff(rows.bounds)
        self._require_long(lengths[text.valid] - kept, radix)
        out = rows.digits.copy()
        for length in np.unique(lengths[text.valid]):
            starts = rows.bounds[:-1][text.valid & (lengths == length)]
            places = starts[:, np.newaxis] + np.arange(length)
            group = rows.digits[places]
            if kept:
                _require_luhn(group)
            body = cipher(group[:, : length - kept], radix, self._tweak)
            out[places] = np.column_stack([body, luhn_digit(body)]) if kept else body
        data = text.data.copy()
        data[rows.inside] = self._letters[out]
        return Text(data, text.offsets, text.valid).arrow()

    def _rows(self, text: Text) -> _Rows:
        codes = self._codes[text.data]
        inside = codes != OTHER
        before = np.concatenate([[0], np.cumsum(inside)])
        return _Rows(codes[inside], before[text.offsets], inside)

    def _require_long(self, lengths: Numbers, radix: int) -> None:
        least = next(length for length in range(2, 64) if large_enough(radix, length))
        short = int((lengths < least).sum())
        if short:
            raise DataError(
                f"{short} values are too short to encrypt in their own format: at least {least} characters of the"
                f" alphabet make {LEAST_DOMAIN} possible values; choose tokens for this column"
            )


def luhn_digit(body: Digits) -> Digits:
    """The Luhn check digit of each row of decimal digits (the digit itself not yet among them)."""
    doubled = body[:, ::-1][:, ::2].astype(np.int64) * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + body[:, ::-1][:, 1::2].sum(axis=1, dtype=np.int64)
    return np.asarray((10 - total % 10) % 10, np.uint8)


def _require_luhn(digits: Digits) -> None:
    wrong = int((luhn_digit(digits[:, :-1]) != digits[:, -1]).sum())
    if wrong:
        raise DataError(
            f"{wrong} values end with a check digit that is not theirs; mend them at the source, or encrypt the"
            " column without a check digit"
        )
