"""A party's part of a model in a file: own splits, and own share of the leaf weights.

It says which of its holder's columns the model uses, and no weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from unseen.application.boosting.kept import Kept
from unseen.application.evaluation.reference import read_reference
from unseen.application.model_part import Kind, Origin, closed, opened, text_as_words, words_as_text
from unseen.computation.circle import Circle
from unseen.computation.learn.boosting_settings import Objective
from unseen.computation.learn.splits import Column
from unseen.computation.learn.trees import Split, Tree
from unseen.encoding import Json
from unseen.errors import MisuseError

KIND: Final = Kind("boosting")


@dataclass(frozen=True)
class Part:
    """One party's part. `bins` says how each own column is cut: edges of a numeric one, levels of another; `kept`
    what the rows of the fit were like."""

    origin: Origin
    objective: Objective
    base: float
    columns: tuple[Column, ...]
    bins: Mapping[str, Json]
    trees: tuple[Tree, ...]
    kept: Kept = field(default_factory=Kept)


def write_part(folder: Path, part: Part) -> None:
    """Write this party's part into its job's folder."""
    content: dict[str, Json] = {
        "objective": part.objective.value,
        "base": part.base,
        "columns": [[c.owner, c.place, c.width, int(c.missing), c.direction] for c in part.columns],
        "bins": dict(part.bins),
        "trees": [_tree_json(tree) for tree in part.trees],
        "counts": dict(part.kept.counts),
        "reference": None if part.kept.reference is None else part.kept.reference.as_json(),
        "centre": part.kept.centre,
    }
    (folder / KIND.file).write_bytes(closed(KIND, part.origin, content))


def read_part(data: bytes, job: str, party: str, circle: Circle) -> Part:
    """Read the file of job `job`. Raises MisuseError for one that is altered, or another party's part."""
    return opened(KIND, data, job, party, circle.parties, lambda origin, body: _read(origin, body, circle))


def _read(origin: Origin, body: Mapping[str, Any], circle: Circle) -> Part:
    return Part(
        origin=origin,
        objective=Objective(body["objective"]),
        base=float(body["base"]),
        columns=tuple(Column(o, p, w, bool(m), d) for o, p, w, m, d in body["columns"]),
        bins=body["bins"],
        trees=tuple(_tree(tree) for tree in body["trees"]),
        kept=_kept(body, circle),
    )


def _kept(body: Mapping[str, Any], circle: Circle) -> Kept:
    bands = body.get("reference")
    return Kept(
        body.get("counts", {}),
        None if bands is None else read_reference(bands, circle),
        float(body["centre"]),
    )


def _tree_json(tree: Tree) -> Json:
    return {
        "depth": tree.depth,
        "splits": [[s.node, s.column, s.threshold, int(s.missing_left)] for s in tree.splits],
        "leaves": words_as_text(tree.leaves),
    }


def _tree(found: Mapping[str, Any]) -> Tree:
    leaves, depth = text_as_words(found["leaves"]), int(found["depth"])
    if not 1 <= depth <= 10 or len(leaves) != 2**depth:
        raise MisuseError("a tree has another number of leaves than its depth says")
    return Tree(depth, tuple(Split(n, c, t, bool(m)) for n, c, t, m in found["splits"]), leaves)
