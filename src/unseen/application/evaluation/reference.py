"""The population that a model was fitted to, kept so that a later one can be held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.hidden_stability import counts_between, score_edges
from unseen.computation.learn.measures import band_marks
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.types import Real
from unseen.encoding import Json, from_base64, to_base64
from unseen.errors import MisuseError


@dataclass(frozen=True, eq=False)
class Reference:
    """Shared edges between bands of the scores, and at the label's party how many scored in each band."""

    edges: Shared
    counts: tuple[int, ...] = ()

    def as_json(self) -> Json:
        """This party's part, for a file."""
        return {"edges": words_as_json(self.edges), "counts": list(self.counts)}


def reference(scores: Shared, holder: str, smallest: int) -> Reference:
    """Of training scores (n,) that nobody sees."""
    edges = score_edges(scores, smallest)
    counts = counts_between(edges, scores, holder)
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
    return Reference(read_words(found["edges"], circle), tuple(map(int, found["counts"])))


def words_as_json(shared: Shared) -> Json:
    """A party's part of shared numbers, for a file."""
    words = np.atleast_1d(shared.words).astype("<u8")
    return {"fraction": shared.fraction, "words": to_base64(words.tobytes())}


def read_words(found: Mapping[str, Any], circle: Circle) -> Shared:
    """The vector of `words_as_json`. Raises MisuseError for an impossible number of fractional bits."""
    fraction = int(found["fraction"])
    if not 0 <= fraction <= 62:
        raise MisuseError("a number of fractional bits is out of range")
    return Shared(circle, np.frombuffer(from_base64(found["words"]), dtype="<u8").astype(np.uint64), fraction)
