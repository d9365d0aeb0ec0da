"""Keyed BLAKE3 of many short keys at once, straight over Arrow's buffers.

BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), keyed mode, 32 bytes of output, for inputs of at most
one block (64 bytes); sixteen inputs go through the compression function side by side, a vector lane each. It is
written out in LLVM's vector types, which any processor has in some width: the state stays in registers. Longer
inputs are left to the reference implementation by the caller. Oracle: the package `blake3`, and its published test
vectors.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from unseen.computation.kernels import kernel
from unseen.computation.types import Index

BLOCK: Final = 64
_LANES: Final = 16
_FLAGS: Final = 1 | 2 | 8 | 16  # first and last block of the only chunk, root, keyed

_IV: Final = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A)
_PERMUTATION: Final = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_MIXES: Final = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
"""Columns, then diagonals, of the 4 by 4 state."""

Octets = NDArray[np.uint8]
Words32 = NDArray[np.uint32]

_WORD = ir.IntType(32)
_ROW = ir.VectorType(_WORD, _LANES)


def _row(number: int) -> ir.Constant:
    """The same number in every lane."""
    return ir.Constant(_ROW, [number] * _LANES)


def _rotated(builder: Any, row: Any, by: int) -> Any:
    return builder.or_(builder.lshr(row, _row(by)), builder.shl(row, _row(32 - by)))


def _mixed(builder: Any, state: list[Any], places: tuple[int, int, int, int], x: Any, y: Any) -> None:
    """The quarter round G, in all lanes."""
    a, b, c, d = places
    for word, turn_d, turn_b in ((x, 16, 12), (y, 8, 7)):
        state[a] = builder.add(builder.add(state[a], state[b]), word)
        state[d] = _rotated(builder, builder.xor(state[d], state[a]), turn_d)
        state[c] = builder.add(state[c], state[d])
        state[b] = _rotated(builder, builder.xor(state[b], state[c]), turn_b)


@intrinsic  # type: ignore[untyped-decorator]
def _compress(_typing: Any, key: Any, message: Any, lengths: Any, out: Any) -> Any:
    """The compression of one block in all lanes: key (8,), message (16, 16), lengths (16,), out (8, 16)."""
    signature = types.void(key, message, lengths, out)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = [
            context.make_array(kind)(context, builder, argument).data
            for kind, argument in zip(signature.args, arguments, strict=True)
        ]

        def at(pointer: Any, place: int) -> Any:
            return builder.gep(pointer, [ir.IntType(64)(place)])

        def load(pointer: Any, row: int) -> Any:
            return builder.load(builder.bitcast(at(pointer, row * _LANES), _ROW.as_pointer()), align=4)

        def spread(word: Any) -> Any:
            first = builder.insert_element(ir.Constant(_ROW, ir.Undefined), word, _WORD(0))
            return builder.shuffle_vector(first, ir.Constant(_ROW, ir.Undefined), _row(0))

        state = [spread(builder.load(at(pointers[0], row))) for row in range(8)]
        state += [*(_row(word) for word in _IV), _row(0), _row(0), load(pointers[2], 0), _row(_FLAGS)]
        words = [load(pointers[1], row) for row in range(16)]
        for _ in range(7):
            for number, places in enumerate(_MIXES):
                _mixed(builder, state, places, words[2 * number], words[2 * number + 1])
            words = [words[place] for place in _PERMUTATION]
        for row in range(8):
            to = builder.bitcast(at(pointers[3], row * _LANES), _ROW.as_pointer())
            builder.store(builder.xor(state[row], state[8 + row]), to, align=4)
        return context.get_dummy_value()

    return signature, generate


@kernel
def hash_short(data: Octets, offsets: Index, key: Words32, out: Words32) -> int:
    """out[i] = BLAKE3 under `key` (8,) of data[offsets[i]:offsets[i+1]]; out is (n, 8).

    Inputs longer than a block are passed over; returns how many those were.
    """
    count = offsets.shape[0] - 1
    message = np.zeros((16, _LANES), dtype=np.uint32)
    lengths = np.zeros(_LANES, dtype=np.uint32)
    hashes = np.empty((8, _LANES), dtype=np.uint32)
    long = 0
    for start in range(0, count, _LANES):
        lanes = min(_LANES, count - start)
        message[:] = 0
        for lane in range(lanes):
            first, after = offsets[start + lane], offsets[start + lane + 1]
            if after - first > BLOCK:
                long += 1
                after = first
            lengths[lane] = np.uint32(after - first)
            whole = (after - first) >> 2
            for word in range(whole):
                at = first + 4 * word
                message[word, lane] = np.uint32(
                    np.uint32(data[at])
                    | np.uint32(data[at + 1]) << np.uint32(8)
                    | np.uint32(data[at + 2]) << np.uint32(16)
                    | np.uint32(data[at + 3]) << np.uint32(24)
                )
            for at in range(first + 4 * whole, after):
                shift = np.uint32(8 * (at - first - 4 * whole))
                message[whole, lane] |= np.uint32(data[at]) << shift
        _compress(key, message, lengths, hashes)
        for lane in range(lanes):
            for row in range(8):
                out[start + lane, row] = hashes[row, lane]
    return long
