"""A party's part of a network in a file: its shares of all weights, its own columns' scales, what it belongs to.

A part alone says nothing of the weights: its words are uniform. Parts belong together by the plan of the job that
made them; each names it, its party and all parties, and a digest over its own content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from unseen.application.evaluation.reference import Reference, read_reference
from unseen.computation.circle import Circle
from unseen.computation.learn.network import FRACTION, Layer, Network
from unseen.computation.share.array import Shared
from unseen.encoding import Json, canonical, digest, from_base64, parse_json, to_base64
from unseen.errors import MisuseError, UnseenError

FILE: Final = "network-model.json"
TAG: Final = "unseen/network-model/v1"
FILE_LIMIT: Final = 64 << 20


@dataclass(frozen=True)
class Part:
    """One party's part: `plan` is the hash of the job that made it, `features` every party's columns, `columns`
    how the own ones lay in the training rows, and `reference` the bands of these rows' scores."""

    party: str
    parties: tuple[str, ...]
    plan: str
    agreement: str
    features: Mapping[str, tuple[str, ...]]
    model: Network
    columns: Mapping[str, Json] = field(default_factory=dict)
    reference: Reference | None = None


def write_part(folder: Path, part: Part) -> None:
    """Write this party's part into its job's folder."""
    model = part.model
    body: dict[str, Json] = {
        "party": part.party,
        "parties": list(part.parties),
        "plan": part.plan,
        "agreement": part.agreement,
        "features": {name: list(columns) for name, columns in part.features.items()},
        "layers": [
            {"shape": list(layer.weights.shape), "weights": _words(layer.weights), "biases": _words(layer.biases)}
            for layer in model.layers
        ],
        "scales": None if model.scales is None else model.scales.tolist(),
        "columns": dict(part.columns),
        "reference": None if part.reference is None else part.reference.as_json(),
    }
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
    layers = []
    for layer in body["layers"]:
        inner, outer = (int(size) for size in layer["shape"])
        weights = _shared(layer["weights"], circle).reshape(inner, outer)
        layers.append(Layer(weights, _shared(layer["biases"], circle).reshape(outer)))
    scales, bands = body["scales"], body.get("reference")
    return Part(
        str(body["party"]),
        tuple(map(str, body["parties"])),
        str(body["plan"]),
        str(body["agreement"]),
        {str(name): tuple(map(str, columns)) for name, columns in body["features"].items()},
        Network(tuple(layers), None if scales is None else np.array(scales, dtype=np.float64)),
        body["columns"],
        None if bands is None else read_reference(bands, circle),
    )


def _words(shared: Shared) -> str:
    return to_base64(shared.words.astype("<u8").tobytes())


def _shared(text: str, circle: Circle) -> Shared:
    return Shared(circle, np.frombuffer(from_base64(text), dtype="<u8").astype(np.uint64), FRACTION)
