"""A party's part of a model in a file: own splits, own share of the leaf weights, and what it belongs to.

Parts belong together by the plan of the job that made them: each names it, its party and all parties, and a
digest over its own content. A part alone says which of its holder's columns the model uses, and no weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from unseen.application.boosting.kept import Kept
from unseen.application.evaluation.reference import read_reference
from unseen.computation.circle import Circle
from unseen.computation.learn.boosting_settings import Objective
from unseen.computation.learn.splits import Column
from unseen.computation.learn.trees import Split, Tree
from unseen.encoding import Json, canonical, digest, from_base64, parse_json, to_base64
from unseen.errors import MisuseError, UnseenError

FILE: Final = "boosting-model.json"
TAG: Final = "unseen/boosting-model/v1"
FILE_LIMIT: Final = 64 << 20


@dataclass(frozen=True)
class Part:
    """One party's part. `bins` says how each own column is cut: edges of a numeric one, levels of another; `kept`
    what the rows of the fit were like."""

    party: str
    parties: tuple[str, ...]
    plan: str
    agreement: str
    objective: Objective
    base: float
    columns: tuple[Column, ...]
    bins: Mapping[str, Json]
    trees: tuple[Tree, ...]
    kept: Kept = field(default_factory=Kept)

    def as_json(self) -> dict[str, Json]:
        body: dict[str, Json] = {
            "party": self.party,
            "parties": list(self.parties),
            "plan": self.plan,
            "agreement": self.agreement,
            "objective": self.objective.value,
            "base": self.base,
            "columns": [[c.owner, c.place, c.width, int(c.missing), c.direction] for c in self.columns],
            "bins": dict(self.bins),
            "trees": [_tree_json(tree) for tree in self.trees],
            "counts": dict(self.kept.counts),
            "reference": None if self.kept.reference is None else self.kept.reference.as_json(),
            "centre": self.kept.centre,
        }
        return {**body, "digest": digest(TAG, body)}


def write_part(folder: Path, part: Part) -> None:
    """Write this party's part into its job's folder."""
    (folder / FILE).write_bytes(canonical(part.as_json()))


def read_part(data: bytes, job: str, party: str, circle: Circle) -> Part:
    """Read the file of job `job`. Raises MisuseError for one that is altered, or another party's part."""
    try:
        found = parse_json(data, FILE_LIMIT)
        part = _from_json(found, circle)  # type: ignore[arg-type]
    except (UnseenError, KeyError, TypeError, ValueError, IndexError) as error:
        raise MisuseError(f"the model of job {job} cannot be read: {error}") from error
    if part.party != party or part.parties != circle.parties:
        raise MisuseError(
            f"the model of job {job} is {part.party}'s part among {', '.join(part.parties)}; "
            f"{party} can only use its own among {', '.join(circle.parties)}"
        )
    return part


def _from_json(found: dict[str, Any], circle: Circle) -> Part:
    body = {name: value for name, value in found.items() if name != "digest"}
    if digest(TAG, body) != found.get("digest"):
        raise MisuseError("its digest does not fit; the file was altered")
    return Part(
        party=str(body["party"]),
        parties=tuple(map(str, body["parties"])),
        plan=str(body["plan"]),
        agreement=str(body["agreement"]),
        objective=Objective(body["objective"]),
        base=float(body["base"]),
        columns=tuple(Column(o, p, w, bool(m), d) for o, p, w, m, d in body["columns"]),
        bins=body["bins"],
        trees=tuple(_tree(tree) for tree in body["trees"]),
        kept=_kept(body, circle),
    )


def _kept(body: dict[str, Any], circle: Circle) -> Kept:
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
        "leaves": to_base64(tree.leaves.astype("<u8").tobytes()),
    }


def _tree(found: dict[str, Any]) -> Tree:
    leaves = np.frombuffer(from_base64(found["leaves"]), dtype="<u8").astype(np.uint64)
    depth = int(found["depth"])
    if not 1 <= depth <= 10 or len(leaves) != 2**depth:
        raise MisuseError("a tree has another number of leaves than its depth says")
    return Tree(depth, tuple(Split(n, c, t, bool(m)) for n, c, t, m in found["splits"]), leaves)
