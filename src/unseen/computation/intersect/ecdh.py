"""Common keys of two institutions, first how many and then which, by elliptic-curve Diffie–Hellman.

Source: Meadows, IEEE S&P 1986; Huberman, Franklin, Hogg, ACM EC 1999 (intersection by commutative blinding);
De Cristofaro, Gasti, Tsudik, CANS 2012 (its cardinality-only variant, which the first stage here is).

Each side hashes its keys to points of P-256 and raises them to a secret exponent, fresh for the run; the other
side raises them again. What both exponents have touched compares equal just for equal keys. The doubly blinded
points come back in a random order, so that first only the *number* of common keys is known; only when that is
at least the agreed minimum do the sides tell each other the order.

Setting: two parties, semi-honest; discrete logarithms of P-256 (decisional Diffie–Hellman) and SHA-256 as a
random oracle. Who learns what: by `count` both the number in common; by `find` both which of their own keys are
common; by `count_alone` and `find_alone` one of them the same, the other nothing. Failure: two different keys
taken for one, below 2^-80 at 2^24 keys a side. Cost: 3 messages each way, 56 bytes a key of each side; one hashing
and two exponentiations a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.prg import Expander
from unseen.computation.profile import Carries, Message
from unseen.computation.types import Array, Index
from unseen.errors import ProtocolError

MESSAGES: Final = (
    Message("align/once", Carries.BLINDED),
    Message("align/twice", Carries.BLINDED),
    Message("align/order", Carries.DISCLOSED, most_messages=1),
)

COORDINATE: Final = 32
TAG: Final = 16
"""Bytes of a doubly blinded point that are compared: 2^-128·n² that two different keys look alike."""
_REPORT_EVERY: Final = 512

Watch = Callable[[float, str], None]
Octets = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
Tags = np.ndarray[tuple[int], np.dtype[np.void]]


@dataclass(frozen=True, eq=False)
class Counted:
    """What the first stage leaves at a party: enough to count, and to find the rows once told the order."""

    order: Index
    shuffle: Index
    ours: Tags
    common: Tags

    def __len__(self) -> int:
        return len(self.common)


def count(circle: Circle, keys: Sequence[bytes], theirs: int, watch: Watch) -> Counted:
    """How many keys are common with the peer's, of which there are `theirs`: two messages each way."""
    channel, secret = circle.others()[0], ec.generate_private_key(ec.SECP256R1())
    order = _sent_once(circle, secret, keys, watch)
    received = channel.receive("align/once", np.uint8, (theirs, COORDINATE))
    twice = _blind_theirs(channel, secret, received, watch)
    shuffle = random_order(theirs)
    channel.send("align/twice", twice[shuffle])
    ours = _as_tags(channel.receive("align/twice", np.uint8, (len(keys), TAG)))
    return Counted(order, shuffle, ours, np.intersect1d(ours, _as_tags(twice)))


def count_alone(circle: Circle, keys: Sequence[bytes], theirs: int, watch: Watch) -> Counted:
    """`count` where this party alone learns the number: it returns none of the peer's points."""
    channel, secret = circle.others()[0], ec.generate_private_key(ec.SECP256R1())
    order = _sent_once(circle, secret, keys, watch)
    received = channel.receive("align/once", np.uint8, (theirs, COORDINATE))
    twice = _blind_theirs(channel, secret, received, watch)
    ours = _as_tags(channel.receive("align/twice", np.uint8, (len(keys), TAG)))
    return Counted(order, np.empty(0, dtype=np.int64), ours, np.intersect1d(ours, _as_tags(twice)))


def help_count(circle: Circle, keys: Sequence[bytes], theirs: int, watch: Watch) -> Index:
    """The other side of `count_alone`: it learns nothing; the order that `tell_order` may tell later."""
    channel, secret = circle.others()[0], ec.generate_private_key(ec.SECP256R1())
    _sent_once(circle, secret, keys, watch)
    twice = _blind_theirs(channel, secret, channel.receive("align/once", np.uint8, (theirs, COORDINATE)), watch)
    shuffle = random_order(theirs)
    channel.send("align/twice", twice[shuffle])
    return shuffle


def tell_order(circle: Circle, shuffle: Index) -> None:
    """By which the peer finds its common rows."""
    circle.others()[0].send("align/order", shuffle)


def find_alone(circle: Circle, counted: Counted) -> Index:
    """The rows of the common keys, in a random order, once the peer tells its order."""
    channel = circle.others()[0]
    returned = _checked_order(channel, channel.receive("align/order", np.int64, (len(counted.ours),)))
    found = np.flatnonzero(np.isin(counted.ours, counted.common))
    rows = counted.order[returned[found]]
    return np.asarray(rows[random_order(len(rows))], dtype=np.int64)


def find(circle: Circle, counted: Counted) -> Index:
    """The rows of the common keys, in a random order that is the same at both: one message each way."""
    channel = circle.others()[0]
    channel.send("align/order", counted.shuffle)
    returned = _checked_order(channel, channel.receive("align/order", np.int64, (len(counted.ours),)))
    # ours[j] belongs to the row that we sent at place returned[j], which is row order[returned[j]].
    rows = counted.order[returned]
    found = np.flatnonzero(np.isin(counted.ours, counted.common))
    seed = circle.joint_seed("align")
    ranking = np.array([hashlib.sha256(seed + counted.ours[j].tobytes()).digest() for j in found], dtype="S32")
    return np.asarray(rows[found[np.argsort(ranking, kind="stable")]], dtype=np.int64)


def hash_to_point(session: bytes, key: bytes) -> ec.EllipticCurvePublicKey:
    """A point of P-256 that nobody knows a logarithm of: SHA-256 as x-coordinate, counted up until it is one.

    Two tries on average. Which of the two y is taken does not matter: only x-coordinates are used.
    """
    counter = 0
    while True:
        digest = hashlib.sha256(b"unseen/align/v1" + session + counter.to_bytes(4, "big") + key).digest()
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x02" + digest)
        except ValueError:
            counter += 1


def _sent_once(circle: Circle, secret: ec.EllipticCurvePrivateKey, keys: Sequence[bytes], watch: Watch) -> Index:
    """Tell the own blinded keys in a random order; that order."""
    order = random_order(len(keys))
    blinded = np.empty((len(keys), COORDINATE), dtype=np.uint8)
    for number, row in enumerate(order):
        blinded[number] = np.frombuffer(_blind(secret, hash_to_point(circle.session, keys[row])), dtype=np.uint8)
        _report(watch, number, 0.6 * number / len(keys), "blinding own keys")
    circle.others()[0].send("align/once", blinded)
    return order


def _blind(secret: ec.EllipticCurvePrivateKey, point: ec.EllipticCurvePublicKey) -> bytes:
    """The x-coordinate of secret·point, 32 bytes; the library's multiplication is constant-time."""
    return secret.exchange(ec.ECDH(), point)


def _blind_theirs(channel: Channel, secret: ec.EllipticCurvePrivateKey, points: Array, watch: Watch) -> Octets:
    """Blind the peer's points again. Raises ProtocolError naming it for an x that no point has."""
    tags = np.empty((len(points), TAG), dtype=np.uint8)
    for number, coordinate in enumerate(points):
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x02" + coordinate.tobytes())
        except ValueError:
            raise ProtocolError(channel.peer, "sent a blinded key that is no point of the curve") from None
        tags[number] = np.frombuffer(_blind(secret, point)[:TAG], dtype=np.uint8)
        _report(watch, number, 0.6 + 0.4 * number / len(points), "blinding the partner's keys")
    return tags


def random_order(count: int) -> Index:
    """A uniform permutation from the operating system's randomness: the order of random 128-bit labels."""
    labels = Expander.fresh().words((count, 2))
    return np.lexsort((labels[:, 0], labels[:, 1])).astype(np.int64)


def _checked_order(channel: Channel, order: Array) -> Index:
    if not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ProtocolError(channel.peer, "sent an order of rows that is none")
    return order


def _as_tags(octets: Array) -> Tags:
    return np.ascontiguousarray(octets).view(f"V{TAG}").reshape(-1)


def _report(watch: Watch, number: int, done: float, note: str) -> None:
    if number % _REPORT_EVERY == 0:
        watch(done, note)
