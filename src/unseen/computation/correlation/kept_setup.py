"""A set-up that two partners keep between runs: base transfers once, and in each run the next one's from them.

Source: Ishai, Kilian, Nissim, Petrank, CRYPTO 2003 (extension); Keller, Orsini, Scholl, CRYPTO 2015, figure 7 (its
check, here without a round: the challenge is a hash of the columns, Fiat and Shamir, CRYPTO 1986).

What is kept are 128 base transfers in the direction against a vector OLE's: its receiver has taken one seed of
each pair by the bits of a secret s, its sender holds both. A run extends them to the 256 transfers that
`silent_ole` wants: the sender takes with choices drawn for this run (among them its Δ), the receiver gives. Half
of these it extends once more, the other way round, to 128 transfers under a fresh s: what is kept for the next
run. It costs three messages of a few KiB and no arithmetic on curves.

Why a set-up that is used again gives nothing away.
- Nothing of two runs is the same. Δ, the extensions' secrets and all seeds are a run's own, s too. Streams are
  children of the kept seeds under a label of both parties' nonces, fresh from the operating system in each run:
  they do not repeat even if both restore a backup and begin with the same state again. So what two runs have in
  common is at most that they are extensions under one s, which extensions are proved for (correlation robustness
  of the hash).
- Who steals what is kept learns nothing of earlier runs: their s is gone, and their transfers come out of the kept
  ones as little as a hash's argument out of its value. A copy of the state from before a run (a backup) tells who
  takes part in that run what its partner's half hides in it: backups lie under the seal too.
- Both say which state they hold, by a public name. If they do not hold the same (a restored backup, a run that
  ended well at one side only), both make a fresh one, and the run goes on.
- A state is taken out, for good, before anything is sent that depends on it, and its successor is put in its place
  when the run has ended well. A run that fails or is killed spends it.
- A party that bends its columns can guess bits of the other's secret; a wrong guess is seen by the check. It ends
  the run, and with it the state: over all runs of a set-up k bits are guessed with a chance of 2^-k, as in one.

Setting: two parties, semi-honest, 128 bits; assumptions of `base_transfer` and `transfer_extension`. A chain
serves at most `MOST_USES` runs; who keeps it may let it go earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, Self

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.correlation import base_transfer, transfer_extension
from unseen.computation.prg import SEED_BYTES, Expander, fresh_seed
from unseen.computation.profile import Message
from unseen.computation.types import Array, Words
from unseen.errors import VerificationError

MESSAGES: Final = (
    Message("setup/kept", most_bytes=256),
    Message("transfer/check", most_bytes=128),
)
MOST_USES: Final = 64
"""Runs from one set of base transfers; then there are fresh ones."""
BASE: Final = transfer_extension.BASE
_MAGIC: Final = b"unseen/setup/1/"
_NAME_WORDS: Final = SEED_BYTES // 8


class Part(StrEnum):
    """Whose half of a set-up it is: a vector OLE's receiver's or its sender's."""

    RECEIVER = "receiver"
    SENDER = "sender"


class Shelf(Protocol):
    """Where a party keeps its halves, one for each partner and part."""

    def take(self, peer: str, part: Part) -> bytes | None:
        """The half that lies there, which lies there no longer when this returns; None if there is none."""

    def put(self, peer: str, part: Part, state: bytes) -> None:
        """Keep a half."""


@dataclass(frozen=True, eq=False)
class Half:
    """One party's half, after `uses` runs. At the receiver `seeds` are the 128 chosen by the bits of `secret` (16
    octets); at the sender 256, both of each pair one after the other, and no secret."""

    part: Part
    name: bytes
    uses: int
    secret: bytes = field(repr=False)
    seeds: tuple[bytes, ...] = field(repr=False)

    def streams(self, label: str) -> list[Expander]:
        """Of each seed the stream of the run with this label."""
        return [Expander(seed).child(f"run/{label}") for seed in self.seeds]

    def to_bytes(self) -> bytes:
        uses = self.uses.to_bytes(8, "little")
        return _head(self.part) + self.name + uses + self.secret + b"".join(self.seeds)

    @classmethod
    def from_bytes(cls, part: Part, data: bytes) -> Self:
        """Raises VerificationError for what `to_bytes` has not written for this part."""
        wide, head = SEED_BYTES, _head(part)
        secret, count = (16, BASE) if part is Part.RECEIVER else (0, 2 * BASE)
        if not data.startswith(head) or len(data) != len(head) + wide + 8 + secret + count * wide:
            raise VerificationError("a kept set-up is not as it was written; it is made afresh")
        body = data[len(head) :]
        seeds = body[wide + 8 + secret :]
        return cls(
            part,
            body[:wide],
            int.from_bytes(body[wide : wide + 8], "little"),
            body[wide + 8 : wide + 8 + secret],
            tuple(seeds[start : start + wide] for start in range(0, len(seeds), wide)),
        )


class Keeping:
    """What this party takes out in a run, and what it puts in its place when the run has ended well."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._next: list[tuple[str, Half]] = []

    def given(self, channel: Channel, count: int, private: Expander) -> list[tuple[Expander, Expander]]:
        """A vector OLE's receiver: both seeds of each of `count` (256) transfers of this run's own."""
        half, label = self._agreed(channel, Part.RECEIVER, lambda: _taken(channel, private))
        secret = np.frombuffer(half.secret, dtype=np.uint64)
        zeros, ones = transfer_extension.give_checked(channel, half.streams(label), secret, count)
        pairs = [(_seed(label, i, zeros[i]), _seed(label, i, ones[i])) for i in range(count)]
        secret, bits = _secret(private.child("next"))
        under = [(zero.child("next"), one.child("next")) for zero, one in pairs[BASE:]]
        blocks = transfer_extension.take_checked(channel, under, bits, private.child("next/hiding"))
        self._succeed(channel, half, label, secret.tobytes(), list(blocks))
        return pairs

    def taken(self, channel: Channel, choices: Sequence[int], private: Expander) -> list[Expander]:
        """Its sender: the chosen seed of each of 256."""
        half, label = self._agreed(channel, Part.SENDER, lambda: _given(channel, private))
        streams, bits = half.streams(label), np.array(choices, dtype=np.uint8)
        pairs = list(zip(streams[::2], streams[1::2], strict=True))
        blocks = transfer_extension.take_checked(channel, pairs, bits, private.child("hiding"))
        seeds = [_seed(label, i, block) for i, block in enumerate(blocks)]
        secret = np.packbits(bits[BASE:], bitorder="little").view(np.uint64)
        under = [seed.child("next") for seed in seeds[BASE:]]
        both = transfer_extension.give_checked(channel, under, secret, BASE)
        self._succeed(channel, half, label, b"", [block for pair in zip(*both, strict=True) for block in pair])
        return seeds

    def _succeed(self, channel: Channel, half: Half, label: str, secret: bytes, blocks: list[Words]) -> None:
        """What is kept when this run has ended well."""
        each = len(blocks) // BASE  # one of a pair, or both: a pair's number is in its seeds
        seeds = tuple(_seed(f"{label}/next", i // each, blocks[i]).octets(SEED_BYTES) for i in range(len(blocks)))
        self._next.append((channel.peer, Half(half.part, bytes.fromhex(label), half.uses + 1, secret, seeds)))

    def _agreed(
        self, channel: Channel, part: Part, fresh: Callable[[], tuple[bytes, tuple[bytes, ...]]]
    ) -> tuple[Half, str]:
        """The half that both hold, or a fresh one, and the label of its streams in this run."""
        kept, nonce = self._kept(channel.peer, part), fresh_seed()
        told = np.zeros(2 * _NAME_WORDS, dtype=np.uint64)
        told[:_NAME_WORDS] = np.frombuffer(nonce, dtype=np.uint64)
        if kept is not None:
            told[_NAME_WORDS:] = np.frombuffer(kept.name, dtype=np.uint64)
        channel.send("setup/kept", told)
        heard = channel.receive("setup/kept", np.uint64, len(told))
        theirs = heard[:_NAME_WORDS].tobytes()
        nonces = nonce + theirs if part is Part.RECEIVER else theirs + nonce
        label = blake3(_MAGIC + nonces).hexdigest()
        if kept is not None and np.array_equal(told[_NAME_WORDS:], heard[_NAME_WORDS:]):
            return kept, label
        return Half(part, bytes(SEED_BYTES), 0, *fresh()), label

    def _kept(self, peer: str, part: Part) -> Half | None:
        state = self._shelf.take(peer, part)
        if state is None:
            return None
        try:
            half = Half.from_bytes(part, state)
        except VerificationError:
            return None
        return half if half.uses < MOST_USES else None

    def put_back(self) -> None:
        """The run has ended well: keep what it made for the next one."""
        for peer, half in self._next:
            self._shelf.put(peer, half.part, half.to_bytes())
        self._next.clear()


def _secret(stream: Expander) -> tuple[Words, Array]:
    """128 bits as two words, and one by one."""
    secret = stream.words(2)
    return secret, np.unpackbits(secret.view(np.uint8), bitorder="little")


def _taken(channel: Channel, private: Expander) -> tuple[bytes, tuple[bytes, ...]]:
    """Fresh base transfers at a vector OLE's receiver: its secret and the seeds chosen by it."""
    secret, bits = _secret(private.child("kept"))
    seeds = base_transfer.take(channel, bits.tolist(), private.child("kept/transfers"))
    return secret.tobytes(), tuple(seed.child("kept").octets(SEED_BYTES) for seed in seeds)


def _given(channel: Channel, private: Expander) -> tuple[bytes, tuple[bytes, ...]]:
    """Fresh base transfers at its sender: both seeds of each."""
    pairs = base_transfer.give(channel, BASE, private.child("kept/transfers"))
    return b"", tuple(seed.child("kept").octets(SEED_BYTES) for pair in pairs for seed in pair)


def _seed(label: str, number: int, block: Words) -> Expander:
    return Expander(blake3(_MAGIC + f"{label}/{number}/".encode() + block.tobytes()).digest())


def _head(part: Part) -> bytes:
    return _MAGIC + part.value.encode() + b"\0"
