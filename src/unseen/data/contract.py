"""The data contract of a join key: how it is written, and whether this side's keys are fit to join on.

Both sides must write keys alike or they find too few customers in common. The rules have a version, which
stands in the plan, so that both sides prove to use the same.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from unseen.errors import DataError

NORMALISATION: Final = "unseen-key/1"
"""Version 1: Unicode form NFKC, white space at the ends removed and runs of it made one space, case folded."""

KEY_BYTES_LIMIT: Final = 64 << 10
MOST_WARNED_SHARE: Final = 0.01


def normalised(keys: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Keys of any type as normalised strings (version 1); nulls stay null."""
    text = pc.cast(keys, pa.string())
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    wide = pc.invert(pc.fill_null(pc.string_is_ascii(text), True))
    folded = pc.utf8_lower(text)
    if pc.any(wide).as_py():
        values = [unicodedata.normalize("NFKC", value).casefold() for value in text.filter(wide).to_pylist()]
        folded = pc.replace_with_mask(folded, wide, pa.array(values, pa.string()))
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(folded), r"\s+", " ")


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
    there = pc.drop_null(keys.filter(pc.invert(empty)))
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
