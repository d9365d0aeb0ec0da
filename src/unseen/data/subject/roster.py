"""Rosters: who was in a release, so that a person can be told, and the runs that used an erased record be found.

A roster is the sorted upper halves of the persons' marks, sealed and named by its digest: the same persons
released again are written once. 64 bits tell apart ten million persons with probability 1 - 3e-6.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from unseen.data.sealed import SealedFolder
from unseen.data.subject.mark import Marker, Words
from unseen.encoding import digest_bytes

TAG: Final = "unseen/roster/v1"


class Rosters:
    """The rosters of one home."""

    def __init__(self, folder: SealedFolder, marker: Marker) -> None:
        self._folder = folder
        self._marker = marker

    def keep(self, marks: Words) -> str:
        """Write a roster down; returns the digest that a release record names it by."""
        data = np.ascontiguousarray(marks, "<i8").tobytes()
        name = digest_bytes(TAG, data)
        if name not in self._folder.names():
            self._folder.write(name, data)
        return name

    def holds(self, roster: str, subject: str) -> bool:
        """Whether the person was in the release. Raises MisuseError for a roster that is not there any more."""
        marks = np.frombuffer(self._folder.read(roster), "<i8")
        high, _ = self._marker.marks(pa.array([subject]))
        place = int(np.searchsorted(marks, high[0]))
        return place < len(marks) and marks[place] == high[0]
