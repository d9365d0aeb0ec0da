"""The data contract of a join key: how it is written, and whether this side's keys are fit to join on.

Both sides must write keys alike or they find too few customers in common. The rules have a version, which
stands in the plan, so that both sides prove to use the same.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.protect.text import read
from unseen.errors import DataError

NORMALISATION: Final = "unseen-key/1"
"""Version 1: Unicode form NFKC, white space at the ends removed and runs of it made one space, case folded."""

KEY_BYTES_LIMIT: Final = 64 << 10
MOST_WARNED_SHARE: Final = 0.01
_APART: Final = "\ufdd0"
"""A code point that Unicode keeps free of characters for good: it has no other form, and joins with nothing."""
_AT_ONCE: Final = 1 << 14
"""Texts that are folded in one."""


def normalised(keys: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Keys of any type as normalised strings (version 1); nulls stay null. Raises DataError for nested types."""
    from unseen.data import key_kernels  # compiles at its first use; who only looks at a catalogue needs none

    text = read(keys)
    plain, wide = key_kernels.normalised(text)
    return (
        with_wide(plain.arrow(), wide, _unicode(text.arrow().filter(pa.array(wide))))
        if wide.any()
        else plain.arrow()
    )


def whole(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Days as ISO dates, whole numbers that a tool has stored as fractions as whole numbers.

    Raises DataError for a column of fractions, which no key is.
    """
    if pa.types.is_timestamp(values.type):
        return pc.cast(values, pa.date32(), safe=False)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    elif not pa.types.is_decimal(values.type):
        return values
    try:
        return pc.cast(values, pa.int64() if pa.types.is_floating(values.type) else pa.decimal128(38, 0))
    except pa.ArrowInvalid:
        raise DataError("a key column holds fractions; store it as text or whole numbers") from None


def with_wide(plain: pa.Array, wide: npt.NDArray[np.bool_], others: pa.Array) -> pa.Array:
    """Rows of ASCII, and in the places of those that are not what is written of them."""
    return pc.replace_with_mask(plain, pa.array(wide), others.cast(plain.type))


def _unicode(texts: pa.Array) -> pa.Array:
    """The same by Unicode's own tables, text by text."""
    folded = pa.concat_arrays(
        [_folded(texts.slice(start, _AT_ONCE)) for start in range(0, max(len(texts), 1), _AT_ONCE)]
    )
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(folded), r"\s+", " ")


def _folded(texts: pa.Array) -> pa.Array:
    """NFKC and case folding of many texts in one, with a sign between them that composes with none."""
    values = texts.to_pylist()
    whole = _APART.join(values)
    if whole.count(_APART) == len(values) - 1:
        return pa.array(unicodedata.normalize("NFKC", whole).casefold().split(_APART), texts.type)
    return pa.array([unicodedata.normalize("NFKC", value).casefold() for value in values], texts.type)


@dataclass(frozen=True)
class KeyReport:
    """How fit a key column is: shares of rows that are empty, repeat an earlier key, or are no such key.

    `commonest`: how often the commonest key occurs.
    """

    rows: int
    empty: float
    duplicate: float
    malformed: float
    normalisation: str = NORMALISATION
    commonest: int = 1

    def warnings(self) -> list[str]:
        """What a steward should look at before the join, in plain words."""
        found = []
        for share, what in ((self.empty, "empty"), (self.duplicate, "repeated"), (self.malformed, "malformed")):
            if share > 0:
                found.append(f"{share:.2%} of the keys are {what}")
        if self.commonest >= 10 and self.commonest > MOST_WARNED_SHARE * self.rows:
            found.append(f"one value stands in {self.commonest:,} rows: is it a placeholder?")
        return found


def check_keys(keys: pa.Array) -> KeyReport:
    """Measure normalised keys. Raises DataError for a column without rows."""
    long = pc.greater(pc.binary_length(pc.fill_null(keys, "")), KEY_BYTES_LIMIT)
    return measured(keys, _blank(keys), long, NORMALISATION)


def measured(keys: pa.Array, empty: pa.Array, malformed: pa.Array, rule: str) -> KeyReport:
    """Measure keys of which it is known which were empty and which are none. Raises DataError without rows."""
    rows = len(keys)
    if rows == 0:
        raise DataError("the key column has no rows")
    there = keys.filter(pc.invert(empty)) if pc.any(empty).as_py() else keys
    there = there.drop_null() if there.null_count else there
    counts = pc.value_counts(there).field("counts")
    return KeyReport(
        rows,
        count_true(empty) / rows,
        (len(there) - len(counts)) / rows,
        count_true(malformed) / rows,
        rule,
        pc.max(counts).as_py() or 0,
    )


def _blank(texts: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.utf8_length(texts), 0), True)


def count_true(truths: pa.Array) -> int:
    """How many are true; nulls are not."""
    return int(pc.sum(pc.cast(truths, pa.int64())).as_py() or 0)


def require_unique(keys: pa.Array) -> None:
    """Raises DataError unless every key is there and no two are alike."""
    report = check_keys(keys)
    if report.warnings():
        raise DataError(
            f"{' and '.join(report.warnings())}; a join needs one row a person: "
            "remove or merge these rows at the source, then register the data set again"
        )
