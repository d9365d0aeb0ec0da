"""A catalogue entry as an Open Data Contract Standard document (ODCS v3.1.0, Bitol, Linux Foundation), and back.

What the standard has a place for stands there: owner in the team, retention among the service levels, the
subject as the primary key, types, nullability, the level as `classification`. What it has no place for stands in
`customProperties` of the vendor `unseen`. A contract that another tool wrote can be read too: what it does not
say gets the catalogue's defaults, so its columns are unclassified and on offer for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from unseen.data.dataset import Column, Dataset, Level, Retention, column_from_json, dataset_from_json
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, UnseenError

VERSION: Final = "v3.1.0"
VENDOR: Final = "unseen"
BYTES_LIMIT: Final = 16 << 20

_CUSTOM_COLUMN: Final = (
    "category",
    "uses",
    "nulls",
    "distinct",
    "financial",
    "special",
    "confidence",
    "evidence",
    "protection",
)
"""The fields of a column that the standard has no place for."""

_LOGICAL: Final = (
    ("string", "string"),
    ("int", "integer"),
    ("uint", "integer"),
    ("float", "number"),
    ("decimal", "number"),
    ("boolean", "boolean"),
    ("timestamp", "timestamp"),
    ("date", "date"),
    ("time", "time"),
    ("array", "array"),
    ("struct", "object"),
    ("map", "object"),
    ("json", "object"),
)
"""First letters of an engine's type, and the standard's word for it."""


def to_odcs(dataset: Dataset) -> str:
    """The entry as a YAML document."""
    contract: dict[str, Json] = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": f"{VENDOR}-{dataset.name}",
        "name": dataset.name,
        "version": f"{dataset.version}.0.0",
        "status": "active",
        "servers": [_server(dataset)],
        "schema": [
            {
                "name": dataset.name,
                "logicalType": "object",
                "physicalType": "table",
                "properties": [_property(column, dataset.subject) for column in dataset.columns],
            }
        ],
    }
    if dataset.owner:
        contract["team"] = {"name": dataset.owner, "members": [{"username": dataset.owner, "role": "owner"}]}
    if dataset.retention is not None:
        held: dict[str, Json] = {"property": "retention", "value": dataset.retention.days, "unit": "d"}
        if dataset.retention.column:
            held["element"] = f"{dataset.name}.{dataset.retention.column}"
        contract["slaProperties"] = [held]
    own: dict[str, Json] = {
        "subject": dataset.subject,
        "source": dataset.source,
        "rows": dataset.rows,
        "registered": dataset.registered,
        "jurisdictions": list(dataset.jurisdictions),
    }
    contract["customProperties"] = _custom(own)
    legible = all(text.isprintable() for text in _texts(contract))  # YAML would fold other line ends otherwise
    return yaml.safe_dump(contract, sort_keys=False, allow_unicode=legible, width=100)


def from_odcs(text: str) -> Dataset:
    """Read a document. Raises MisuseError, naming what is missing or wrong in it."""
    if len(text) > BYTES_LIMIT:
        raise MisuseError(f"a data contract of {len(text)} characters is over the limit of {BYTES_LIMIT}")
    try:
        contract = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MisuseError("the data contract is no YAML") from error
    if not isinstance(contract, Mapping) or contract.get("kind") != "DataContract":
        raise MisuseError("this is no data contract: it lacks `kind: DataContract`")
    if not str(contract.get("apiVersion")).startswith("v3."):
        raise MisuseError("only data contracts of the standard's version 3 can be read (apiVersion: v3.…)")
    try:
        return _dataset(contract)
    except DataError as error:
        raise MisuseError("the data contract's own fields for unseen are damaged; export it again") from error
    except UnseenError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise MisuseError(f"the data contract lacks a field or holds a wrong one: {_named(error)}") from error


def _dataset(contract: Mapping[str, Any]) -> Dataset:
    own = _own(contract.get("customProperties"))
    if len(contract["schema"]) != 1:
        raise MisuseError("the data contract has several schemas; write one for each data set")
    table = contract["schema"][0]
    name = str(table["name"])
    keys = [one["name"] for one in table["properties"] if one.get("primaryKey")]
    subject = own.get("subject") or (keys[0] if len(keys) == 1 else "")
    if not subject:
        raise MisuseError("the data contract names no subject; mark the column of the person as primaryKey: true")
    source = own.get("source") or _location(contract.get("servers") or [])
    retention = [one for one in contract.get("slaProperties") or [] if one.get("property") == "retention"]
    return dataset_from_json(
        {
            "name": name,
            "source": str(source),
            "subject": str(subject),
            "columns": [_column(one).as_json() for one in table["properties"]],
            "rows": int(own.get("rows") or 0),
            "version": int(str(contract["version"]).split(".")[0].lstrip("v")),
            "registered": str(own.get("registered") or ""),
            "owner": _owner(contract.get("team") or {}),
            "retention": _retention(retention[0], name).as_json() if retention else None,
            "jurisdictions": list(own.get("jurisdictions") or []),
        }
    )


# --- a column --------------------------------------------------------------------------------------------


def _property(column: Column, subject: str) -> Json:
    own: Any = column.as_json()
    written: dict[str, Json] = {
        "name": column.name,
        "logicalType": _logical(column.type),
        "physicalType": column.type,
        "required": column.nulls == 0.0,
        "classification": column.level.value,
        "customProperties": _custom({name: own[name] for name in _CUSTOM_COLUMN if own[name] is not None}),
    }
    if column.description:
        written["description"] = column.description
    if column.name == subject:
        written["primaryKey"] = True
        written["primaryKeyPosition"] = 1
    return written


def _column(written: Mapping[str, Any]) -> Column:
    own = _own(written.get("customProperties"))
    level = str(written.get("classification") or "")
    return column_from_json(
        {
            "name": str(written["name"]),
            "type": str(written.get("physicalType") or written.get("logicalType") or ""),
            "description": str(written.get("description") or ""),
            "level": level if level in list(Level) else Level.SENSITIVE.value,
            **{name: own[name] for name in _CUSTOM_COLUMN if name in own},
        }
    )


def _logical(kind: str) -> str:
    return next((word for start, word in _LOGICAL if kind.startswith(start)), "string")


# --- the rest --------------------------------------------------------------------------------------------


def _custom(values: Mapping[str, Json]) -> list[Json]:
    return [{"property": name, "value": value, "vendor": VENDOR} for name, value in values.items()]


def _own(properties: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {one["property"]: one["value"] for one in properties or () if one.get("vendor") == VENDOR}


def _server(dataset: Dataset) -> Json:
    """Where the data lies, in the standard's words; never a password (a source's URL holds none)."""
    path, _, table = dataset.source.partition("#")
    kind = path.lower().removesuffix(".gz").rpartition(".")[2]
    url = urlsplit(dataset.source)
    if url.scheme.startswith("postgres"):
        place: dict[str, Json] = {
            "type": "postgresql",
            "host": url.hostname or "localhost",
            "port": url.port or 5432,
        }
        return {"server": "source", **place, "database": url.path.strip("/"), "schema": "public"}
    if url.scheme:
        return {"server": "source", "type": "custom", "description": url.scheme}
    if kind == "duckdb":
        return {"server": "source", "type": "duckdb", "database": path, "schema": table}
    return {"server": "source", "type": "local", "path": path, "format": kind}


def _location(servers: Iterable[Mapping[str, Any]]) -> str:
    """A source that another tool's contract names: a local file. Raises MisuseError for any other."""
    for server in servers:
        if server.get("type") == "local":
            return str(server["path"])
    raise MisuseError("the data contract names no local file; register the data set with `unseen dataset add`")


def _owner(team: Any) -> str:
    members = team.get("members") or [] if isinstance(team, Mapping) else team
    return next((str(member.get("username") or "") for member in members if member.get("role") == "owner"), "")


_DAYS: Final = {"d": 1, "day": 1, "days": 1, "m": 30, "month": 30, "months": 30, "y": 365, "yr": 365, "years": 365}


def _retention(held: Mapping[str, Any], table: str) -> Retention:
    unit = str(held.get("unit") or "d")
    if unit not in _DAYS:
        raise MisuseError(f"the retention's unit must be one of {', '.join(_DAYS)}")
    return Retention(int(held["value"]) * _DAYS[unit], str(held.get("element") or "").removeprefix(f"{table}."))


def _named(error: Exception) -> str:
    return f"{error.args[0]}" if isinstance(error, KeyError) else type(error).__name__


def _texts(value: Any) -> Iterator[str]:
    """All texts in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
