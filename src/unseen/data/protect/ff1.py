"""FF1: encryption that keeps a value's length and alphabet, over whole columns at once.

Source: NIST SP 800-38G (2016), algorithms 7 and 8; the least domain of 10^6 values is from its Revision 1.
FF3 is withdrawn and not offered.

A column is cut into groups of equal length. Within a group the ten Feistel rounds run over all rows together:
the blocks that do not depend on a row are chained once, and what is left, one block a row for values of up to
some 36 digits, goes through AES in one call a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from unseen.data.protect.digits import Digits, add_numbers, chunk, write_numbers
from unseen.errors import MisuseError

LEAST_DOMAIN: Final = 10**6
"""SP 800-38G Rev. 1, section 5.1: fewer possible values could be listed."""
MOST_DIGITS: Final = 4096
ROUNDS: Final = 10
_BLOCK: Final = 16
_ROWS: Final = 1 << 14  # rows at once: their blocks stay in the cache


@dataclass(frozen=True)
class Shape:
    """The sizes of algorithm 7, steps 1 to 5, for rows of `length` digits in base `radix`."""

    radix: int
    length: int

    @property
    def left(self) -> int:
        return self.length // 2

    @property
    def right(self) -> int:
        return self.length - self.left

    @property
    def number_bytes(self) -> int:
        """b: bytes of the right half's number."""
        largest: int = self.radix**self.right - 1
        return (largest.bit_length() + 7) // 8

    @property
    def stream_bytes(self) -> int:
        """d: bytes of the round function's output."""
        return 4 * -(-self.number_bytes // 4) + 4

    def head(self, tweak: bytes) -> bytes:
        """P || T || zeros: what no row changes, up to where the round's number stands."""
        fixed = bytes([1, 2, 1]) + self.radix.to_bytes(3, "big") + bytes([ROUNDS, self.left % 256])
        fixed += self.length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        return fixed + tweak + bytes((-len(tweak) - self.number_bytes - 1) % _BLOCK)


def large_enough(radix: int, length: int) -> bool:
    """Whether rows of this length have at least 10^6 possible values."""
    return length >= 2 and radix ** min(length, 20) >= LEAST_DOMAIN


class FF1:
    """FF1 under an AES key of 16, 24 or 32 bytes. `repr` shows no key."""

    def __init__(self, key: bytes) -> None:
        if len(key) not in (16, 24, 32):
            raise MisuseError("an AES key has 16, 24 or 32 bytes")
        self._aes = Cipher(algorithms.AES(key), modes.ECB())

    def encrypt(self, digits: Digits, radix: int, tweak: bytes = b"") -> Digits:
        """Algorithm 7 over the rows of a matrix (rows, length) of digits. Raises MisuseError: too short."""
        return self._run(digits, radix, tweak, forward=True)

    def decrypt(self, digits: Digits, radix: int, tweak: bytes = b"") -> Digits:
        """Algorithm 8, the inverse of `encrypt`."""
        return self._run(digits, radix, tweak, forward=False)

    def _run(self, digits: Digits, radix: int, tweak: bytes, forward: bool) -> Digits:
        shape = Shape(radix, digits.shape[1])
        if not 2 <= radix <= 256 or not large_enough(radix, shape.length) or shape.length > MOST_DIGITS:
            raise MisuseError(
                f"FF1 needs at least {LEAST_DOMAIN} possible values and at most {MOST_DIGITS} digits;"
                f" {shape.length} digits in base {radix} are not that"
            )
        out = np.empty_like(digits)
        for start in range(0, len(digits), _ROWS):
            rows = slice(start, start + _ROWS)
            out[rows] = self._feistel(digits[rows], shape, tweak, forward)
        return out

    def _feistel(self, digits: Digits, shape: Shape, tweak: bytes, forward: bool) -> Digits:
        count, power = chunk(shape.radix)
        blocks, state = self._blocks(len(digits), shape, tweak)
        halves = [digits[:, : shape.left].copy(), digits[:, shape.left :].copy()]  # changed in place
        for number in range(ROUNDS) if forward else reversed(range(ROUNDS)):
            changed, read = halves[number % 2], halves[1 - number % 2]
            stream = self._stream(blocks, state, number, read, shape)
            add_numbers(changed, stream, shape.radix, count, power, not forward)
        return np.concatenate(halves, axis=1)

    def _blocks(self, rows: int, shape: Shape, tweak: bytes) -> tuple[Digits, bytes]:
        """The blocks of P || Q that differ by row or round, and the chained state before them."""
        head = shape.head(tweak)
        shared = len(head) // _BLOCK * _BLOCK
        encryptor = self._aes.encryptor()
        state = bytes(_BLOCK)
        for start in range(0, shared, _BLOCK):
            mixed = bytes(a ^ b for a, b in zip(state, head[start : start + _BLOCK], strict=True))
            state = encryptor.update(mixed)
        rest = len(head) - shared
        blocks = np.zeros((rows, rest + 1 + shape.number_bytes), np.uint8)
        blocks[:, :rest] = np.frombuffer(head[shared:], np.uint8)
        return blocks, state

    def _stream(self, blocks: Digits, state: bytes, number: int, half: Digits, shape: Shape) -> Digits:
        """Steps 6.i to 6.iii: the pseudorandom bytes that are added to the other half."""
        width = shape.number_bytes
        blocks[:, -width - 1] = number
        numbers = np.empty((len(blocks), width), np.uint8)
        write_numbers(half, shape.radix, numbers)
        blocks[:, -width:] = numbers
        chained = np.broadcast_to(np.frombuffer(state, np.uint8), (len(blocks), _BLOCK))
        for start in range(0, blocks.shape[1], _BLOCK):
            chained = self._encrypted(chained ^ blocks[:, start : start + _BLOCK])
        parts = [chained]
        for place in range(1, -(-shape.stream_bytes // _BLOCK)):
            mark = np.frombuffer(place.to_bytes(_BLOCK, "big"), np.uint8)
            parts.append(self._encrypted(chained ^ mark))
        stream = np.concatenate(parts, axis=1) if len(parts) > 1 else chained
        return np.ascontiguousarray(stream[:, : shape.stream_bytes])

    def _encrypted(self, blocks: Digits) -> Digits:
        data = self._aes.encryptor().update(np.ascontiguousarray(blocks).data)
        return np.frombuffer(data, np.uint8).reshape(-1, _BLOCK)

    def __repr__(self) -> str:
        return "FF1(key hidden)"
