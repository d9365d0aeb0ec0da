"""Rows of a shared table in a random order that nobody knows.

The table goes from party to party; each puts the masked rows into an order of its own and masks them anew. What
the masks have become at the end is dealt. Chase, Ghosh, Poburinnaya, ASIACRYPT 2020 (eprint 2019/1340), section 5,
do it between two parties for each half; with dealt masks one journey does.

Setting: semi-honest, any number of parties, all but one colluding; correlated randomness from the source, whose
maker knows the order, but no row. Nobody learns anything; perfect hiding, no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.correlation.row_kinds import Shuffle
from unseen.computation.kernels import permute
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared, as_rows
from unseen.errors import MisuseError

SHUFFLE: Final = Profile(
    id="share/shuffle",
    title="Rows in a random order that nobody knows",
    source="Chase, Ghosh, Poburinnaya, ASIACRYPT 2020, eprint 2019/1340, with dealt masks",
    rounds=lambda rows, columns, parties=2: parties,
    bytes_sent=lambda rows, columns, parties: 2 * (parties - 1) * 8 * rows * columns,
)


def shuffle(table: Shared) -> Shared:
    """(rows, …) in a uniformly random order of the rows: as many rounds as parties.

    Exact over the whole ring. 8 bytes a number from each party but the first, and 8 from each but the last.
    """
    circle, shape = table.circle, table.shape
    if not shape:
        raise MisuseError("a single number has no rows to shuffle")
    flat = as_rows(table)
    rank, last = circle.rank, circle.size - 1
    drawn, *masks, part = circle.source.ask(Shuffle(flat.shape[0], flat.shape[1], circle.size)).take()
    if rank == 0:
        rows = flat.copy()
        for channel in circle.others():
            rows += channel.receive("shuffle", np.uint64, flat.shape)
    else:
        circle.channel(0).send("shuffle", flat - masks[-1])
        rows = circle.channel(rank - 1).receive("shuffle", np.uint64, flat.shape)
    rows = rows[permute.permutation(drawn)]
    if rank < last:
        rows -= masks[0]
        circle.channel(rank + 1).send("shuffle", rows)
        rows = part
    else:
        rows += part
    return Shared(circle, rows.reshape(shape), table.fraction)
