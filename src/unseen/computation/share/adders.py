"""Sums of many numbers in shared binary digits, as shares of the ring.

Full adders make two numbers of three, all digits and all threes at once, at one gate a digit, until two are left;
their digits become numbers, and these are added up for nothing. For many numbers that is a fortieth of what it
costs to bring each by itself into the ring.

Source: Wallace, IEEE Trans. Electronic Computers EC-13 (1964), for the tree of adders; the carry with one gate as
in Boyar, Peralta, Pochuev, Theoretical Computer Science 235 (2000). Setting: any number of semi-honest parties,
all but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import BitsInRing
from unseen.computation.correlation.lookup_kinds import BitTriple
from unseen.computation.correlation.source import Kind
from unseen.computation.kernels import digits as kernels
from unseen.computation.profile import Profile
from unseen.computation.share.boolean import words_for
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Words


def adders(numbers: int) -> list[int]:
    """Full adders of each layer, from so many numbers down to two."""
    layers = []
    while numbers > 2:
        layers.append(numbers // 3)
        numbers -= numbers // 3
    return layers


DIGIT_SUMS: Final = Profile(
    id="share/sum-of-digits",
    title="Sum of numbers in shared binary digits, as a shared number",
    source="Wallace, IEEE Trans. Electronic Computers 1964; share/bits-to-numbers",
    rounds=lambda rows, numbers, lane: len(adders(numbers)) + 1,
    bytes_sent=lambda rows, numbers, lane, parties: (
        parties
        * (parties - 1)
        * 8
        * words_for(rows)
        * (2 * sum(adders(numbers)) * (lane - 1) + min(numbers, 2) * lane)
    ),
)


@Protocol
def digit_sums(circle: Circle, planes: Words) -> Steps[Array]:
    """Digits (numbers, lane, n), lowest first, 64 rows to a word, to the numbers' sum: (64·n,), modulo 2^lane.

    A round for each layer of adders and one more. 2 bits a digit and number to each peer, and half of that dealt;
    the last step deals 2·lane² bits a row.
    """
    while planes.shape[0] > 2:
        planes = yield from _added.steps(circle, planes)
    _, lane, words = planes.shape
    mask, ring = circle.source.ask(BitsInRing(planes.size, lane)).take()
    (opened,) = yield Opening(circle, "bits-to-numbers", bits=(planes ^ mask.reshape(planes.shape),))
    out = np.zeros(64 * words, dtype=ring.dtype)
    kernels.sum_planes(opened, ring, circle.rank == 0, out)
    return out


def digit_sums_kinds(numbers: int, lane: int, words: int) -> list[Kind]:
    """What `digit_sums` asks for, in order."""
    carries: list[Kind] = [BitTriple(layer * (lane - 1) * words) for layer in adders(numbers)]
    return [*carries, BitsInRing(min(numbers, 2) * lane * words, lane)]


@Protocol
def _added(circle: Circle, planes: Words) -> Steps[Words]:
    """One layer: of every three numbers two, of the same sum."""
    numbers, lane, words = planes.shape
    shape = (numbers // 3, lane - 1, words)
    left, right, products = (
        part.reshape(shape) for part in circle.source.ask(BitTriple(int(np.prod(shape)))).take()
    )
    masked = np.empty_like(left), np.empty_like(right)
    kernels.mask_adders(planes, left, right, *masked)
    opened = yield Opening(circle, "carries", bits=masked)
    out = np.empty((numbers - numbers // 3, lane, words), dtype=np.uint64)
    kernels.add_carries(planes, tuple(opened), (left, right), products, circle.rank == 0, out)
    return out
