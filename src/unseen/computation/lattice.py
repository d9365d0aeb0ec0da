"""Masks that can be added up in secret: ring learning with errors over Z_2^64[X]/(X^2048 + 1).

Row i = 2048·b + j of a vector is hidden by coefficient j of a_b·s + e: a_b public, s a fresh secret of its holder,
e a fresh error. Whoever holds hidden rows adds up those it likes; what the mask adds up to is linear in s, and
its coefficients, sums of public numbers, depend on the choice of rows alone. So for a choice of rows that stays,
a mask costs its 2048 secret coefficients and not a word a row.

Source: Lyubashevsky, Peikert, Regev, EUROCRYPT 2010 (ring learning with errors); Langlois and Stehlé, Designs,
Codes and Cryptography 75 (2015), for moduli that are powers of two; one public a for many secrets as in Peikert,
Vaikuntanathan, Waters, CRYPTO 2008. Parameters: degree 2048, ternary secrets and errors of 2^-50.8 of the modulus;
the Homomorphic Encryption Standard (Albrecht et al., 2018, table 1) has 2^-52.3 for 128 bits at this degree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unseen.computation.kernels import lattice as kernels
from unseen.computation.kernels.lattice import Spectrum
from unseen.computation.prg import Expander
from unseen.computation.threads import each, slices
from unseen.computation.types import Array, Index, Words

DEGREE: Final = 2048
ERROR: Final = 9459.0
"""Standard deviation of an error: the sum of four uniform numbers of 14 bits, less its mean."""

_HALF: Final = DEGREE // 2
_TWIST: Final = np.exp(1j * np.pi / DEGREE * np.arange(_HALF))
_UNTWIST: Final = np.conj(_TWIST)


@dataclass(frozen=True, eq=False)
class Elements:
    """Public ring elements for so many rows: `words` (blocks, DEGREE), and transforms of their 32-bit halves."""

    rows: int
    words: Words
    low: Spectrum
    high: Spectrum


def public_elements(seed: bytes, rows: int) -> Elements:
    """Ring elements for `rows` rows from a seed that all parties know."""
    words = Expander(seed).words((-(-rows // DEGREE), DEGREE))
    low = (words & np.uint64(0xFFFFFFFF)).astype(np.float64) - 2.0**31
    high = (words >> np.uint64(32)).astype(np.float64)
    high[high >= 2.0**31] -= 2.0**32
    return Elements(rows, words, _forward(low), _forward(high))


def fresh_secrets(count: int, private: Expander) -> Index:
    """(count, DEGREE) of -1, 0 and 1, uniform: keep them, and use each for one vector only."""
    wanted, found = count * DEGREE, np.empty(0, dtype=np.uint8)
    while found.size < wanted:
        drawn = private.lanes(wanted + 64, np.uint8)
        found = np.concatenate([found, drawn[drawn < 255]])
    return (found[:wanted] % np.uint8(3)).astype(np.int64).reshape(count, DEGREE) - 1


def masks(elements: Elements, secrets: Index, private: Expander) -> Words:
    """(count, rows) words a·s + e, one vector for each secret.

    The products are exact: halves of 32 bits by ternary numbers stay, in double precision, within 0.02 of the
    whole number that they are (2^-53 · log2(2048) · |a| · |s| in Euclidean norms).
    """
    found = np.empty((len(secrets), elements.rows), dtype=np.uint64)
    for row, secret in zip(found, secrets, strict=True):
        spectrum = _forward(secret.astype(np.float64)[None])
        low, high = (np.fft.ifft(part * spectrum, axis=1) for part in (elements.low, elements.high))
        # The low halves were centred by 2^31; what that took off is 2^31 times the product of (1 + X + …) and s.
        kernels.join_halves(low, high, _UNTWIST, _times_all_ones(secret) << 31, row)
    drawn = private.words(found.shape)
    kernels.add_errors(found.reshape(-1), drawn.reshape(-1))
    return found


def mask_rows(elements: Elements, places: Array, starts: Index, total: int) -> Words:
    """(total, DEGREE): for each bin the sum of its rows' coefficients, so that the masks' sum is this @ secret.

    `places` (rows, columns) uint8 gives each row's bin in each column, `starts` (columns,) the number of the
    column's first bin. About 2048 additions a row and column.
    """
    found = np.zeros((total, DEGREE), dtype=np.uint64)
    parts = [(np.ascontiguousarray(places[:, part]), starts[part]) for part in slices(len(starts))]
    each(lambda part: kernels.window_sums(elements.words, *part, found), parts)
    return found


def _forward(values: NDArray[np.float64]) -> Spectrum:
    """(n, DEGREE) real coefficients to (n, DEGREE/2) values at half of the roots of X^DEGREE + 1."""
    folded = (values[:, :_HALF] + 1j * values[:, _HALF:]) * _TWIST
    return np.asarray(np.fft.fft(folded, axis=1))


def _times_all_ones(secret: Index) -> NDArray[Any]:
    """(1 + X + … + X^(DEGREE-1))·s modulo X^DEGREE + 1: coefficient j is (s_0 + … + s_j) - (s_{j+1} + …)."""
    return np.asarray(2 * np.cumsum(secret) - secret.sum())
