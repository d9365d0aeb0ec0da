"""A circle: one party's view of a run.

Every protocol is one function that all parties call with their own inputs; the first argument is the circle.
It knows this party's rank, a channel to each of the others, where correlated randomness comes from, and the
session's digest, which every hash inside the run takes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.correlation.kept_setup import Shelf
from unseen.computation.correlation.pairwise import Pairwise
from unseen.computation.correlation.source import Group, Source
from unseen.computation.prg import SEED_BYTES, Expander, fresh_seed
from unseen.computation.types import Array, Words
from unseen.errors import MisuseError


@dataclass(frozen=True, eq=False)
class Circle:
    """This party's rank among `parties` (rank order is the same at all), and what it needs to compute.

    `session` is public and bound to the plan; `private` is this party's own randomness.
    """

    rank: int
    parties: tuple[str, ...]
    channels: Mapping[str, Channel]
    source: Source
    session: bytes
    private: Expander
    _pairs: dict[int, Expander] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        return len(self.parties)

    @property
    def me(self) -> str:
        return self.parties[self.rank]

    def rank_of(self, party: str) -> int:
        """Raises MisuseError for a name that is not in this circle."""
        try:
            return self.parties.index(party)
        except ValueError:
            raise MisuseError(f"{party!r} does not compute here (parties: {', '.join(self.parties)})") from None

    def others(self) -> list[Channel]:
        """Channels to all other parties, in rank order."""
        return self._others

    @cached_property
    def _others(self) -> list[Channel]:
        return [self.channels[name] for name in self.parties if name != self.me]

    def channel(self, rank: int) -> Channel:
        return self.channels[self.parties[rank]]

    def open_words(self, tag: str, *shares: Words) -> list[Words]:
        """Add up everyone's shares of each array and tell all: one round for all arrays together.

        For values under a uniform mask; what is revealed for good goes through `share.reveal`.

        Bytes: 8 an element to each other party.
        """
        for channel in self.others():
            channel.send_all(tag, shares)
        return self.collect(tag, shares, Group.ADD)

    def collect(self, tag: str, shares: Sequence[Array], group: Group) -> list[Array]:
        """The second half of an opening: the others' shares, received and combined with this party's."""
        totals: list[Array] = []
        for channel in self.others():
            heard = (channel.receive(tag, share.dtype, share.shape) for share in shares)
            # What came first becomes the total: this party's own shares may still be on their way out.
            totals = [group.merged(part, own) for part, own in zip(heard, totals or shares, strict=True)]
        return totals

    def collect_bits(self, tag: str, *shares: Array) -> list[Array]:
        """`collect` for XOR shares."""
        return self.collect(tag, shares, Group.XOR)

    def open_words_to(self, tag: str, rank: int, share: Words) -> Words | None:
        """Tell only the party of that rank the sum of the shares: one round; None at the others."""
        if self.rank != rank:
            self.channel(rank).send(tag, share)
            return None
        total = np.array(share)
        for channel in self.others():
            np.add(total, channel.receive(tag, total.dtype, total.shape), out=total)
        return total

    def tell_all(self, tag: str, rank: int, array: Array | None, like: Array) -> Array:
        """The party of that rank sends an array in the clear to all; `like` gives dtype and shape."""
        if self.rank == rank:
            if array is None or array.shape != like.shape:
                raise MisuseError(f"{tag}: the speaker must bring an array of shape {like.shape}")
            for channel in self.others():
                channel.send(tag, array.astype(like.dtype, copy=False))
            return array
        return self.channel(rank).receive(tag, like.dtype, like.shape)

    def joint_seed(self, label: str) -> bytes:
        """A fresh seed that no party alone decides and all know: the XOR of contributions, one round.

        A semi-honest coin toss; a rushing party could bias it. Public once made.
        """
        joint = np.frombuffer(fresh_seed(), dtype=np.uint8)
        for channel in self.others():
            channel.send(f"seed/{label}", joint)
        for channel in self.others():
            joint = joint ^ channel.receive(f"seed/{label}", np.uint8, SEED_BYTES)
        return joint.tobytes()

    def zero_share(self, shape: int | tuple[int, ...]) -> Words:
        """Uniform words that add up to zero over all parties (three or more; between two there is no need).

        Every pair holds a common seed, agreed at first use; one adds the stream, the other takes it off.
        """
        total = np.zeros(shape, dtype=np.uint64)
        for rank, words in self._pair_words(shape):
            total = np.add(total, words) if rank < self.rank else np.subtract(total, words)
        return total

    def zero_bits(self, shape: int | tuple[int, ...]) -> Words:
        """Uniform words that XOR to zero over all parties, as `zero_share`."""
        total = np.zeros(shape, dtype=np.uint64)
        for _, words in self._pair_words(shape):
            total ^= words
        return total

    def _pair_words(self, shape: int | tuple[int, ...]) -> Iterator[tuple[int, Words]]:
        if self.size < 3:
            return
        if not self._pairs:
            self._agree_pairs()
        for rank, stream in self._pairs.items():
            yield rank, stream.words(shape)

    def _agree_pairs(self) -> None:
        for rank in range(self.rank + 1, self.size):
            seed = fresh_seed()
            self.channel(rank).send("seed/pair", np.frombuffer(seed, dtype=np.uint8))
            self._pairs[rank] = Expander(seed)
        for rank in range(self.rank):
            self._pairs[rank] = Expander(self.channel(rank).receive("seed/pair", np.uint8, SEED_BYTES).tobytes())

    def fork(self, label: str) -> Circle:
        """A circle of its own for work that overlaps with this one; every party forks with the same label."""
        return replace(
            self,
            channels={name: channel.fork(label) for name, channel in self.channels.items()},
            source=self.source.fork(label),
            private=self.private.child(f"fork/{label}"),
            _pairs={},
        )


def gathered(
    rank: int,
    parties: Sequence[str],
    channels: Mapping[str, Channel],
    dealt: Source,
    session: bytes,
    shelf: Shelf | None = None,
) -> Circle:
    """A party's circle with fresh randomness: pairs make what two can make alone, the rest is `dealt`.

    `shelf` is where set-ups of pairs outlive the run, if all parties have such a place.
    """
    private = Expander.fresh()
    among = {parties.index(name): channel for name, channel in channels.items()}
    source = Pairwise(rank, among, private.child("pairwise"), dealt, shelf)
    return Circle(rank, tuple(parties), channels, source, session, private)


def names_in_order(parties: Sequence[str]) -> tuple[str, ...]:
    """The rank order of a set of parties: by name, so that all agree without a word."""
    if len(set(parties)) != len(parties):
        raise MisuseError("a party is named twice")
    return tuple(sorted(parties))
