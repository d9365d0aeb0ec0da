"""Canonical bytes, and digests that say what they are of.

Everything that is signed, hashed or compared between institutions is JSON in the one form that RFC 8785
(JSON Canonicalization Scheme) gives it. Every digest carries a tag, so that the hash of an agreement can
never stand for the hash of a plan.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Final

import rfc8785

from unseen.errors import MisuseError

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What JSON can say. Integers beyond 2^53 are refused by RFC 8785; write them as strings."""


def canonical(value: Json) -> bytes:
    """Return `value` as RFC 8785 bytes.

    Raises MisuseError for what JSON cannot carry exactly (NaN, infinity, integers beyond 2^53, other types).
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise MisuseError(f"this value has no canonical JSON form: {error}") from error


def parse_json(data: bytes, limit: int = 16 << 20) -> Json:
    """Parse JSON bytes from a peer or a file, refusing oversize input, duplicate keys and NaN.

    Raises MisuseError; the caller that knows whose bytes they were turns it into that party's error.
    """
    if len(data) > limit:
        raise MisuseError(f"JSON of {len(data)} bytes is over the limit of {limit}")
    try:
        value: Json = _DECODER.decode(data.decode("utf-8"))
        return value
    except (ValueError, RecursionError) as error:
        raise MisuseError(f"not valid JSON: {error}") from error


def digest(tag: str, value: Json) -> str:
    """SHA-256 over the canonical bytes of `value` under `tag`, as 64 lower-case hexadecimal digits."""
    return digest_bytes(tag, canonical(value))


def digest_bytes(tag: str, data: bytes) -> str:
    """SHA-256 of `data` under `tag`: H(length(tag) || tag || data), so that no two tags can collide."""
    name = tag.encode()
    return hashlib.sha256(len(name).to_bytes(2, "big") + name + data).hexdigest()


def to_base64(data: bytes) -> str:
    """Standard base64 with padding, as DSSE writes it."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Strict inverse of `to_base64`. Raises MisuseError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MisuseError("not valid base64") from error


def objects(value: Json) -> list[Mapping[str, Json]]:
    """The objects in a list that came from elsewhere; none where it is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object names the same key twice")
    return result


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is beyond the range of JSON's numbers")
    return value


def _integer(text: str) -> int | float:
    """RFC 8785 writes every number as a double: what is beyond 2^53 is one, so that it can be written again."""
    value = _number(text)
    return int(text) if abs(value) < _WHOLE else value


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


_WHOLE: Final = 2.0**53
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_number, parse_int=_integer
)
