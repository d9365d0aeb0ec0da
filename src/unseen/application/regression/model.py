"""A party's part of a regression in a file: its shares of the coefficients, and what they belong to.

A part alone says nothing of the coefficients: its words are uniform. Parts belong together by the plan of the job
that made them; each names it, its party and all parties, and a digest over its own content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from unseen.application.evaluation.reference import Reference, read_reference, read_words, words_as_json
from unseen.application.regression.request import Family
from unseen.computation.circle import Circle
from unseen.computation.learn.fit import Fit
from unseen.encoding import Json, canonical, digest, parse_json
from unseen.errors import MisuseError, UnseenError
from unseen.interaction.plan import Plan

FILE: Final = "regression-model.json"
TAG: Final = "unseen/regression-model/v1"
FILE_LIMIT: Final = 4 << 20
MOST_COLUMNS: Final = 4096


@dataclass(frozen=True)
class Part:
    """One party's part: `plan` is the hash of the job that made it.

    `reference` and `columns` say what rows it was fitted to, where rows were held out: bands of scores, on shares,
    and bins of the own columns.
    """

    party: str
    parties: tuple[str, ...]
    plan: str
    agreement: str
    family: Family
    model: Fit
    reference: Reference | None = None
    columns: Mapping[str, Json] = field(default_factory=dict)


def write_part(
    folder: Path,
    party: str,
    plan: Plan,
    family: Family,
    model: Fit,
    kept: Reference | None = None,
    columns: Mapping[str, Json] | None = None,
) -> None:
    """Write this party's part into its job's folder."""
    body: dict[str, Json] = {
        "party": party,
        "parties": list(plan.parties),
        "plan": plan.hash,
        "agreement": plan.agreement,
        "family": family.value,
        "names": [[owner, name] for owner, name in model.names],
        "exponents": [int(exponent) for exponent in model.exponents],
        "label_exponent": model.label_exponent,
        "kept": list(model.kept),
        "intercept": words_as_json(model.intercept),
        "weights": words_as_json(model.weights),
    }
    if kept is not None:
        body["reference"] = kept.as_json()
        body["columns"] = dict(columns or {})
    (folder / FILE).write_bytes(canonical({**body, "digest": digest(TAG, body)}))


def read_part(data: bytes, job: str, party: str, circle: Circle) -> Part:
    """Read the file of job `job`. Raises MisuseError for one that is altered, or another party's part."""
    try:
        part = _from_json(parse_json(data, FILE_LIMIT), circle)  # type: ignore[arg-type]
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
    names = tuple((int(owner), str(name)) for owner, name in body["names"])
    weights, intercept = read_words(body["weights"], circle), read_words(body["intercept"], circle)
    if not 0 < len(names) <= MOST_COLUMNS or weights.shape != (len(names),) or intercept.shape != (1,):
        raise MisuseError("it has another number of coefficients than of columns")
    model = Fit(
        intercept[0],
        weights,
        None,
        (),
        names,
        np.array(body["exponents"], dtype=np.float64).reshape(len(names)),
        int(body["label_exponent"]),
        tuple(map(int, body["kept"])),
    )
    kept = body.get("reference")
    return Part(
        str(body["party"]),
        tuple(map(str, body["parties"])),
        str(body["plan"]),
        str(body["agreement"]),
        Family(body["family"]),
        model,
        None if kept is None else read_reference(kept, circle),
        body.get("columns", {}),
    )
