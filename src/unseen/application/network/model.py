"""A party's part of a network in a file: its shares of all weights and its own columns' scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from unseen.application.evaluation.reference import Reference, read_reference
from unseen.application.model_part import Kind, Origin, closed, opened, text_as_words, words_as_text
from unseen.computation.circle import Circle
from unseen.computation.learn.network import FRACTION, Layer, Network
from unseen.computation.share.array import Shared
from unseen.encoding import Json

KIND: Final = Kind("network")


@dataclass(frozen=True)
class Part:
    """One party's part: `features` are every party's columns, `columns` how the own ones lay in the training rows,
    and `reference` the bands of these rows' scores."""

    origin: Origin
    features: Mapping[str, tuple[str, ...]]
    model: Network
    columns: Mapping[str, Json] = field(default_factory=dict)
    reference: Reference | None = None


def write_part(folder: Path, part: Part) -> None:
    """Write this party's part into its job's folder."""
    layers: list[Json] = [
        {
            "shape": list(layer.weights.shape),
            "weights": words_as_text(layer.weights.words),
            "biases": words_as_text(layer.biases.words),
        }
        for layer in part.model.layers
    ]
    content: dict[str, Json] = {
        "features": {name: list(columns) for name, columns in part.features.items()},
        "layers": layers,
        "scales": None if part.model.scales is None else part.model.scales.tolist(),
        "columns": dict(part.columns),
        "reference": None if part.reference is None else part.reference.as_json(),
    }
    (folder / KIND.file).write_bytes(closed(KIND, part.origin, content))


def read_part(data: bytes, job: str, party: str, circle: Circle) -> Part:
    """Read the file of job `job`. Raises MisuseError for one that is altered, or another party's part."""

    def read(origin: Origin, body: Mapping[str, Any]) -> Part:
        scales, bands = body["scales"], body.get("reference")
        return Part(
            origin,
            {str(name): tuple(map(str, columns)) for name, columns in body["features"].items()},
            Network(
                tuple(_layer(found, circle) for found in body["layers"]),
                None if scales is None else np.array(scales, dtype=np.float64),
            ),
            body["columns"],
            None if bands is None else read_reference(bands, circle),
        )

    return opened(KIND, data, job, party, circle.parties, read)


def _layer(found: Mapping[str, Any], circle: Circle) -> Layer:
    inner, outer = (int(size) for size in found["shape"])
    weights, biases = (Shared(circle, text_as_words(found[name]), FRACTION) for name in ("weights", "biases"))
    return Layer(weights.reshape(inner, outer), biases.reshape(outer))
