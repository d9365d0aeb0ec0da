"""Whether columns of a data set are fit to join on: counted, and told without any key."""

from __future__ import annotations

from collections.abc import Sequence

from unseen.data.catalogue import Catalogue
from unseen.data.contract import KeyReport, check_keys, normalised
from unseen.data.key_rules import KeyForm, parse_key
from unseen.data.reading import Reading
from unseen.data.source import open_source
from unseen.encoding import Json
from unseen.errors import DataError


def key_report(catalogue: Catalogue, name: str) -> dict[str, Json]:
    """The subject column's shares of empty, repeated and malformed keys; `warnings` says the same in words."""
    entry = catalogue.get(name)
    with open_source(entry.source) as source:
        keys = source.read(Reading((entry.subject,), frozenset({entry.subject}))).column(entry.subject)
    return _told(name, entry.subject, check_keys(normalised(keys)))


def column_report(catalogue: Catalogue, name: str, column: str, form: KeyForm) -> dict[str, Json]:
    """The same for any column, as a key by this rule. Errors as `Dataset.column` and `KeyForm.written`."""
    entry = catalogue.get(name)
    entry.column(column)
    with open_source(entry.source) as source:
        values = source.read(Reading((column,))).column(column)
    try:
        return _told(name, column, form.check(values))
    except DataError as error:
        raise DataError(f"column {column!r} of data set {name!r}: {error}") from error


def parse_keys(words: Sequence[str]) -> dict[str, KeyForm]:
    """Read COLUMN=RULE, several times. Raises MisuseError, naming the rules there are."""
    return dict(map(parse_key, words))


def _told(dataset: str, column: str, report: KeyReport) -> dict[str, Json]:
    return {
        "dataset": dataset,
        "column": column,
        "rows": report.rows,
        "empty": report.empty,
        "duplicate": report.duplicate,
        "malformed": report.malformed,
        "normalisation": report.normalisation,
        "warnings": report.warnings(),
    }
