"""What the model may know of the data: noisy counts, all of them by OpenDP, and what they cost.

Neighbouring tables differ in one row, added or taken away. Text values are named if their noisy count is over a
threshold (stability-based histograms; Korolova et al. 2009); counts of one column and of pairs of columns get
Gaussian noise, accounted as zero-concentrated privacy (Bun & Steinke 2016) and turned into epsilon and delta by
OpenDP. The number of rows is not taken for known: it is one more noisy count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.errors import MisuseError

Counts = NDArray[np.float64]

NAMES_SHARE: Final = 0.2
"""Of epsilon, and half of delta, for the names of text values, where there are text columns."""
TOTAL_SHARE: Final = 0.1
"""Of what is left, for the number of rows."""
SINGLES_SHARE: Final = 0.3
"""Of what is left, for counts of single columns; the rest goes to pairs."""
_SIGN: Final = "\x1f"


@dataclass(frozen=True)
class Cost:
    """What one row's owner gives up at most."""

    epsilon: float
    delta: float

    def __post_init__(self) -> None:
        if not 0 < self.epsilon <= 100 or not 0 < self.delta < 1e-3:
            raise MisuseError("epsilon lies above 0 and up to 100, delta above 0 and below 0.001")


class Meter:
    """Makes all measurements of one synthetic copy, within one cost. `spent` is what OpenDP says they cost."""

    def __init__(self, cost: Cost, texts: int, columns: int) -> None:
        import opendp.prelude as dp

        dp.enable_features("contrib")
        self._dp = dp
        self._texts, self._columns = texts, columns
        share = NAMES_SHARE if texts else 0.0
        self._names = Cost(cost.epsilon * share, cost.delta / 2) if texts else None
        delta = cost.delta / 2 if texts else cost.delta
        self._gaussian = Cost(cost.epsilon * (1 - share), delta)
        self._rho = _rho(dp, self._gaussian)
        self.spent = Cost(cost.epsilon, cost.delta)
        self._used = 0.0

    def names(self, columns: Mapping[str, pa.Array]) -> dict[str, list[str]]:
        """The values of text columns that are frequent enough to be named, most frequent first."""
        if not columns or self._names is None:
            return {name: [] for name in columns}
        dp, scale = self._dp, self._texts / self._names.epsilon
        domain = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T=int))
        space = domain, dp.l01inf_distance(dp.absolute_distance(T=int))
        change = (self._texts, self._texts, 1)
        threshold = math.ceil(scale * math.log(self._texts / self._names.delta)) + 2
        while True:
            measurement = dp.m.make_laplace_threshold(*space, scale=scale, threshold=threshold)
            epsilon, delta = measurement.map(change)
            if delta <= self._names.delta and epsilon <= self._names.epsilon * (1 + 1e-9):
                break
            threshold += math.ceil(scale)
            scale *= 1 + 1e-12
        counts: dict[str, int] = {}
        for name, values in columns.items():
            for found in pc.value_counts(pc.drop_null(pc.cast(values, pa.string()))).to_pylist():
                counts[f"{name}{_SIGN}{found['values']}"] = found["counts"]
        released: Mapping[str, int] = measurement(counts)
        named: dict[str, list[str]] = {name: [] for name in columns}
        for key in sorted(released, key=lambda key: -released[key]):
            name, _, value = key.partition(_SIGN)
            named[name].append(value)
        return named

    def total(self, rows: int) -> float:
        """The noisy number of rows."""
        (noisy,), _ = self._noisy([np.array([rows], np.int64)], 1, TOTAL_SHARE)
        return float(noisy[0])

    def singles(self, counts: Sequence[NDArray[np.int64]]) -> tuple[list[Counts], float]:
        """Noisy counts of every column, and the noise's standard deviation."""
        return self._noisy(counts, self._columns, SINGLES_SHARE)

    def pairs(self, counts: Sequence[NDArray[np.int64]]) -> tuple[list[Counts], float]:
        """Noisy counts of every pair of columns, and the noise's standard deviation."""
        return self._noisy(counts, self._columns * (self._columns - 1) // 2, 1 - TOTAL_SHARE - SINGLES_SHARE)

    def _noisy(self, counts: Sequence[NDArray[np.int64]], tables: int, share: float) -> tuple[list[Counts], float]:
        if not tables:
            return [], 0.0
        if len(counts) != tables:
            raise MisuseError(f"{tables} tables were to be measured, not {len(counts)}")
        dp, rho = self._dp, self._rho * share
        sensitivity = math.sqrt(tables)  # one row is in one cell of every table
        scale = math.sqrt(tables / (2 * rho)) * (1 + 1e-9)
        space: Any = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
        measurement = dp.m.make_gaussian(*space, scale=scale)
        self._used += float(measurement.map(sensitivity))
        if self._used > self._rho * (1 + 1e-6):
            raise MisuseError("a measurement was made twice")
        whole = np.concatenate([table.ravel() for table in counts])
        noisy = np.array(measurement(whole.tolist()), np.float64)
        parts = np.split(noisy, np.cumsum([table.size for table in counts])[:-1])
        return [part.reshape(table.shape) for part, table in zip(parts, counts, strict=True)], scale


def _rho(dp: Any, cost: Cost) -> float:
    """The largest zero-concentrated cost that is within epsilon and delta, by OpenDP's own conversion."""

    def within(scale: float) -> bool:
        noise = dp.m.make_gaussian(dp.atom_domain(T=int), dp.absolute_distance(T=int), scale=scale)
        return bool(dp.c.make_zCDP_to_approxDP(noise).map(1).epsilon(cost.delta) <= cost.epsilon)

    scale: float = dp.binary_search(within, bounds=(0.01, 1e6))
    return 1 / (2 * scale * scale)
