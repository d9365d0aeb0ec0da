"""Rosters: who was in a release, so that a person can be told, and the runs that used an erased record be found.

A roster is the sorted upper halves of the persons' marks, sealed and named by its digest: the same persons
released again are written once. 64 bits tell apart ten million persons with probability 1 - 3e-6, and hold one who
was not among 10^8 for one of them with probability 5e-12.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from unseen.data.passing_folder import clear_passing
from unseen.data.sealed import Seal, SealedFolder
from unseen.data.subject.mark import Marker
from unseen.data.subject.new_roster import NewRoster
from unseen.data.subject.roster_layout import (
    DIGEST,
    INDEX,
    PARTS,
    WHOLE,
    Layout,
    digest_of,
    name_of_parts,
    part_of,
)
from unseen.errors import MisuseError, VerificationError


class Rosters:
    """The rosters of one home, in `folder`. Those that lie there open whatever `layout` new ones get."""

    def __init__(self, folder: Path, seal: Seal, marker: Marker, layout: Layout | None = None) -> None:
        self._folder, self._seal, self._marker = folder, seal, marker
        self._layout = layout or Layout()

    def begin(self) -> NewRoster:
        """A roster for one release. What killed processes left of theirs is removed."""
        clear_passing(self._folder)
        return NewRoster(self._folder, self._seal, self._layout)

    def holds(self, roster: str, subject: str) -> bool:
        """Whether the person was in the release; of a roster in parts, the one that could tell is opened.

        Raises MisuseError for a roster that is not there any more, VerificationError for one that was altered.
        """
        high, _ = self._marker.marks(pa.array([subject]))
        marks = np.frombuffer(self._octets(roster, int(high[0])), "<i8")
        place = int(np.searchsorted(marks, high[0]))
        return bool(place < len(marks) and marks[place] == high[0])

    def _octets(self, roster: str, mark: int) -> bytes:
        """The sorted marks among which this one would be."""
        whole = SealedFolder(self._folder, self._seal, WHOLE)
        if roster in whole:
            return whole.read(roster)
        parts = SealedFolder(self._folder / roster, self._seal, PARTS)
        if INDEX not in parts:
            raise MisuseError(f"there is no roster {roster} here any more")
        index = parts.read(INDEX)
        if name_of_parts(index) != roster:
            raise VerificationError(f"the index of roster {roster} is another's: it was put there")
        part = part_of(mark, len(index) // DIGEST)
        data = parts.read(f"{part:03}")
        if bytes.fromhex(digest_of(data)) != index[part * DIGEST : (part + 1) * DIGEST]:
            raise VerificationError(f"part {part} of roster {roster} is another's: it was put there")
        return data
