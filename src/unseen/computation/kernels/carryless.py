"""The product of two polynomials over GF(2) of degree below 64: what arithmetic in GF(2^64) is built on.

`carryless(a, b)` gives the low and the high 64 bits. It is the processor's PCLMULQDQ where there is one, and
shifts and XORs elsewhere; which one is decided when this module is imported. Both are for use inside kernels.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from unseen.computation.kernels import inlined


@inlined
def carryless_portable(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The product by 64 shifts and masked XORs."""
    low, high = np.uint64(0), np.uint64(0)
    for bit in range(64):
        mask = np.uint64(0) - ((b >> np.uint64(bit)) & np.uint64(1))
        low ^= (a << np.uint64(bit)) & mask
        if bit:
            high ^= (a >> np.uint64(64 - bit)) & mask
    return low, high


@intrinsic  # type: ignore[untyped-decorator]
def carryless_native(_typing: Any, a: Any, b: Any) -> Any:
    """The product by one PCLMULQDQ instruction."""
    signature = types.UniTuple(types.uint64, 2)(a, b)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word, index = ir.IntType(64), ir.IntType(32)
        pair = ir.VectorType(word, 2)
        zero = ir.Constant(pair, [0, 0])
        left, right = (builder.insert_element(zero, value, index(0)) for value in arguments)
        multiply = builder.module.declare_intrinsic(
            "llvm.x86.pclmulqdq", fnty=ir.FunctionType(pair, [pair, pair, ir.IntType(8)])
        )
        both = builder.call(multiply, [left, right, ir.IntType(8)(0)])
        out = ir.Constant(ir.ArrayType(word, 2), ir.Undefined)
        for place in range(2):
            out = builder.insert_value(out, builder.extract_element(both, index(place)), place)
        return out

    return signature, generate


NATIVE: Final[bool] = bool(binding.get_host_cpu_features().get("pclmul", False))
"""Whether this processor multiplies without carries by itself."""

carryless = carryless_native if NATIVE else carryless_portable
