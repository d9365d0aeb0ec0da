"""Loops that run at native speed: Numba functions over arrays, each with a NumPy one-liner as its oracle.

Kernels take arrays, allocate nothing large, touch no socket, release the interpreter's lock, and are compiled
once a machine (the cache lies beside the source).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop at its first call, cached on disk, without the interpreter's lock."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small function that kernels call in their innermost loops."""
    return cast("Callable[P, R]", njit(inline="always")(function))
