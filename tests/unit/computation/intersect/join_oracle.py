"""Tables to join, and their joint rows by pandas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.keys import composite

Table = list[tuple[str | None, ...]]
Pairs = Counter[tuple[int, int]]


def keys_of(table: Table, choices: Sequence[Sequence[int]]) -> list[Any]:
    columns = [pa.array([row[place] for row in table], pa.string()) for place in range(len(table[0]))]
    return [composite([columns[place] for place in choice]) for choice in choices]


def by_pandas(left: Table, right: Table, kind: Kind, choices: Sequence[Sequence[int]] = ((0,),)) -> Pairs:
    """The joint rows that pandas gives, choice after choice over what is left on both sides."""
    frames = [pd.DataFrame(table, dtype=object).rename_axis("row").reset_index() for table in (left, right)]
    pairs: list[tuple[int, int]] = []
    rest = list(frames)
    for choice in choices:
        usable = [frame.dropna(subset=list(choice)) for frame in rest]
        usable = [frame[(frame[list(choice)] != "").all(axis=1)] for frame in usable]
        merged = usable[0].merge(usable[1], on=list(choice), suffixes=("_left", "_right"))
        pairs += list(zip(merged["row_left"], merged["row_right"], strict=True))
        rest = [
            frame[~frame["row"].isin(merged[f"row_{side}"])]
            for frame, side in zip(rest, ("left", "right"), strict=True)
        ]
    alone = [(int(row), -1) for row in rest[0]["row"]]
    return Counter({Kind.INNER: pairs, Kind.LEFT: pairs + alone, Kind.DIFFERENCE: alone}[kind])


class HasRows(Protocol):
    """A party's rows of a joint table, -1 where it has none."""

    @property
    def rows(self) -> Any: ...


def pairs_of(found: Sequence[HasRows], kind: Kind) -> Pairs:
    """The joint rows of the left and of the right party."""
    left, right = ([int(row) for row in party.rows] for party in found)
    if kind is Kind.DIFFERENCE:
        assert not right
        return Counter((row, -1) for row in left)
    return Counter(zip(left, right, strict=True))


few = st.sampled_from([None, "", "a", "b", "ab", "c"])
tables = st.lists(st.tuples(few, few, few), min_size=1, max_size=12).map(lambda rows: [("z", "z", "z"), *rows])
