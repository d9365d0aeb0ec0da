"""Base oblivious transfers: one party gets one of two random seeds, the other does not know which.

Source: Chou and Orlandi, "The Simplest Protocol for Oblivious Transfer", LATINCRYPT 2015, over the prime-order
group of edwards25519 (libsodium's constant-time arithmetic), with the hash over the number of the transfer and
both points.

The giver sends A = a·G. For each transfer the taker sends B = b·G, or A + b·G if its choice is one, and keeps
H(b·A); the giver keeps H(a·B) and H(a·B - a·A).

Setting: two parties, semi-honest; computational Diffie–Hellman on the curve, BLAKE3 as a random oracle. A point
off the curve, of small order or outside the group is an error. Cost: a message each way, 32 bytes a transfer;
about 0.2 ms a transfer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from blake3 import blake3
from nacl import bindings as curve

from unseen.computation.channel import Channel
from unseen.computation.prg import Expander
from unseen.errors import ProtocolError

POINT: Final = 32
_WIDE: Final = 64


def give(channel: Channel, count: int, private: Expander) -> list[tuple[Expander, Expander]]:
    """Both seeds of each of `count` transfers. Raises ProtocolError for points that are none of the group."""
    secret = _scalar(private)
    base = curve.crypto_scalarmult_ed25519_base_noclamp(secret)
    channel.send("transfer/base", np.frombuffer(base, dtype=np.uint8))
    taken = channel.receive("transfer/points", np.uint8, (count, POINT))
    away = curve.crypto_scalarmult_ed25519_noclamp(secret, base)
    seeds = []
    for number in range(count):
        point = _checked(channel, taken[number].tobytes())
        zero = curve.crypto_scalarmult_ed25519_noclamp(secret, point)
        one = curve.crypto_core_ed25519_sub(zero, away)
        seeds.append((_seed(number, base, point, zero), _seed(number, base, point, one)))
    return seeds


def take(channel: Channel, choices: Sequence[int], private: Expander) -> list[Expander]:
    """The chosen seed of each transfer; `choices` are bits. Raises ProtocolError for a base that is no point."""
    base = _checked(channel, channel.receive("transfer/base", np.uint8, POINT).tobytes())
    points, seeds = [], []
    for number, choice in enumerate(choices):
        secret = _scalar(private)
        plain = curve.crypto_scalarmult_ed25519_base_noclamp(secret)
        point = (plain, curve.crypto_core_ed25519_add(base, plain))[int(choice)]  # both made: time tells nothing
        points.append(np.frombuffer(point, dtype=np.uint8))
        seeds.append(_seed(number, base, point, curve.crypto_scalarmult_ed25519_noclamp(secret, base)))
    channel.send("transfer/points", np.stack(points))
    return seeds


def _scalar(private: Expander) -> bytes:
    return curve.crypto_core_ed25519_scalar_reduce(private.octets(_WIDE))


def _checked(channel: Channel, point: bytes) -> bytes:
    if not curve.crypto_core_ed25519_is_valid_point(point):
        raise ProtocolError(channel.peer, "sent bytes that are no point of the group")
    return point


def _seed(number: int, base: bytes, point: bytes, common: bytes) -> Expander:
    return Expander(blake3(b"unseen/transfer/1" + number.to_bytes(4, "little") + base + point + common).digest())
