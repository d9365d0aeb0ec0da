"""A parity run: the joint trees held against the same ones on pooled data, which the parties agree to open.

For data that may be seen: synthetic, expired, or a sample with everyone's leave. The other parties send the bins
of their columns in the common rows, and their own splits, to the label's party, which grows the same trees in the
clear and says how far the two lie apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.application.boosting.columns import Binned
from unseen.application.boosting.pooled import NO_SPLIT, Pooled, fit_pooled, goes_left
from unseen.computation.learn.boosting import Boosted
from unseen.computation.learn.boosting_settings import Objective
from unseen.computation.learn.evaluate import quality
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Array, Index, Real
from unseen.encoding import Json
from unseen.errors import ProtocolError
from unseen.interaction.application import Run

PROFILE: Final = Profile(
    id="boosting/parity",
    title="Parity with trees of pooled data",
    source="sent in the clear",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "the bin of every value of the others' columns in the common rows, and all splits: a parity run, on "
            "data to be opened",
        ),
    ),
    messages=(
        Message("parity/bins", Carries.DISCLOSED, most_messages=1),
        Message("parity/splits", Carries.DISCLOSED, most_messages=1),
    ),
)


def distance(
    run: Run, holder: int, model: Boosted, own: Binned, label: Real | None, scores: Real | None
) -> dict[str, Json] | None:
    """How far the joint trees lie from the pooled ones, at rank `holder`; None elsewhere.

    `label` and `scores` (rows,) at the holder, as the trees fit them. `splits` is the share of the pooled trees'
    splits that the joint trees have too: on the same column, parting the same rows.
    """
    widths = [column.width for column in model.columns]
    places, splits = _opened(run, holder, model, own)
    if places is None or splits is None or label is None or scores is None:
        return None
    pooled = fit_pooled(places, widths, label, model.settings)
    told: dict[str, Json] = {
        "rows": len(label),
        "trees": len(model.trees),
        "pooled_trees": len(pooled.trees),
        "splits": _equal_splits(pooled, splits, places, widths),
        "scores": float(np.abs(scores - pooled.scores).max()),
        "mean_score": float(np.abs(scores - pooled.scores).mean()),
    }
    if model.settings.objective is Objective.LOGISTIC:
        held = slice(len(label) - model.settings.held_out, None)
        areas = [quality(-found[held], label[held]).auc for found in (scores, pooled.scores)]
        told["auc"] = abs(areas[0] - areas[1])
    return told


def _opened(run: Run, holder: int, model: Boosted, own: Binned) -> tuple[Array | None, Index | None]:
    """All bins (rows, columns) and all splits (trees, nodes, 3) at the holder, columns in the model's order."""
    circle, rows = run.circle, len(own.places)
    mine = _own_splits(model, circle.rank)
    if circle.rank != holder:
        channel = circle.channel(holder)
        channel.send("parity/bins", own.places.astype(np.uint16))
        channel.send("parity/splits", mine.astype(np.int32))
        return None, None
    parts, splits = [], mine
    for rank in range(circle.size):
        columns = [column for column in model.columns if column.owner == rank]
        if rank == circle.rank:
            parts.append(own.places)
            continue
        channel = circle.channel(rank)
        bins = channel.receive("parity/bins", np.uint16, (rows, len(columns))).astype(np.int64)
        if columns and (bins >= [column.width for column in columns]).any():
            raise ProtocolError(channel.peer, "opened bins that its columns do not have")
        theirs = channel.receive("parity/splits", np.int32, mine.shape).astype(np.int64)
        if (theirs[..., 0] >= len(model.columns)).any():
            raise ProtocolError(channel.peer, "opened splits of columns that there are not")
        parts.append(bins)
        splits = np.where(theirs[..., :1] >= 0, theirs, splits)
    return np.concatenate(parts, axis=1), splits


def _own_splits(model: Boosted, rank: int) -> Index:
    """(trees, nodes, 3) as in `pooled`, columns numbered over all parties; -1 where a split is another's."""
    first = next((place for place, column in enumerate(model.columns) if column.owner == rank), 0)
    depth = max((tree.depth for tree in model.trees), default=1)
    found = np.tile(np.array(NO_SPLIT, dtype=np.int64), (len(model.trees), 2**depth - 1, 1))
    for number, tree in enumerate(model.trees):
        for split in tree.splits:
            found[number, split.node] = (first + split.column, split.threshold, int(split.missing_left))
    return found


def _equal_splits(pooled: Pooled, joint: Index, places: Array, widths: Sequence[int]) -> float:
    """Of the pooled trees' nodes that are split, the share where the joint tree's split parts the rows alike."""
    same = total = 0
    for number, tree in enumerate(pooled.trees):
        for node, ours in enumerate(tree.splits.tolist()):
            if ours[0] < 0:
                continue
            total += 1
            if number >= len(joint) or joint[number, node, 0] != ours[0]:
                continue
            level = (node + 1).bit_length() - 1
            here = pooled.reached[number][level] == node + 1 - 2**level
            rows, width = places[here], widths[ours[0]]
            theirs = joint[number, node].tolist()
            same += bool((goes_left(rows, ours, width) == goes_left(rows, theirs, width)).all())
    return same / total if total else 1.0
