"""A public linear code under which sparse noise looks uniform: expand-convolute, at rate one half.

Source: Raghuraman, Rindal, Tanguy, "Expand-Convolute Codes for Pseudorandom Correlation Generators from LPN",
CRYPTO 2023 (eprint 2023/882). The compressed vector is B·A·e: A is a convolution whose every row adds the one
before it and each of the 23 further back with probability one half; B adds 21 rows, one uniform from each of 21
stretches (the regular expander: a stretch stays in the cache).

Assumption: learning parity with noise, dual form, regular noise over GF(2^64), for this code. What it rests on:
- Tests that are linear in the output see the noise through a code word of A·B of relative weight δ at least; each
  block of noise misses it with probability at most 1 - δ, so the bias is below (1 - δ)^t. δ = 0.20 is the estimate
  of the pseudo-minimum distance at weight 21 and state 24 (eprint 2023/882, section 6; the libOTe library's
  conservative choice, still so in 2026, while it withdrew lighter expand-accumulate codes for collisions of
  their sparse rows). `BLOCKS` makes (1 - δ)^t at most 2^-128.
- Guessing noise-free positions at rate one half costs 2^t: far above. Algebraic attacks on regular noise
  (Briaud, Øygarden, EUROCRYPT 2023) need fewer blocks or lower rates than these; so do the estimates over large
  fields of Liu, Wang, Yang, Yu, EUROCRYPT 2024 (eprint 2022/712).
The estimate of δ is by experiment, not by proof: `docs/security.md` says so.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, log2
from typing import Final

import numpy as np

from unseen.computation.kernels import convolute
from unseen.computation.prg import Expander
from unseen.computation.types import Words

DISTANCE: Final = 0.20
"""Relative pseudo-minimum distance of the code, as estimated in the source."""
WEIGHT: Final = 21
RATE: Final = 2
"""Noise positions for each element that comes out."""
BLOCKS: Final = ceil(-128 / log2(1 - DISTANCE))
"""Fewest blocks of regular noise, one noisy position each: 398."""

_ROWS: Final = 1 << 12
_PICKS: Final = 1 << 16
_SEED: Final = bytes.fromhex("756e7365656e2f657870616e642d636f6e766f6c7574652f312f6e6f7468696e")
"""Nothing up our sleeve: ASCII of a label. The code is public and the same for everyone."""


def compress(values: Words, count: int) -> Words:
    """(count, width): B·A of `values` (noise positions, width), which are overwritten.

    Linear over any field that holds GF(2): additions only. The same code for the same two sizes.
    """
    code = Expander(_SEED).child(f"{len(values)}/{count}")
    taps, picks = code.child("taps"), code.child("picks")
    for start in range(0, len(values), _ROWS):
        rows = min(_ROWS, len(values) - start)
        convolute.convolve(values, taps.lanes(rows, np.uint32), start)
    out = np.zeros((count, values.shape[1]), dtype=np.uint64)
    edges = [stretch * len(values) // WEIGHT for stretch in range(WEIGHT + 1)]
    for base, end in pairwise(edges):
        for start in range(0, count, _PICKS):
            part = out[start : start + _PICKS]
            convolute.add_picked(values, picks.lanes(len(part), np.uint32), base, end - base, part)
    return out
