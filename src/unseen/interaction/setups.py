"""Set-ups that this institution keeps with its partners between runs, sealed in its home.

    HOME/setups/<partner>-<digits of its root certificate's digest>-<receiver|sender>.sealed

See `computation.correlation.kept_setup` for what they are and why they may be kept. One that is older than `DAYS`
is not used, nor one of a partner that has another certificate since; what is taken out is erased first.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from time import time
from typing import Final

from unseen.computation.correlation.kept_setup import Part
from unseen.data.sealed import SealedFolder
from unseen.encoding import digest_bytes
from unseen.errors import MisuseError, VerificationError
from unseen.interaction.home import Home

KEYSET: Final = "setups"
FOLDER: Final = "setups"
DAYS: Final = 30
"""After so many days a set-up is made afresh; `kept_setup.MOST_USES` runs come first, maybe."""
_TAG: Final = "unseen/setup/partner/v1"
_STAMP: Final = 8


class Setups:
    """The shelf of one home: see `kept_setup.Shelf`. `roots` are the partners' root certificates, by name."""

    def __init__(self, home: Home, roots: Mapping[str, str]) -> None:
        self._folder = SealedFolder(home.path / FOLDER, home.keyring.seal(KEYSET), FOLDER)
        self._roots = roots
        self._made: dict[str, int] = {}

    def take(self, peer: str, part: Part) -> bytes | None:
        """What lies there, erased before it is given out; None where there is none or its days are over.

        Of two runs that ask at once one gets it.
        """
        name = self._name(peer, part)
        self._made[name] = int(time())
        try:
            data = self._read(name)
            self._folder.remove(name)
        except MisuseError:
            return None
        made, state = int.from_bytes(data[:_STAMP], "little"), data[_STAMP:]
        if not data or not 0 <= time() - made < DAYS * 86400:
            return None
        self._made[name] = made
        return state

    def put(self, peer: str, part: Part, state: bytes) -> None:
        """Keep a half, as old as the one that was taken out.

        Where the disk takes no more there is none: the next run makes a fresh one, and no result is lost for it.
        """
        name = self._name(peer, part)
        made = self._made.get(name, int(time()))
        with suppress(OSError):
            self._folder.write(name, made.to_bytes(_STAMP, "little") + state)

    def _read(self, name: str) -> bytes:
        try:
            return self._folder.read(name)
        except VerificationError:  # whatever it is, it goes
            return b""

    def _name(self, peer: str, part: Part) -> str:
        return f"{peer}-{digest_bytes(_TAG, self._roots[peer].encode())[:16]}-{part.value}"


def erase(home: Home, partners: tuple[str, ...] = ()) -> list[str]:
    """Erase the set-ups kept with these partners, or with all: the next run makes fresh ones. Whose there were."""
    folder = SealedFolder(home.path / FOLDER, home.keyring.seal(KEYSET), FOLDER)
    found = [name for name in folder.names() if not partners or _partner(name) in partners]
    for name in found:
        folder.remove(name)
    return sorted({_partner(name) for name in found})


def _partner(name: str) -> str:
    return name.rsplit("-", 2)[0]
