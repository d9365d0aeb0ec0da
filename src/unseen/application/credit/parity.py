"""A parity run: the joint scorecard held against the one that pooled data gives, which the parties agree to open.

For data that may be seen: synthetic, expired, or a sample with everyone's leave. The partners send their columns
of the common customers in the clear to the label's holder. It cuts, counts, weighs and fits them itself, in
double precision and without a share, and says how far the two scorecards lie apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from unseen.application.credit import opened
from unseen.application.credit.alone import fit_alone
from unseen.application.credit.columns import Binned, binned
from unseen.application.credit.hidden_weighing import compact
from unseen.application.credit.request import Tables
from unseen.application.credit.scorecard import Column, Revealed, points_scale
from unseen.application.credit.sides import Side, Standing
from unseen.application.credit.weighing import counted, is_useful, weigh_own
from unseen.computation.learn.evaluate import quality
from unseen.computation.learn.evidence import evidence
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json

PROFILE: Final = Profile(
    id="credit/parity",
    title="Parity with a scorecard of pooled data",
    source="sent in the clear",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "every value of {owner}'s columns in the common rows, and what each bin is worth: a parity run, on "
            "data to be opened",
        ),
    ),
    messages=(
        *(Message(f"parity/{kind}", Carries.DISCLOSED) for kind in ("kinds", "columns", "levels", "places")),
        Message("reveal/parity-weights", Carries.DISCLOSED),
    ),
)


@dataclass(frozen=True)
class _Pooled:
    """One column of the pooled scorecard: what its bins are worth, and each row's worth (rows,)."""

    weights: Real
    codes: Real


def distance(
    here: Standing,
    sides: Sequence[Side],
    table: pa.Table,
    bad: Real | None,
    training: int,
    joint: tuple[Sequence[Column], Revealed, Real] | None,
) -> dict[str, Json] | None:
    """How far the joint scorecard lies from the pooled one, at the label's holder; None elsewhere.

    `table` are this party's own rows of the common customers; `joint` the scorecard, the model and each
    customer's log-odds of good, at the holder. Says the largest distances of weights of evidence, coefficients,
    points of bins and log-odds, and that of the AUC on the held-out customers; `columns_apart` counts columns
    that only one of the two scorecards has.
    """
    weights = {side.party: _weights(here, side) for side in sides if side.columns}
    tables = {party: _opened(here, party, table) for party in here.circle.parties if here.features(party)}
    if bad is None or joint is None:
        return None
    card, model, odds = joint
    pooled: dict[tuple[str, str], _Pooled] = {}
    for party, found in tables.items():
        if found is not None:
            pooled |= {(party, name): one for name, one in _columns(here, party, found, bad, training).items()}
    design = np.column_stack([one.codes for one in pooled.values()])
    fitted = fit_alone(design[:training], bad[:training], here.asked.penalty)
    scale = points_scale(here.asked.scale, float(fitted[0]), len(pooled))
    theirs = {name: float(fitted[1 + place]) for place, name in enumerate(pooled)}
    ours = {(column.party, column.name): column for column in card}
    both = [name for name in ours if name in pooled]
    shown = [name for name in both if len(ours[name].points)]
    held = slice(training, None)
    predicted = -(fitted[0] + design @ fitted[1:])
    areas = [quality(scores[held], bad[held]).auc for scores in (odds, predicted)]
    return {
        "rows": len(bad),
        "columns_apart": len(set(ours) ^ set(pooled)),
        "weights_of_evidence": _most(
            [_apart(ours[name].weights, weights, name, sides, pooled[name].weights) for name in both]
        ),
        "coefficients": _most(
            [abs(model.intercept - fitted[0]), *(abs(ours[n].coefficient - theirs[n]) for n in both)]
        ),
        "points": _most(
            [float(np.abs(ours[n].points - scale.of(theirs[n], pooled[n].weights)).max()) for n in shown]
        ),
        "log_odds": float(np.abs(odds - predicted).max()),
        "auc": float(abs(areas[0] - areas[1])),
    }


def _weights(here: Standing, side: Side) -> list[Real] | None:
    """What a partner's bins are worth, told to the holder where nobody knows it."""
    if side.hidden is None:
        return None
    told = reveal_to(side.hidden.weights, here.holder, "parity-weights")
    return None if told is None else np.split(told, np.cumsum(side.hidden.widths)[:-1])


def _opened(here: Standing, party: str, table: pa.Table) -> pa.Table | None:
    """A party's columns of the common customers, at the label's holder."""
    if party == here.holder:
        return table if here.holding else None
    if here.run.party == party:
        opened.tell(here.to(here.holder), table, here.features(party))
    return opened.hear(here.to(party), here.features(party), table.num_rows) if here.holding else None


def _columns(here: Standing, party: str, table: pa.Table, bad: Real, training: int) -> dict[str, _Pooled]:
    """A party's columns in the pooled scorecard."""
    own = binned(table, here.asked.parties[party], training, here.asked, here.group)
    if here.asked.tables is Tables.NOBODY and party != here.holder:
        return _by_rows_alone(here, own, bad, training)
    found = {}
    for place, weighed in enumerate(weigh_own(here, own, bad, training)):
        if is_useful(here, weighed):
            codes = weighed.weights[np.asarray(weighed.merged)[own.index[:, place]]]
            found[own.names[place]] = _Pooled(weighed.weights, codes)
    return found


def _by_rows_alone(here: Standing, own: Binned, bad: Real, training: int) -> dict[str, _Pooled]:
    """Where nobody sees tables, bins are pooled by their rows alone."""
    found, bins = {}, compact(own)
    for place, width in enumerate(bins.widths):
        index = bins.index[:, place]
        weights, information = evidence(counted(index[:training], bad[:training], width))
        if width > 1 and information >= here.asked.least_information:
            found[own.names[place]] = _Pooled(weights, weights[index])
    return found


def _apart(
    known: Real | None,
    told: dict[str, list[Real] | None],
    name: tuple[str, str],
    sides: Sequence[Side],
    pooled: Real,
) -> float:
    """The largest distance of a column's weights of evidence from the pooled ones."""
    if known is None:
        party, column = name
        place = next(side for side in sides if side.party == party).columns.index(column)
        known = (told[party] or [])[place]
    return float(np.abs(known - pooled).max()) if len(known) == len(pooled) else float("inf")


def _most(distances: Sequence[float]) -> float:
    return float(max(distances, default=0.0))
