"""The run of a scorecard at one party: the same straight line at the label's holder and at the partner.

release → keys → align → bin and weigh → train → points → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
from blake3 import blake3

from unseen.application.credit import exchange, outcome
from unseen.application.credit.columns import Binned, binned, outcomes, usable_keys
from unseen.application.credit.request import CreditRequest, read_request
from unseen.application.credit.scorecard import adverse, points_scale
from unseen.application.credit.stopwatch import Stopwatch
from unseen.computation.intersect.align import align
from unseen.computation.learn.binning import NumberBins, Weighed, weigh
from unseen.computation.learn.columns import Block
from unseen.computation.learn.logistic import Fit, Settings, fit_logistic, predict_scores
from unseen.computation.learn.woe import outcome_counts
from unseen.computation.share.array import from_owner, reveal_to, summed
from unseen.computation.types import Index, Real
from unseen.encoding import Json
from unseen.errors import DataError
from unseen.interaction.application import Run


@dataclass
class Side:
    """What this party knows of one party's columns in the model. Values only of its own."""

    party: str
    columns: tuple[str, ...]
    weighed: list[Weighed] | None = None
    labels: list[list[str]] | None = None
    index: Index | None = None
    values: Real | None = None


def perform(run: Run) -> Mapping[str, Json]:
    """Build the scorecard; returns this party's result. Files of the holder: scores.parquet, evaluation.json."""
    asked = read_request(cast("Mapping[str, Json]", run.plan.parameters["request"]))
    return _Scorecard(run, asked).build()


class _Scorecard:
    def __init__(self, run: Run, asked: CreditRequest) -> None:
        self.run, self.asked, self.circle = run, asked, run.circle
        self.holder = asked.label.party
        self.holding = run.party == self.holder
        self.partner = next(name for name in run.plan.parties if name != self.holder)
        self.channel = self.circle.others()[0]
        self.group = int(cast("int", run.plan.parameters["smallest_group"]))
        self.watch = Stopwatch(run)

    def build(self) -> Mapping[str, Json]:
        with self.watch.step("align"):
            table, ids, training = self._aligned()
            rows = table.num_rows
            bad = outcomes(table, self.asked.label) if self.holding else None
        with self.watch.step("bin"):
            mine = self.asked.parties[self.run.party]
            own = binned(table, list(mine.features), training, self.asked, self.group)
            sides = self._weigh(own, bad, training)
        with self.watch.step("train"):
            model = self._train(sides, bad, training, rows)
            revealed = self._reveal(model, sides)
        with self.watch.step("evaluate"):
            return self._score(sides, model, revealed, bad, training, ids)

    def _aligned(self) -> tuple[pa.Table, list[bytes], int]:
        """Own rows of the common customers with their keys, training rows first, and how many those are.

        Who is held out follows from key and public seed alone, so that a validator finds the same people.
        """
        side = self.asked.parties[self.run.party]
        table = self.run.release(side.dataset)
        keys = usable_keys(table, side.key)
        minimum = int(cast("int", self.run.plan.parameters["smallest_overlap"]))
        rows = align(self.circle, keys, minimum, self.watch.tell)
        seed = (self.asked.seed or self.run.plan.seed).encode()
        lots = [blake3(seed + b"/held-out/" + keys[row]).digest() for row in rows]
        training = len(rows) - round(self.asked.held_out * len(rows))
        first = set(sorted(lots)[:training])
        chosen = np.array([lot in first for lot in lots])
        ordered = np.r_[rows[chosen], rows[~chosen]]
        return table.take(ordered), [keys[row] for row in ordered], training

    # --- bins -------------------------------------------------------------------------------------------

    def _weigh(self, own: Binned, bad: Real | None, training: int) -> list[Side]:
        """Weights of evidence for all columns; sides in rank order, with the useful columns only."""
        names = tuple(sorted(self.asked.parties[self.partner].features))
        rank, holder = self.circle.rank_of(self.partner), self.circle.rank_of(self.holder)
        if not self.holding:
            exchange.tell_shape(self.channel, own)
            outcome_counts(self.circle, rank, own.index[:training], own.widths, None, holder, training)
            useful, merged, weights = exchange.hear_weights(self.channel, own.widths)
            exchange.tell_labels(self.channel, own.labels(merged, training))
            holder_names = tuple(sorted(self.asked.parties[self.holder].features))
            there = [bool(flag) for flag in self.channel.receive("credit/columns", np.uint8, len(holder_names))]
            chosen = np.flatnonzero(useful)
            index = np.column_stack([merged[j][own.index[:, j]] for j in chosen]) if len(chosen) else None
            values = np.column_stack([weights[j][own.index[:, j]] for j in chosen]) if len(chosen) else None
            ours = Side(self.partner, _chosen(names, useful), index=index, values=values)
            return self._in_order([ours, Side(self.holder, _chosen(holder_names, there))])
        assert bad is not None
        widths, ordered = exchange.hear_shape(self.channel, len(names))
        counts = outcome_counts(self.circle, rank, None, widths, bad[:training], holder, training)
        assert counts is not None
        theirs = [self._weighed(table, flag) for table, flag in zip(counts, ordered, strict=True)]
        useful = [self._useful(w) for w in theirs]
        exchange.tell_weights(self.channel, theirs, useful)
        labels = exchange.hear_labels(self.channel, theirs)
        partner = Side(self.partner, _chosen(names, useful))
        partner.weighed, partner.labels = list(_chosen(theirs, useful)), list(_chosen(labels, useful))
        return self._in_order([partner, self._own_side(own, bad, training)])

    def _own_side(self, own: Binned, bad: Real, training: int) -> Side:
        """The holder's own columns, counted and weighed at home; tells the partner which are used."""
        weighed = []
        for place, bins in enumerate(own.bins):
            numbers = own.index[:training, place]
            width = own.widths[place]
            table = np.column_stack(
                [
                    np.bincount(numbers, minlength=width),
                    np.bincount(numbers, weights=bad[:training], minlength=width),
                ]
            ).astype(np.int64)
            weighed.append(self._weighed(table, isinstance(bins, NumberBins)))
        useful = [self._useful(w) for w in weighed]
        self.channel.send("credit/columns", np.array(useful, dtype=np.uint8))
        return outcome.own_side(Side(self.holder, _chosen(own.names, useful)), own, weighed, useful, training)

    def _weighed(self, table: Index, ordered: bool) -> Weighed:
        return weigh(table, ordered, max(self.group, 1), self.asked.smallest_cell)

    def _useful(self, weighed: Weighed) -> bool:
        return weighed.useful and weighed.information >= self.asked.least_information

    def _in_order(self, sides: list[Side]) -> list[Side]:
        if not any(side.columns for side in sides):
            raise DataError("no column of either side says anything about the label")
        return sorted(sides, key=lambda side: self.circle.rank_of(side.party))

    # --- model ------------------------------------------------------------------------------------------

    def _blocks(self, sides: Sequence[Side], rows: int) -> list[Block]:
        return [
            Block(
                self.circle.rank_of(side.party),
                side.columns,
                rows,
                side.values[:rows] if side.party == self.run.party and side.values is not None else None,
            )
            for side in sides
            if side.columns
        ]

    def _train(self, sides: Sequence[Side], bad: Real | None, training: int, rows: int) -> Fit:
        return fit_logistic(
            self.circle,
            self._blocks(sides, training),
            None if bad is None else bad[:training],
            self.circle.rank_of(self.holder),
            Settings(penalty=self.asked.penalty),
            self.watch.tell,
        )

    def _reveal(self, model: Fit, sides: Sequence[Side]) -> outcome.Revealed | None:
        """Everything to the holder; to the partner the coefficients of its own columns."""
        assert model.variances is not None
        unit = 2.0**-model.exponents
        intercept = reveal_to(model.intercept, self.holder, "intercept")
        weights = reveal_to(model.weights, self.holder, "weights")
        variances = reveal_to(model.variances, self.holder, "variances")
        places = [
            place for place, (rank, _) in enumerate(model.names) if self.circle.parties[rank] == self.partner
        ]
        if places:
            reveal_to(model.weights[places], self.partner, "own-weights")
        if intercept is None or weights is None or variances is None:
            return None
        errors = np.sqrt(np.maximum(variances, 0.0)) * np.r_[1.0, unit]
        return outcome.Revealed(float(intercept), weights * unit, errors, len(model.steps))

    # --- scores -----------------------------------------------------------------------------------------

    def _score(
        self,
        sides: Sequence[Side],
        model: Fit,
        revealed: outcome.Revealed | None,
        bad: Real | None,
        training: int,
        ids: list[bytes],
    ) -> Mapping[str, Json]:
        rows = len(ids)
        odds = reveal_to(predict_scores(self.circle, self._blocks(sides, rows), model), self.holder, "scores")
        theirs = next(side for side in sides if side.party == self.partner)
        descriptions = {name: dict(side.features) for name, side in self.asked.parties.items()}
        if not self.holding:
            points = exchange.hear_points(self.channel, self._told_widths(len(theirs.columns)))
            self._points_total(points, theirs.index, rows)
            if self.asked.reasons:
                index = theirs.index if theirs.index is not None else np.empty((rows, 0), np.int64)
                exchange.tell_reasons(self.channel, adverse(points, index, self.asked.reasons))
            return outcome.partner_result(
                theirs.columns, descriptions[self.partner], points, rows, training, self.watch
            )
        assert revealed is not None
        assert odds is not None
        assert bad is not None
        scale = points_scale(self.asked.scale, revealed.intercept, len(model.names))
        card = outcome.score_columns(sides, revealed, scale, descriptions)
        told = [column.points for column in card if column.party == self.partner]
        self.channel.send("credit/widths", np.array([len(p) for p in told], dtype=np.int32))
        exchange.tell_points(self.channel, told or [np.empty(0, np.int64)])
        mine = next(side for side in sides if side.party == self.holder)
        own = [column.points for column in card if column.party == self.holder]
        total = self._points_total(own, mine.index, rows)
        assert total is not None
        reasons = self._reasons(card, own, mine, theirs, rows)
        scored = outcome.Scored(ids, bad, training, -odds, np.rint(total).astype(np.int64), reasons)
        return outcome.holder_result(self.run, self.asked, card, revealed, scored, mine, self.watch)

    def _told_widths(self, columns: int) -> list[int]:
        widths = self.channel.receive("credit/widths", np.int32, columns)
        return [int(width) for width in np.clip(widths, 1, exchange.MOST_BINS)]

    def _points_total(self, points: Sequence[Index], index: Index | None, rows: int) -> Real | None:
        """The sum of both sides' points of every row, revealed to the holder."""
        own = np.zeros(rows)
        for place, column in enumerate(points):
            assert index is not None
            own += column[index[:, place]]
        parts = [
            from_owner(self.circle, rank, own if rank == self.circle.rank else None, (rows,), 0)
            for rank in range(self.circle.size)
        ]
        return reveal_to(summed(parts), self.holder, "points")

    def _reasons(
        self, card: Sequence[outcome.Column], own: list[Index], mine: Side, theirs: Side, rows: int
    ) -> list[list[str]]:
        """Per row the descriptions of each side's most adverse columns, the holder's first."""
        most = self.asked.reasons
        if not most:
            return [[] for _ in range(rows)]
        names = {party: [c.description for c in card if c.party == party] for party in (self.holder, self.partner)}
        index = mine.index if mine.index is not None else np.empty((rows, 0), np.int64)
        here = adverse(own, index, most)
        there = exchange.hear_reasons(self.channel, rows, most, len(theirs.columns))
        return [
            [names[self.holder][j] for j in a if j >= 0] + [names[self.partner][j] for j in b if j >= 0]
            for a, b in zip(here, there, strict=True)
        ]


def _chosen(items: Sequence, flags: Sequence[bool]) -> tuple:  # type: ignore[type-arg]
    return tuple(item for item, flag in zip(items, flags, strict=True) if flag)
