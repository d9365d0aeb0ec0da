"""A tree of columns from noisy counts, and rows drawn from it.

Columns are joined into the tree of pairs that differ most from independence, beyond what noise alone would show
(after MST: McKenna, Miklau & Sheldon 2021, with all pairs measured in place of a private choice). Rows are drawn
from the root outwards. Everything here is made from noisy counts alone, so that it costs no privacy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.data.synthetic.coding import Codes, Coding, coding, is_text
from unseen.data.synthetic.measure import Cost, Counts, Meter
from unseen.errors import DataError, MisuseError

COARSE: Final = 12
"""Groups of a column's codes in pairs, at most, beside missing."""
MOST_COLUMNS: Final = 40
MOST_ROWS: Final = 10_000_000


@dataclass(frozen=True)
class Copy:
    """A synthetic table, what it cost, how its columns were coded, and the pairs of columns that it keeps."""

    table: pa.Table
    cost: Cost
    codings: tuple[Coding, ...]
    identifiers: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]


def synthesise(table: pa.Table, cost: Cost, rows: int | None = None, identifiers: Sequence[str] = ()) -> Copy:
    """A synthetic copy of a table, in which one row more or less shows by `cost` at most.

    `identifiers` (columns that name persons) are made up without a look at the data. `rows` is by default the
    noisy number of rows. Raises DataError for an empty table or a column that has no coding, MisuseError for too
    many columns or rows.
    """
    if table.num_rows == 0:
        raise DataError("the table has no rows")
    names = [name for name in table.column_names if name not in identifiers]
    if not 1 <= len(names) <= MOST_COLUMNS:
        raise MisuseError(f"a synthetic copy has 1 to {MOST_COLUMNS} columns beside identifiers")
    columns = {name: table[name].combine_chunks() for name in names}
    texts = {name: values for name, values in columns.items() if is_text(values.type)}
    meter = Meter(cost, len(texts), len(names))
    named = meter.names(texts)
    codings = tuple(coding(columns[name].type, named.get(name, ())) for name in names)
    fine = [code.encode(columns[name]) for code, name in zip(codings, names, strict=True)]
    total = max(1.0, meter.total(table.num_rows))
    singles, _ = meter.singles([_histogram(f, c.size) for f, c in zip(fine, codings, strict=True)])
    singles = [_cleaned(single, total) for single in singles]
    groups = [_groups(single, code.ordered) for single, code in zip(singles, codings, strict=True)]
    coarse = [group[codes] for group, codes in zip(groups, fine, strict=True)]
    sizes = [int(group.max()) + 1 for group in groups]
    places = [(i, j) for i in range(len(names)) for j in range(i)]
    pairs, pair_noise = meter.pairs([_table(coarse[i], coarse[j], sizes[i], sizes[j]) for i, j in places])
    known = dict(zip(places, pairs, strict=True))
    tree = _tree(known, len(names), pair_noise)
    count = round(total) if rows is None else rows
    if not 1 <= count <= MOST_ROWS:
        raise MisuseError(f"a synthetic copy has 1 to {MOST_ROWS} rows")
    # Rows drawn from counts that are noisy already (the noise is OpenDP's): what is private does not rest on this
    # generator, which the operating system seeds.
    draw = np.random.default_rng()
    margins = [_margin(single, group, size) for single, group, size in zip(singles, groups, sizes, strict=True)]
    drawn = _drawn(tree, known, margins, pair_noise, count, draw)
    made = {
        name: code.decode(_refined(drawn[place], groups[place], singles[place], draw), draw)
        for place, (name, code) in enumerate(zip(names, codings, strict=True))
    }
    made |= {name: pa.array([f"{name}-{number:08}" for number in range(1, count + 1)]) for name in identifiers}
    edges = tuple((names[parent], names[child]) for parent, child in tree if parent >= 0)
    whole = pa.table({name: made[name] for name in table.column_names})
    return Copy(whole, meter.spent, codings, tuple(identifiers), edges)


def _histogram(codes: Codes, size: int) -> NDArray[np.int64]:
    return np.bincount(codes, minlength=size)


def _table(rows: Codes, columns: Codes, height: int, width: int) -> NDArray[np.int64]:
    return np.bincount(rows * width + columns, minlength=height * width).reshape(height, width)


def _cleaned(counts: Counts, total: float) -> Counts:
    """The largest counts, as many as make up the noisy number of rows (norm-cut; Wang et al., NDSS 2020).

    To keep all that lie above nought would add what noise alone puts there: in hundreds of bins more than rows.
    """
    order = np.argsort(-counts, kind="stable")
    most = np.maximum(counts[order], 0.0)
    before = np.cumsum(most) - most
    kept = np.zeros_like(counts)
    kept[order] = np.clip(total - before, 0.0, most)
    return kept if kept.any() else np.ones_like(counts)


def _groups(single: Counts, ordered: bool) -> NDArray[np.int64]:
    """Each code's group: neighbours of about equal mass, or the most frequent names alone; missing by itself."""
    body = single[:-1]
    if ordered:
        share = np.cumsum(body) - body / 2
        group = np.minimum((share / max(body.sum(), 1e-12) * COARSE).astype(np.int64), COARSE - 1)
    else:
        group = np.full(len(body), COARSE - 1, np.int64)
        group[np.argsort(-body, kind="stable")[: COARSE - 1]] = np.arange(min(COARSE - 1, len(body)))
    _, dense = np.unique(group, return_inverse=True)
    return np.append(dense, dense.max() + 1)


def _margin(single: Counts, group: NDArray[np.int64], size: int) -> Counts:
    return np.asarray(np.bincount(group, single, size), np.float64)


def _tree(pairs: dict[tuple[int, int], Counts], columns: int, noise: float) -> list[tuple[int, int]]:
    """Parent and child, the root first with parent -1 (Prim's algorithm on the strongest dependences)."""

    def strength(pair: Counts) -> float:
        clean = np.maximum(pair, 0.0)
        expected = clean.sum(1, keepdims=True) * clean.sum(0, keepdims=True) / max(clean.sum(), 1e-12)
        return float(np.abs(clean - expected).sum()) - math.sqrt(2 / math.pi) * noise * pair.size

    strengths = {place: strength(pair) for place, pair in pairs.items()}
    joined, tree = {0}, [(-1, 0)]
    while len(joined) < columns:
        best = max(
            ((i, j) for i, j in strengths if (i in joined) != (j in joined)), key=lambda place: strengths[place]
        )
        parent, child = best if best[0] in joined else (best[1], best[0])
        joined.add(child)
        tree.append((parent, child))
    return tree


def _drawn(
    tree: Sequence[tuple[int, int]],
    pairs: dict[tuple[int, int], Counts],
    margins: Sequence[Counts],
    noise: float,
    rows: int,
    draw: np.random.Generator,
) -> list[Codes]:
    """Coarse codes of every column, each given its parent's."""
    codes: list[Codes] = [np.empty(0, np.int64)] * len(margins)
    for parent, child in tree:
        if parent < 0:
            codes[child] = _choose(margins[child][np.newaxis], np.zeros(rows, np.int64), draw)
            continue
        table = pairs[parent, child] if (parent, child) in pairs else pairs[child, parent].T
        kept = np.where((table > noise) & (margins[child] > 0), table, 0.0)
        kept[kept.sum(1) == 0] = margins[child]  # nothing is known of it but the column itself
        codes[child] = _choose(kept, codes[parent], draw)
    return codes


def _choose(weights: Counts, given: Codes, draw: np.random.Generator) -> Codes:
    """For each row a column of `weights`, in proportion to the row of it that is given."""
    edges = np.cumsum(weights, axis=1)
    edges /= edges[:, -1:]
    luck = draw.random(len(given))
    out = np.empty(len(given), np.int64)
    for row in np.unique(given):
        there = given == row
        out[there] = np.searchsorted(edges[row], luck[there], side="right")
    return np.asarray(np.minimum(out, weights.shape[1] - 1), np.int64)


def _refined(coarse: Codes, group: NDArray[np.int64], single: Counts, draw: np.random.Generator) -> Codes:
    """Fine codes within the coarse ones, as frequent as the column's own counts say."""
    weights = np.where(group == np.arange(group.max() + 1)[:, np.newaxis], single, 0.0)
    empty = weights.sum(1) == 0
    weights[empty] = (group == np.arange(group.max() + 1)[:, np.newaxis])[empty]
    return _choose(weights, coarse, draw)
