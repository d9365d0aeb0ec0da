"""The population that a model was fitted to, kept so that a later one can be held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.application.model_part import json_as_shared, shared_as_json
from unseen.computation.circle import Circle
from unseen.computation.learn.columns import UNIT_FRACTION
from unseen.computation.learn.hidden_stability import counts_between, score_edges
from unseen.computation.learn.measures import band_marks
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError


@dataclass(frozen=True, eq=False)
class Reference:
    """Shared edges between bands of the scores, and at the label's party how many scored in each band."""

    edges: Shared
    counts: tuple[int, ...] = ()

    def as_json(self) -> Json:
        """This party's part, for a file."""
        return {"edges": shared_as_json(self.edges), "counts": list(self.counts)}


def reference(scores: Shared, holder: str, smallest: int) -> Reference:
    """Of training scores (n,) that nobody sees."""
    kept = arithmetic.rescale(scores, min(scores.fraction, UNIT_FRACTION))
    edges = score_edges(kept, smallest)
    counts = counts_between(edges, kept, holder)
    return Reference(edges, () if counts is None else tuple(int(count) for count in counts))


def known_reference(
    circle: Circle, holder: int, scores: Real | None, rows: int, fraction: int, smallest: int
) -> Reference:
    """Of training scores (rows,) known to rank `holder`, None elsewhere: no message. Edges get `fraction` bits."""
    marks = band_marks(rows, smallest)
    edges, counts = None, tuple[int, ...]()
    if scores is not None:
        edges = np.sort(scores)[marks[:-1] + 1]
        bands = np.searchsorted(edges, scores, side="right")
        counts = tuple(np.bincount(bands, minlength=len(marks)).tolist())
    return Reference(from_owner(circle, holder, edges, (len(marks) - 1,), fraction), counts)


def read_reference(found: Mapping[str, Any], circle: Circle) -> Reference:
    """This party's part from a file. Raises MisuseError, KeyError, TypeError, ValueError."""
    return Reference(json_as_shared(found["edges"], circle), tuple(map(int, found["counts"])))


def require_kept(kept: Reference | None, job: str) -> None:
    """Raises MisuseError for a model that kept nothing of the rows it was fitted to."""
    if kept is None:
        raise MisuseError(f"the model of job {job} kept nothing of the rows it was fitted to; train it again")
