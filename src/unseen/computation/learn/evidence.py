"""Weights of evidence and information value from counts per bin, and the merging of bins that are too small.

Weight of evidence of bin b: ln( ((good_b + 1/2) / (good + 1/2)) / ((bad_b + 1/2) / (bad + 1/2)) ), the sign of
Siddiqi, Credit Risk Scorecards (2006), chapter 6, with half a row added so that empty cells stay finite.
Information value: sum over bins of (share of good - share of bad) times weight of evidence, same smoothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.computation.types import Index, Real

Groups = list[list[int]]


@dataclass(frozen=True)
class Weighed:
    """What a label's holder makes of a column's fine bins: merged bins with their weights of evidence.

    `merged` gives each fine bin's number among the merged ones; `counts` (merged, 2) rows and bad rows.
    """

    merged: tuple[int, ...]
    counts: Index
    weights: Real
    information: float

    @property
    def useful(self) -> bool:
        return len(self.weights) > 1 and self.information > 0


def weigh(counts: Index, ordered: bool, smallest_rows: int, smallest_cell: int, monotone: bool = False) -> Weighed:
    """Merge fine bins until each holds `smallest_rows` rows and `smallest_cell` good and bad ones, and weigh them.

    `counts` (bins, 2): rows and bad rows of each fine bin, the missing ones last. Ordered bins merge with a
    neighbour, levels with the one of nearest bad rate, the missing ones likewise. With `monotone`, ordered bins
    are merged further until their bad rates only rise or only fall, whichever keeps more information. An empty
    bin goes with its neighbour if it has one by order, else with the fullest.
    """
    groups = _large_enough(counts, ordered, smallest_rows, smallest_cell)
    if monotone and ordered:
        groups = _monotone(counts, groups)
    table = _sums(counts, groups)
    weights, information = evidence(table)
    return Weighed(_numbers(counts, groups, ordered), table, weights, information)


def evidence(counts: Index) -> tuple[Real, float]:
    """Weights of evidence (bins,) and the information value, from (bins, 2) rows and bad rows."""
    bad = counts[:, 1].astype(np.float64)
    good = counts[:, 0] - bad
    share_good = (good + 0.5) / (good.sum() + 0.5)
    share_bad = (bad + 0.5) / (bad.sum() + 0.5)
    weights = np.log(share_good / share_bad)
    return weights, float(((share_good - share_bad) * weights).sum())


def _large_enough(counts: Index, ordered: bool, smallest_rows: int, smallest_cell: int) -> Groups:
    """Groups of the bins that hold rows, in order, each large enough or the only one."""
    missing = [len(counts) - 1]
    groups = [[int(place)] for place in np.flatnonzero(counts[:, 0])] or [[0]]
    while len(groups) > 1:
        sizes = _sums(counts, groups)
        small = [
            g
            for g, (rows, bad) in enumerate(sizes)
            if rows < smallest_rows or min(bad, rows - bad) < smallest_cell
        ]
        if not small:
            break
        victim = min(small, key=sizes[:, 0].__getitem__)
        others = [g for g in range(len(groups)) if g != victim]
        if ordered and groups[victim] != missing:
            others = [g for g in others if abs(g - victim) == 1 and groups[g] != missing] or others
        rate = sizes[:, 1] / sizes[:, 0]
        target = min(others, key=lambda g: abs(rate[g] - rate[victim]))
        groups[min(victim, target)] = sorted(groups[victim] + groups[target])
        del groups[max(victim, target)]
    return groups


def _monotone(counts: Index, groups: Groups) -> Groups:
    """Pool neighbours that break the order (Ayer et al. 1955, "pool adjacent violators"); missing stands apart."""
    missing = [len(counts) - 1]
    apart = [group for group in groups if group == missing]
    line = [group for group in groups if group != missing]
    candidates = []
    for sign in (1.0, -1.0):
        blocks: Groups = []
        for group in line:
            blocks.append(group)
            while len(blocks) > 1 and sign * (_rate(counts, blocks[-1]) - _rate(counts, blocks[-2])) <= 0:
                last = blocks.pop()
                blocks[-1] = sorted(blocks[-1] + last)
        candidates.append(blocks + apart)
    return max(candidates, key=lambda found: evidence(_sums(counts, found))[1])


def _numbers(counts: Index, groups: Groups, ordered: bool) -> tuple[int, ...]:
    """Each fine bin's number among the groups, the empty bins' too."""
    number = {place: g for g, group in enumerate(groups) for place in group}
    fullest = number[int(np.argmax(counts[:, 0]))]
    last = len(counts) - 1
    found: list[int] = []
    for place in range(len(counts)):
        if place in number:
            found.append(number[place])
        elif ordered and place != last:
            found.append(found[-1] if found else min(number.values()))
        else:
            found.append(fullest)
    return tuple(found)


def _sums(counts: Index, groups: Groups) -> Index:
    return np.array([counts[group].sum(axis=0) for group in groups], dtype=np.int64)


def _rate(counts: Index, group: list[int]) -> float:
    rows, bad = counts[group].sum(axis=0)
    return float(bad / rows)
