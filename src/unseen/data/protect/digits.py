"""Arithmetic of FF1 on rows of digits in any base up to 256: numbers of any length, in limbs of 32 bits.

A row of digits has the most significant first. Oracle of each kernel: Python's own integers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.data.protect.kernel import kernel

Digits = NDArray[np.uint8]


def chunk(radix: int) -> tuple[int, int]:
    """How many digits fit 32 bits at once, and the radix to that power."""
    count = 1
    while radix ** (count + 1) < 1 << 32:
        count += 1
    return count, radix**count


@kernel
def write_numbers(digits: Digits, radix: int, out: Digits) -> None:
    """Write each row's number, big-endian, to a row of `out`, which must be wide enough."""
    rows, length = digits.shape
    width = out.shape[1]
    limbs = np.zeros((width + 3) // 4, dtype=np.uint64)
    for row in range(rows):
        limbs[:] = 0
        at = 0
        while at < length:
            value, power = np.uint64(0), np.uint64(1)
            while at < length and power < np.uint64(1 << 24):  # power·256 < 2^32
                value = value * np.uint64(radix) + np.uint64(digits[row, at])
                power *= np.uint64(radix)
                at += 1
            carry = value
            for place in range(len(limbs)):
                carry += limbs[place] * power
                limbs[place] = carry & np.uint64(0xFFFFFFFF)
                carry >>= np.uint64(32)
        for place in range(width):
            limb = limbs[place >> 2] >> np.uint64(8 * (place & 3))
            out[row, width - 1 - place] = np.uint8(limb & np.uint64(0xFF))


@kernel
def add_numbers(digits: Digits, stream: Digits, radix: int, count: int, power: int, minus: bool) -> None:
    """Add to (or take from) each row of digits the big-endian number in `stream`, modulo radix^length.

    The width of `stream` is a multiple of 4; `count` and `power` are `chunk(radix)`.
    """
    rows, length = digits.shape
    limbs = np.zeros(stream.shape[1] // 4, dtype=np.uint64)
    base, divisor = np.uint64(radix), np.uint64(power)
    for row in range(rows):
        for place in range(len(limbs)):
            limb = np.uint64(0)
            for byte in range(4):
                limb = (limb << np.uint64(8)) | np.uint64(stream[row, 4 * place + byte])
            limbs[place] = limb
        carry = np.uint64(0)
        at = length - 1
        while at >= 0:
            rest = np.uint64(0)
            for place in range(len(limbs)):
                rest = (rest << np.uint64(32)) | limbs[place]
                limbs[place] = rest // divisor
                rest -= limbs[place] * divisor
            for _ in range(count):
                if at < 0:
                    break
                digit = rest % base
                rest //= base
                if minus:
                    total = np.uint64(digits[row, at]) + base - digit - carry
                    carry = np.uint64(1) if total < base else np.uint64(0)
                else:
                    total = np.uint64(digits[row, at]) + digit + carry
                    carry = np.uint64(1) if total >= base else np.uint64(0)
                digits[row, at] = np.uint8(total - base if total >= base else total)
                at -= 1
