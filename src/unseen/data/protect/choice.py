"""A steward's choice of protection, as the catalogue keeps it, checked and made ready for a release.

A choice is a name with parameters: `mask` with `last` 4. `PROTECTIONS` lists all of them; each turns parameters
into a protection, given the data set's secret, the purpose (an agreement's identifier) and the column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from unseen.data.dataset import Protection as Chosen
from unseen.data.protect.coarser import Bins, DateShift, Mask, Suppress, Truncate
from unseen.data.protect.format_preserving import Alphabet, CheckDigit, FormatPreserving
from unseen.data.protect.keyed_hash import KeyedHash
from unseen.data.protect.protection import Protection
from unseen.data.protect.secret import Secret
from unseen.data.protect.tokens import KeyedToken, RandomToken
from unseen.data.protect.vault import Vault
from unseen.data.sealed import Seal
from unseen.encoding import Json
from unseen.errors import MisuseError


@dataclass(frozen=True)
class Place:
    """Where a protection works: the data set's secret and seal, the folder of its vaults, purpose and column.

    `linking` is the institution's secret for hashes, the same for all its data sets and purposes.
    """

    secret: Secret
    linking: Secret
    seal: Seal
    vaults: Path
    purpose: str
    column: str


@dataclass(frozen=True)
class Kind:
    """One kind of protection: what it does in a line, its parameters with their defaults, and how it is made.

    A default of None means that the parameter must be given.
    """

    about: str
    parameters: Mapping[str, Json]
    make: Callable[[Place, Mapping[str, Any]], Protection]
    reversible: bool = False


PROTECTIONS: Final[Mapping[str, Kind]] = {
    "token": Kind(
        "a keyed token, another one under each agreement",
        {},
        lambda place, _: KeyedToken(place.secret, place.purpose),
    ),
    "vault-token": Kind(
        "a random token; the sealed vault can reverse it",
        {},
        lambda place, _: RandomToken(Vault(place.vaults / place.column, place.seal)),
        reversible=True,
    ),
    "format-preserving": Kind(
        "FF1: stays as long and of the same characters; check=luhn keeps a card's check digit right",
        {"alphabet": "numeric", "check": "none"},
        lambda place, given: FormatPreserving(
            place.secret,
            place.purpose,
            _member(Alphabet, given["alphabet"]),
            _member(CheckDigit, given["check"]),
            place.column.encode()[:255],
        ),
        reversible=True,
    ),
    "hash": Kind(
        "HMAC-SHA-256 under the institution's key: the same under all agreements",
        {},
        lambda place, _: KeyedHash(place.linking.key("hash")),
    ),
    "mask": Kind(
        "stars but for the first and last characters",
        {"first": 0, "last": 4, "sign": "*"},
        lambda place, given: Mask(_count(given["first"]), _count(given["last"]), str(given["sign"])),
    ),
    "truncate": Kind(
        "the first characters only",
        {"characters": None},
        lambda place, given: Truncate(_count(given["characters"])),
    ),
    "bins": Kind(
        "numbers as intervals between edges, written edges=0/100/1000",
        {"edges": None},
        lambda place, given: Bins(_edges(given["edges"])),
    ),
    "date-shift": Kind(
        "all dates of a person moved alike, by up to so many days",
        {"days": None},
        lambda place, given: DateShift(place.secret, place.purpose, _count(given["days"])),
        reversible=True,
    ),
    "suppress": Kind("no value at all", {}, lambda place, _: Suppress()),
}


def checked(chosen: Chosen, type_: str) -> Chosen:
    """The choice with all its parameters, tried on an empty column of the type (Ibis' word for it).

    Raises MisuseError for an unknown name or parameter, DataError for a column that it does not fit.
    """
    import tempfile

    kind = _kind(chosen.name)
    if unknown := sorted(set(chosen.parameters) - set(kind.parameters)):
        known = ", ".join(kind.parameters) or "none"
        raise MisuseError(f"{chosen.name} has no parameter {', '.join(unknown)} (it has: {known})")
    given = {**kind.parameters, **chosen.parameters}
    if missing := [name for name, value in given.items() if value is None]:
        raise MisuseError(f"{chosen.name} needs {', '.join(missing)}: {kind.about}")
    whole = Chosen(chosen.name, given)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Secret.fresh(), Secret.fresh(), _NoSeal(), Path(folder), "", "column")
        made(whole, place).apply(pa.array([], arrow_type(type_)), pa.array([], pa.string()))
    return whole


def made(chosen: Chosen, place: Place) -> Protection:
    """The protection at work."""
    return _kind(chosen.name).make(place, chosen.parameters)


def read_choice(text: str) -> Chosen | None:
    """`mask:first=2,last=0` as a choice; `none` is no protection. Raises MisuseError."""
    name, _, words = text.partition(":")
    if name == "none" and not words:
        return None
    parameters: dict[str, Json] = {}
    for word in filter(None, words.split(",")):
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise MisuseError(f"{text!r} is no protection; write NAME or NAME:PARAMETER=VALUE,…")
        parameters[key.strip()] = value.strip()
    _kind(name)
    return Chosen(name, parameters)


def arrow_type(name: str) -> pa.DataType:
    """An Ibis type by its name as Arrow has it."""
    import ibis

    return ibis.dtype(name).to_pyarrow()


def _kind(name: str) -> Kind:
    if name not in PROTECTIONS:
        raise MisuseError(f"there is no protection {name!r}; choose one of none, {', '.join(PROTECTIONS)}")
    return PROTECTIONS[name]


def _member(kind: Any, value: Any) -> Any:
    known = {member.name.lower(): member for member in kind}
    if str(value).lower() not in known:
        raise MisuseError(f"{value!r} is none of {', '.join(known)}")
    return known[str(value).lower()]


def _count(value: Any) -> int:
    if not str(value).isdecimal() or len(str(value)) > 6:
        raise MisuseError(f"{value!r} is no count")
    return int(str(value))


def _edges(value: Any) -> list[float]:
    parts = str(value).split("/") if isinstance(value, str) else list(value)
    try:
        return [float(part) for part in parts]
    except (TypeError, ValueError):
        raise MisuseError(f"{value!r} are no edges; write them as 0/100/1000") from None


class _NoSeal:
    """A seal for columns without rows: nothing is ever sealed."""

    def seal(self, data: bytes, context: bytes) -> bytes:
        raise MisuseError("a protection without rows seals nothing")

    def open(self, sealed: bytes, context: bytes) -> bytes:
        raise MisuseError("a protection without rows opens nothing")
