"""Requests for correlated randomness as they come over a channel: a known kind, whole numbers, bounded sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from unseen.computation.correlation import (
    bit_kinds,
    choice_kinds,
    kinds,
    lookup_kinds,
    ole_kinds,
    order_kinds,
    row_kinds,
)
from unseen.computation.correlation.source import WORDS_LIMIT, Kind
from unseen.encoding import Json
from unseen.errors import MisuseError

KINDS: Final[Mapping[str, type[Kind]]] = {
    kind.name: kind
    for kind in (
        kinds.Triple,
        kinds.Square,
        kinds.Truncation,
        kinds.TruncatedTriple,
        kinds.CorrectedProduct,
        kinds.Waves,
        kinds.Exponentials,
        kinds.MatrixMask,
        kinds.MatrixProduct,
        kinds.MatrixScaling,
        kinds.ScaledGram,
        kinds.MaskGram,
        bit_kinds.GateMasks,
        bit_kinds.Nibbles,
        bit_kinds.SmallNibbles,
        bit_kinds.BitsInRing,
        bit_kinds.BitProduct,
        bit_kinds.Lift,
        choice_kinds.BitScaling,
        choice_kinds.BitSums,
        lookup_kinds.KnownPair,
        lookup_kinds.BitTriple,
        lookup_kinds.DigitLookup,
        ole_kinds.VectorOle,
        order_kinds.OrderMasks,
        row_kinds.Permutation,
        row_kinds.Permuted,
        row_kinds.Shuffle,
    )
}

SHIFT_LIMIT: Final = 63
"""Largest number of bits that a word can be shifted by, and largest rank."""
_SMALL: Final = frozenset(
    {
        "bits",
        "error_bits",
        "last_bits",
        "lanes",
        "fraction",
        "owner",
        "receiver",
        "sender",
        "formula",
        "parties",
        "nibbles",
        "first",
        "second",
    }
)


def from_json(value: Json) -> Kind:
    """Read a request that came over a channel: known kind, whole numbers, bounded size. Raises MisuseError."""
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        raise MisuseError("a request for correlated randomness must name its kind")
    kind = KINDS.get(str(value["kind"]))
    if kind is None:
        raise MisuseError("a request for an unknown kind of correlated randomness")
    sizes = {name: size for name, size in value.items() if name != "kind"}
    if set(sizes) != {field.name for field in fields(kind)}:
        raise MisuseError(f"a request for {kind.name} with other sizes than it takes")
    for name, size in sizes.items():
        most = SHIFT_LIMIT if name in _SMALL else WORDS_LIMIT
        if not isinstance(size, int) or not -1 <= size <= most:
            raise MisuseError(f"a request for {kind.name} with {name} out of bounds")
    request = kind(**sizes)
    if request.size() > WORDS_LIMIT:
        raise MisuseError(f"a request for {kind.name} over the size limit")
    return request
