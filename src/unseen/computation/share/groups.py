"""Group-by with shared keys: sums, counts, smallest and largest of each group, keys and sizes unknown to all.

Rows are sorted by key; the last row of a group is where the next row's key is another. Sums of all rows up to
there, taken at the groups' last rows and subtracted from each other, are the groups' sums. The last rows are put
at the front: their places are running counts, which are told to all after a shuffle.

Source: sort and running sums as in Jónsson, Kreitz, Uddin, "Secure multi-party sorting and applications" (eprint
2011/122), section 5; compaction by shuffled places as in Hamada et al., ICISC 2012. Setting: semi-honest, any
number of parties, all but one colluding. Nobody learns anything but the number of rows: not even that of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.profile import Profile
from unseen.computation.share.arithmetic import PRODUCT, product
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import RING, WHERE, Bits, packed, to_numbers, where
from unseen.computation.share.compare import EQUALITY, equal
from unseen.computation.share.sort import PLACEMENT, SORT, place, row_numbers, sort_by
from unseen.errors import MisuseError


def _compaction_bytes(rows: int, columns: int, parties: int) -> int:
    """Bits to numbers, a choice of places, the rows put there with their bits, and zeros behind."""
    steps = (
        (RING, (rows,)),
        (WHERE, (rows,)),
        (PLACEMENT, (rows, columns + 1)),
        (PRODUCT, (rows * columns,)),
    )
    return sum(step.bytes_sent(*sizes, parties) for step, sizes in steps if step.bytes_sent)


def _grouping_bytes(rows: int, columns: int, parties: int) -> int:
    """Rows sorted, the groups' last ones found and brought to the front with their keys and numbers."""
    steps = ((SORT, (rows, columns)), (EQUALITY, (rows - 1,)), (COMPACTION, (rows, columns + 2)))
    return sum(step.bytes_sent(*sizes, parties) for step, sizes in steps if step.bytes_sent)


COMPACTION: Final = Profile(
    id="share/compaction",
    title="Rows chosen by shared bits in front, zeros behind",
    source="Hamada et al., ICISC 2012",
    rounds=lambda rows, columns, parties: parties + 4,
    bytes_sent=_compaction_bytes,
)
GROUPING: Final = Profile(
    id="share/group-by",
    title="Sums and counts of the groups of a shared key",
    source="Jónsson, Kreitz, Uddin, eprint 2011/122, section 5",
    failure="none; rounds and bytes depend on the random order",
    rounds=lambda rows, columns, parties: (
        (SORT.rounds(rows, columns, parties) if SORT.rounds else 0) + parties + 7
    ),
    bytes_sent=_grouping_bytes,
    expected=True,
)


@dataclass(frozen=True, eq=False)
class Groups:
    """One row a group, in rising order of keys, then rows of zeros: as many as there were rows, or as wanted.

    `valid` is one where there is a group, `counts` how many rows it had: both without a fraction. `sums`,
    `smallest` and `largest` are (rows,) for each column asked for.
    """

    keys: Shared
    valid: Shared
    counts: Shared
    sums: tuple[Shared, ...] = ()
    smallest: tuple[Shared, ...] = ()
    largest: tuple[Shared, ...] = ()

    @property
    def number(self) -> Shared:
        """How many groups there are."""
        return self.valid.sum()


def group_by(keys: Shared, columns: Sequence[Shared] = (), most: int | None = None) -> Groups:
    """Sums of each column (n,) over the rows of equal keys (n,), and the numbers of rows.

    At most `most` groups are kept, the ones of the smallest keys (None: all, n rows). Exact, for keys of the
    whole range; |sum| of a whole column must stay below 2^(62-fraction). Costs a sort, and a shuffle, an
    equality, a choice and a product a row: seven rounds and one a party beside the sort's.
    """
    _demand(keys, columns)
    ordered, *sorted_columns = sort_by(keys, columns)
    running = [column.cumsum() for column in sorted_columns]
    rows = row_numbers(keys) + 1
    front, valid = _compacted(_last_rows(ordered), [ordered, rows, *running], most)
    kept, counted, *summed = front
    steps = _valid_only(valid, [kept, *(_differences(part) for part in (counted, *summed))])
    return Groups(steps[0], valid, steps[1], tuple(steps[2:]))


def group_extremes(keys: Shared, values: Shared, most: int | None = None) -> Groups:
    """The smallest and the largest value of each group, exactly: two sorts, by value and then by key.

    Keys (n,) and values (n,) of the whole range; otherwise as `group_by`.
    """
    _demand(keys, [values])
    by_value, companions = sort_by(values, [keys])
    ordered, within = sort_by(companions, [by_value])
    # The first row of a group follows the last of the one before, so its value is taken from there.
    following = within._with(np.roll(within.words, -1))
    rows = row_numbers(keys) + 1
    front, valid = _compacted(_last_rows(ordered), [ordered, rows, within, following], most)
    kept, counted, largest, next_smallest = front
    smallest = within._with(np.concatenate([within.words[:1], next_smallest.words[:-1]]))
    parts = _valid_only(valid, [kept, _differences(counted), smallest, largest])
    return Groups(parts[0], valid, parts[1], smallest=(parts[2],), largest=(parts[3],))


def compact(truth: Bits, columns: Sequence[Shared], most: int | None = None) -> tuple[list[Shared], Shared]:
    """The rows whose shared bit is one in front, in their order, then zeros: nobody learns which or how many.

    Columns (n,); returns them cut to `most` rows (None: n), and which rows hold something, as 0 and 1. Exact
    over the whole range. Four rounds and one a party.
    """
    if any(column.shape != truth.shape for column in columns):
        raise MisuseError("columns must have one value a bit")
    front, valid = _compacted(truth, columns, most)
    return _valid_only(valid, front), valid


def _demand(keys: Shared, columns: Sequence[Shared]) -> None:
    if keys.words.ndim != 1 or not keys.size or any(column.shape != keys.shape for column in columns):
        raise MisuseError("keys and columns must have one shape (n,), n of at least one")


def _last_rows(ordered: Shared) -> Bits:
    """Where the next key is another; the last row is always its group's last."""
    circle, share = ordered.circle, np.zeros(ordered.size, dtype=np.uint8)
    if ordered.size > 1:
        share[:-1] = (~equal(ordered[:-1], ordered[1:])).unpacked()
    share[-1] = circle.rank == 0
    return packed(circle, share)


def _compacted(truth: Bits, columns: Sequence[Shared], most: int | None) -> tuple[list[Shared], Shared]:
    """Columns with the chosen rows in front, the others behind them, cut to `most`; and 1 for the chosen."""
    flags = to_numbers(truth)
    before = flags.cumsum()
    behind = before[-1] + row_numbers(flags) - before
    positions = where(truth, before - 1, behind)
    table = Shared(truth.circle, np.column_stack([flags.words, *(column.words for column in columns)]), 0)
    moved = place(table, positions).words[:most]
    front = [column._with(np.ascontiguousarray(moved[:, i + 1])) for i, column in enumerate(columns)]
    return front, Shared(truth.circle, np.ascontiguousarray(moved[:, 0]), 0)


def _differences(running: Shared) -> Shared:
    return running._with(np.diff(running.words, prepend=np.uint64(0)))


def _valid_only(valid: Shared, columns: Sequence[Shared]) -> list[Shared]:
    """Columns with zeros where no group is: one product each, all in one round."""
    words = np.stack([column.words for column in columns])
    kept = product(Shared(valid.circle, words, 0), valid).words
    return [column._with(row) for column, row in zip(columns, kept, strict=True)]
