"""Rows of shared tables in an order that one party knows: permutations, choices of rows, gathers.

The source supplies a uniform permutation π, known to the order's owner, and for each table a mask r and shares
of r's rows in the order of π. The owner tells all the order's difference τ to π, once: it is uniform. For each
table the others send the owner their rows less the mask; the owner puts them into its order, and everybody the
shares of the permuted mask into the order of τ. The way back uses the same π and τ.

Source: Mohassel & Sadeghian, EUROCRYPT 2013 (eprint 2013/137), oblivious permutations and their extension to
repeated rows; the split into a dealt permutation and a difference as in Chase, Ghosh, Poburinnaya, ASIACRYPT 2020.
Setting: semi-honest, any number of parties, all but one colluding. The owner learns nothing, the others nothing
but the numbers of rows. Perfect hiding, no failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.row_kinds import Permutation, Permuted
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import permute
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared, as_rows
from unseen.computation.types import Index, Words
from unseen.errors import DataError, MisuseError, ProtocolError

PRIVATE_ORDER: Final = Profile(
    id="share/private-order",
    title="Rows of a shared table in an order that one party knows",
    source="Mohassel & Sadeghian, EUROCRYPT 2013; Chase, Ghosh, Poburinnaya, ASIACRYPT 2020",
    rounds=lambda rows, columns: 1,
    bytes_sent=lambda rows, columns, parties: (parties - 1) * 8 * rows * columns,
)
PRIVATE_GATHER: Final = Profile(
    id="share/private-gather",
    title="Rows of a shared table at places that one party knows, repeats allowed",
    source="Mohassel & Sadeghian, EUROCRYPT 2013, section 3, with sums of differences for the repeats",
    rounds=lambda rows, chosen, columns: 3,
    bytes_sent=lambda rows, chosen, columns, parties: (parties - 1) * (16 * columns + 8) * (rows + chosen),
)
MOST_ROWS: Final = 1 << 31
"""Row numbers travel in 32 bits."""


@dataclass(frozen=True, eq=False)
class PrivateOrder:
    """An order of `count` rows known at party `owner` (a rank), of which the first `chosen` are wanted.

    `places` is the source's permutation π at the owner, None elsewhere; `relative` is τ, known to all.
    """

    circle: Circle
    owner: int
    count: int
    chosen: int
    number: int
    places: Index | None
    relative: Index

    def apply(self, table: Shared, asked: Ticket | None = None) -> Shared:
        """Shared (count, …) to (chosen, …): row i is the table's row order[i], exactly. One round.

        8 bytes a number from each party but the owner. `asked` is what was announced for this table.
        """
        self._demand(table, self.count)
        words = self._permuted(table, back=False, asked=asked)[self.relative[: self.chosen]]
        return Shared(self.circle, words.reshape(self.chosen, *table.shape[1:]), table.fraction)

    def undo(self, table: Shared) -> Shared:
        """The way back for an order of all rows: row order[i] of the result is the table's row i. One round."""
        self._demand(table, self.chosen)
        if self.chosen < self.count:
            raise MisuseError("a choice of rows cannot be undone")
        turned = Shared(self.circle, table.words[permute.inverse(self.relative)], table.fraction)
        words = self._permuted(turned, back=True)
        return Shared(self.circle, words.reshape(table.shape), table.fraction)

    def forget(self) -> None:
        """The order is not needed any more: the source may drop its permutation."""
        self.circle.source.forget(self.number)

    def __repr__(self) -> str:
        return f"PrivateOrder({self.chosen} of {self.count} rows, owner={self.circle.parties[self.owner]!r})"

    def _demand(self, table: Shared, rows: int) -> None:
        if table.shape[:1] != (rows,):
            raise MisuseError(f"the table must have {rows} rows, not shape {table.shape}")

    def _permuted(self, table: Shared, back: bool, asked: Ticket | None = None) -> Words:
        """This party's share of the rows in the order of π, or of its inverse."""
        circle = self.circle
        flat = as_rows(table)
        ticket = asked or circle.source.ask(Permuted(self.number, self.count, flat.shape[1], self.owner, back))
        if self.places is None:
            mask, share = ticket.take()
            circle.channel(self.owner).send("private-order", flat - mask)
            rows: Words = share
            return rows
        (share,) = ticket.take()
        total = flat.copy()
        for channel in circle.others():
            total += channel.receive("private-order", np.uint64, flat.shape)
        moved: Words = total[permute.inverse(self.places) if back else self.places]
        moved += share
        return moved


def private_order(
    circle: Circle,
    owner: int,
    order: Index | None,
    count: int,
    chosen: int | None = None,
    asked: Ticket | None = None,
) -> PrivateOrder:
    """Enter an order: one message of 4·count bytes from the owner to each other party.

    `order` (chosen,) at the owner, None elsewhere: different row numbers below `count`; `chosen` is `count` if
    not given; `asked` is what was announced for it. Raises DataError at the owner for a number out of range or
    repeated, ProtocolError at the others for what is no order.
    """
    wanted = count if chosen is None else chosen
    if not 0 <= wanted <= count < MOST_ROWS:
        raise MisuseError(f"{wanted} of {count} rows cannot be chosen")
    ticket = asked or circle.source.ask(Permutation(count, owner))
    parts = ticket.take()
    like = np.empty(count, dtype=np.uint32)
    if circle.rank != owner:
        relative = circle.tell_all("private-order", owner, None, like)
        if not permute.is_permutation(relative):
            raise ProtocolError(circle.parties[owner], "sent an order that is none")
        return PrivateOrder(circle, owner, count, wanted, ticket.number, None, relative.astype(np.int64))
    places = permute.permutation(parts[0])
    relative = permute.inverse(places)[_completed(order, count, wanted)]
    circle.tell_all("private-order", owner, relative.astype(np.uint32), like)
    return PrivateOrder(circle, owner, count, wanted, ticket.number, places, relative)


def private_gather(circle: Circle, owner: int, index: Index | None, chosen: int, table: Shared) -> Shared:
    """Rows of a shared table at places known to one party, which may repeat, exactly: (chosen, …). Three rounds.

    The rows in use come first, in rising order; the differences of each to the one before are spread among zeros
    to where its copies begin; what they add up to are the copies. Two orders and one choice of rows.
    `index` (chosen,) at the owner, None elsewhere. Raises DataError at the owner for a place out of range.
    """
    count = table.shape[0]
    front: Index | None = None
    spread: Index | None = None
    back: Index | None = None
    if circle.rank == owner:
        if index is None or index.shape != (chosen,):
            raise MisuseError(f"the owner must bring {chosen} row numbers")
        if len(index) and (index.min() < 0 or index.max() >= count):
            raise DataError("a row number lies outside the table")
        front, starts = np.unique(index), _starts(np.sort(index))
        spread = np.where(starts, np.cumsum(starts) - 1, count + np.arange(chosen))
        back = permute.inverse(np.argsort(index, kind="stable"))
        front = np.concatenate([front, np.setdiff1d(np.arange(count), front)])
    columns = as_rows(table).shape[1]
    first, second, third = (_announced(circle, owner, n, columns) for n in (count, count + chosen, chosen))
    used = _once(private_order(circle, owner, front, count, asked=first[0]), table, first[1])
    zeros = np.zeros((chosen, *table.shape[1:]), dtype=np.uint64)
    steps = used._with(np.concatenate([used.words[:1], np.diff(used.words, axis=0), zeros]))
    runs = _once(private_order(circle, owner, spread, count + chosen, chosen, second[0]), steps, second[1])
    copies = runs._with(np.cumsum(runs.words, axis=0, dtype=np.uint64))
    return _once(private_order(circle, owner, back, chosen, asked=third[0]), copies, third[1])


def _announced(circle: Circle, owner: int, count: int, columns: int) -> tuple[Ticket, Ticket]:
    """Ask for an order that will come, and for the one table that it is for."""
    order = circle.source.ask(Permutation(count, owner))
    return order, circle.source.ask(Permuted(order.number, count, columns, owner, False))


def _once(order: PrivateOrder, table: Shared, asked: Ticket) -> Shared:
    moved = order.apply(table, asked)
    order.forget()
    return moved


def _starts(rising: Index) -> Index:
    return np.concatenate([[True], np.diff(rising) > 0])[: len(rising)]


def _completed(order: Index | None, count: int, chosen: int) -> Index:
    """The chosen rows, then the others: a permutation of all."""
    if order is None or order.shape != (chosen,):
        raise MisuseError(f"the order's owner must bring {chosen} row numbers")
    if chosen and (order.min() < 0 or order.max() >= count):
        raise DataError("a row number lies outside the table")
    others = np.ones(count, dtype=bool)
    others[order] = False
    whole = np.concatenate([np.asarray(order, dtype=np.int64), np.flatnonzero(others)])
    if len(whole) != count:
        raise DataError("a row number is repeated where each may come once only")
    return whole
