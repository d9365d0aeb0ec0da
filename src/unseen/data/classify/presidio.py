"""Presidio's pattern recognisers as further evidence, for columns of which our own say nothing.

Only those recognisers are used that need no language model: patterns with their check digits. They come with the
extra `unseen[classify]`; without it nothing is missing but the identifiers of further countries. Presidio is by
Microsoft, MIT licence: https://microsoft.github.io/presidio.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pyarrow as pa

from unseen.data.classify.national import NATIONAL

VALUES_LIMIT: Final = 200
SCORE: Final = 0.6
"""What a recogniser must be sure of: above its patterns' own scores, so that a check digit confirmed them."""

ENTITIES: Final = {
    "CaSinRecognizer": NATIONAL,
    "EsNieRecognizer": NATIONAL,
    "FiPersonalIdentityCodeRecognizer": NATIONAL,
    "InAadhaarRecognizer": NATIONAL,
    "InPanRecognizer": NATIONAL,
    "KrRrnRecognizer": NATIONAL,
    "SgFinRecognizer": NATIONAL,
    "ThTninRecognizer": NATIONAL,
    "TrNationalIdRecognizer": NATIONAL,
    "UsItinRecognizer": NATIONAL,
    "ZaIdNumberRecognizer": NATIONAL,
    "CryptoRecognizer": "user.financial.bank_account",
    "MedicalLicenseRecognizer": "user.health_and_medical",
    "NhsRecognizer": "user.health_and_medical",
    "UsMbiRecognizer": "user.health_and_medical",
}
"""Recognisers by the names of their classes; those that a release of Presidio lacks are left out."""


def matched(values: pa.Array) -> Mapping[str, tuple[str, int, int]]:
    """For each category: the recogniser that matched most whole values, how many, of how many."""
    texts = values.slice(0, VALUES_LIMIT).to_pylist()
    found: dict[str, tuple[str, int, int]] = {}
    for name, category, recogniser in _recognisers():
        count = sum(_whole(recogniser, text) for text in texts)
        if count > found.get(category, ("", 0, 0))[1]:
            found[category] = (name, count, len(texts))
    return found


def _whole(recogniser: Any, text: str) -> bool:
    results = recogniser.analyze(text, recogniser.supported_entities, None) or ()
    return any(one.start == 0 and one.end == len(text) and one.score >= SCORE for one in results)


@cache
def _recognisers() -> tuple[tuple[str, str, Any], ...]:
    try:
        from presidio_analyzer import predefined_recognizers as there
    except ImportError:
        return ()
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    made = []
    for name, category in ENTITIES.items():
        with contextlib.suppress(AttributeError):
            recogniser = getattr(there, name)()
            made.append((f"presidio-{recogniser.supported_entities[0].lower()}", category, recogniser))
    return tuple(made)
