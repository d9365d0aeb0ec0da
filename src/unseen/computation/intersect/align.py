"""Aligning two institutions' rows on the customers they have in common, by elliptic-curve Diffie–Hellman.

Source: Meadows, IEEE S&P 1986; Huberman, Franklin, Hogg, ACM EC 1999 (intersection by commutative blinding);
De Cristofaro, Gasti, Tsudik, CANS 2012 (its cardinality-only variant, which the first stage here is).

Each side hashes its keys to points of P-256 and raises them to a secret exponent, fresh for the run; the other
side raises them again. What both exponents have touched compares equal just for equal keys. The doubly blinded
points come back in a random order, so that first only the *number* of common keys is known; only when that is
at least the agreed minimum do the sides tell each other the order.

Setting: two parties, semi-honest; discrete logarithms of P-256 (decisional Diffie–Hellman) and SHA-256 as a
random oracle. Who learns what: both the other's number of keys and the number in common; above the minimum both
which of their own keys are common. Below it the caller is told "too few" and no more, although the process
itself holds the number. Cost: 3 messages each way, 64 bytes a key of each side; one hashing and two
exponentiations a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Array, Index
from unseen.errors import DataError, MisuseError, ProtocolError, RefusedError

PROFILE: Final = Profile(
    id="intersect/ecdh",
    title="Common customers by elliptic-curve Diffie–Hellman",
    source="Huberman, Franklin, Hogg, ACM EC 1999; cardinality first, De Cristofaro, Gasti, Tsudik, CANS 2012",
    reveals=(
        Disclosure(Role.EACH, "how many customers each side offers, and how many are common"),
        Disclosure(Role.EACH, "which of its own customers are common, if there are at least {smallest_overlap}"),
    ),
    assumptions=("decisional Diffie–Hellman on P-256", "SHA-256 as a random oracle"),
    failure="two different keys taken for one: below 2^-80 at 2^24 keys a side",
    messages=(
        Message("align/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align/once", Carries.BLINDED, most_messages=1),
        Message("align/twice", Carries.BLINDED, most_messages=1),
        Message("align/order", Carries.DISCLOSED, most_messages=1),
    ),
    rounds=lambda: 4,
)

COORDINATE: Final = 32
TAG: Final = 16
"""Bytes of a doubly blinded point that are compared: 2^-128·n² that two different keys look alike."""
MOST_KEYS: Final = 1 << 27
_REPORT_EVERY: Final = 512

Watch = Callable[[float, str], None]
Octets = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def align(circle: Circle, keys: Sequence[bytes], minimum: int, watch: Watch = lambda done, note: None) -> Index:
    """Find the common keys: the numbers of this party's rows, (common,) int64.

    The order is random, the same at both parties, and says nothing of either side's order. Keys are already
    normalised. Raises DataError for empty or repeated keys before anything is sent, RefusedError under rule
    `smallest-overlap` when fewer than `minimum` are common, ProtocolError for points that are none.
    """
    if circle.size != 2:
        raise MisuseError("this alignment is for two parties")
    _require_usable(keys)
    channel = circle.others()[0]
    theirs = _agree_sizes(channel, len(keys))
    secret = ec.generate_private_key(ec.SECP256R1())
    order = _random_order(len(keys))
    blinded = np.empty((len(keys), COORDINATE), dtype=np.uint8)
    for number, row in enumerate(order):
        blinded[number] = np.frombuffer(_blind(secret, hash_to_point(circle.session, keys[row])), dtype=np.uint8)
        _report(watch, number, 0.6 * number / len(keys), "blinding own keys")
    channel.send("align/once", blinded)
    received = channel.receive("align/once", np.uint8, (theirs, COORDINATE))
    twice = _blind_theirs(channel, secret, received, watch)
    shuffle = _random_order(theirs)
    channel.send("align/twice", twice[shuffle])
    ours = channel.receive("align/twice", np.uint8, (len(keys), TAG))
    common = np.intersect1d(_as_tags(ours), _as_tags(twice))
    if len(common) < minimum:
        raise RefusedError(
            "smallest-overlap",
            "too few common customers for this agreement",
            "offer more customers, or agree on a smaller minimum",
        )
    channel.send("align/order", shuffle)
    returned = _checked_order(channel, channel.receive("align/order", np.int64, (len(keys),)))
    # ours[j] belongs to the row that we sent at place returned[j], which is row order[returned[j]].
    rows = order[returned]
    tags = _as_tags(ours)
    found = np.flatnonzero(np.isin(tags, common))
    seed = circle.joint_seed("align")
    ranking = np.array([hashlib.sha256(seed + tags[j].tobytes()).digest() for j in found], dtype="S32")
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


def _require_usable(keys: Sequence[bytes]) -> None:
    if not keys:
        raise DataError("there are no keys to align on")
    if not all(keys):
        raise DataError("some keys are empty; remove these rows at the source")
    if len(set(keys)) < len(keys):
        raise DataError("some keys occur twice; a join needs one row a person")


def _agree_sizes(channel: Channel, own: int) -> int:
    channel.send("align/size", np.array([own], dtype=np.int64))
    theirs = int(channel.receive("align/size", np.int64, 1)[0])
    if not 0 < theirs <= MOST_KEYS:
        raise ProtocolError(channel.peer, f"offers a number of keys that is not between 1 and {MOST_KEYS}")
    return theirs


def _random_order(count: int) -> Index:
    """A uniform permutation from the operating system's randomness: the order of random 128-bit labels."""
    from unseen.computation.prg import Expander

    labels = Expander.fresh().words((count, 2))
    return np.lexsort((labels[:, 0], labels[:, 1])).astype(np.int64)


def _checked_order(channel: Channel, order: Array) -> Index:
    if not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ProtocolError(channel.peer, "sent an order of rows that is none")
    return order


def _as_tags(octets: Array) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    return np.ascontiguousarray(octets).view(f"V{TAG}").reshape(-1)


def _report(watch: Watch, number: int, done: float, note: str) -> None:
    if number % _REPORT_EVERY == 0:
        watch(done, note)
