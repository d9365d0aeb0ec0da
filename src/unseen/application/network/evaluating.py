"""A network held against rows that trained nothing: from scores that go to the label's party, or on shares."""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.application.evaluation.measuring import Scored
from unseen.application.evaluation.scores import Labelled, scores_attacked, write_scores
from unseen.application.evaluation.selftest import Attacker
from unseen.application.network.request import NetworkRequest
from unseen.computation.learn.binning import number_bins
from unseen.computation.learn.measures import Predicted
from unseen.computation.share.array import Shared, reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

ATTACK_BINS: Final = 32
"""Bins into which an attacker cuts each of its columns."""


def scored(run: Run, asked: NetworkRequest, rows: Labelled, scores: Shared) -> Scored:
    """Rows as predictions of the label; scores to their file at the label's party, where they may go there."""
    opened = None if asked.hidden else reveal_to(scores, asked.label.party, "scores")
    if opened is not None:
        write_scores(run, asked, rows, opened)
    return Scored(Predicted.OUTCOME, scores, run.circle.rank_of(asked.label.party), opened, rows.label)


def attacked(run: Run, asked: NetworkRequest, own: Real | None, rows: Scored, training: int) -> dict[str, Json]:
    """What attacks make of a new network. It shows partners nothing, so that all that these have is their own
    columns; the label's party may have scores."""
    mine = None
    if own is not None and run.party in asked.attacks_labels:
        bins = [number_bins(column, ATTACK_BINS, 1) for column in own.T]
        places = np.column_stack([cut.index(column) for cut, column in zip(bins, own.T, strict=True)])
        mine = Attacker(places, [len(cut.labels) for cut in bins], {})
    return scores_attacked(run, asked, rows, training, own, mine)
