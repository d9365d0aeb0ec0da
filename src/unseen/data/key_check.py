"""Whether a data set's subject column is fit to join on: counted, and told without any key."""

from __future__ import annotations

from unseen.data.catalogue import Catalogue
from unseen.data.contract import check_keys, normalised
from unseen.data.reading import Reading
from unseen.data.source import open_source
from unseen.encoding import Json


def key_report(catalogue: Catalogue, name: str) -> dict[str, Json]:
    """Shares of empty, repeated and malformed keys, as JSON; `warnings` says the same in words."""
    entry = catalogue.get(name)
    with open_source(entry.source) as source:
        keys = source.read(Reading((entry.subject,), frozenset({entry.subject}))).column(entry.subject)
    report = check_keys(normalised(keys))
    return {
        "dataset": name,
        "column": entry.subject,
        "rows": report.rows,
        "empty": report.empty,
        "duplicate": report.duplicate,
        "malformed": report.malformed,
        "normalisation": report.normalisation,
        "warnings": report.warnings(),
    }
