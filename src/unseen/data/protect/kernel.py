"""Loops over rows at native speed: Numba functions over arrays, compiled once a machine, without the lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop at its first call, cached on disk."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))
