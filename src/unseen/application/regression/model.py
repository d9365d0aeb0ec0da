"""A party's part of a regression in a file: its shares of the coefficients, and what it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from unseen.application.evaluation.reference import Reference, read_reference
from unseen.application.model_part import Kind, Origin, closed, json_as_shared, opened, shared_as_json
from unseen.application.regression.request import Family
from unseen.computation.circle import Circle
from unseen.computation.learn.fit import Fit
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.plan import Plan

KIND: Final = Kind("regression")
MOST_COLUMNS: Final = 4096


@dataclass(frozen=True)
class Part:
    """One party's part. `reference` and `columns` say what rows the model was fitted to, where rows were held out:
    bands of scores, on shares, and bins of the own columns."""

    origin: Origin
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
    content: dict[str, Json] = {
        "family": family.value,
        "names": [[owner, name] for owner, name in model.names],
        "exponents": [int(exponent) for exponent in model.exponents],
        "label_exponent": model.label_exponent,
        "kept": list(model.kept),
        "intercept": shared_as_json(model.intercept),
        "weights": shared_as_json(model.weights),
    }
    if kept is not None:
        content["reference"] = kept.as_json()
        content["columns"] = dict(columns or {})
    (folder / KIND.file).write_bytes(closed(KIND, Origin.of(party, plan), content))


def read_part(data: bytes, job: str, party: str, circle: Circle) -> Part:
    """Read the file of job `job`. Raises MisuseError for one that is altered, or another party's part."""

    def read(origin: Origin, body: Mapping[str, Any]) -> Part:
        kept = body.get("reference")
        return Part(
            origin,
            Family(body["family"]),
            _model(body, circle),
            None if kept is None else read_reference(kept, circle),
            body.get("columns", {}),
        )

    return opened(KIND, data, job, party, circle.parties, read)


def _model(body: Mapping[str, Any], circle: Circle) -> Fit:
    names = tuple((int(owner), str(name)) for owner, name in body["names"])
    weights, intercept = json_as_shared(body["weights"], circle), json_as_shared(body["intercept"], circle)
    if not 0 < len(names) <= MOST_COLUMNS or weights.shape != (len(names),) or intercept.shape != (1,):
        raise MisuseError("it has another number of coefficients than of columns")
    return Fit(
        intercept[0],
        weights,
        None,
        (),
        names,
        np.array(body["exponents"], dtype=np.float64).reshape(len(names)),
        int(body["label_exponent"]),
        tuple(map(int, body["kept"])),
    )
