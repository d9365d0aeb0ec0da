"""What would leave an institution's source under an agreement: whose columns, for whom, why, and which rows.

The release is made as a job would make it (catalogue, protections, persons' wishes, conditions), its rows are
counted and thrown away. Nothing is kept: no roster, no record in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Dataset, Use
from unseen.data.release import released_batches
from unseen.encoding import Json
from unseen.errors import RefusedError, UnseenError
from unseen.interaction.agreement import Agreement
from unseen.interaction.agreements import Agreements
from unseen.interaction.door import passage_for
from unseen.interaction.home import Home


def preview(home: Home, dataset: str, agreement: str) -> dict[str, Json]:
    """The preview as JSON. Raises MisuseError, DataError or UnavailableError; refusals stand in the preview.

    Raises RefusedError under rule `column-use` where the agreement names no column of this data set.
    """
    with home.store() as store:
        catalogue = Catalogue(store.engine)
        entry = catalogue.get(dataset)
        terms = Agreements(home, store).find(agreement).terms
        agreed = _agreed(terms, home.name, dataset)
        allowed, columns = _columns(entry, agreed)
        found = _release(home, terms, catalogue, entry, allowed) if allowed else {}
    return {
        "dataset": dataset,
        "version": entry.version,
        "agreement": terms.id,
        "title": terms.agreement,
        "purpose": terms.purpose,
        "legal_basis": _json(terms.legal_basis.get(home.name, "")),
        "computations": sorted(terms.computations),
        "recipients": {name: list(parties) for name, parties in terms.recipients.items()},
        "columns": columns,
        "stays": [column.name for column in entry.columns if column.name not in agreed],
        **found,
    }


def _agreed(terms: Agreement, party: str, dataset: str) -> dict[str, tuple[Use, ...]]:
    columns = terms.columns.get(party, {}).get(dataset, {})
    if not columns:
        raise RefusedError(
            "column-use",
            f"the agreement {terms.agreement!r} names no column of {party}'s data set {dataset!r}: nothing leaves",
            "propose a version of it that does",
        )
    return {name: tuple(Use(use) for use in uses) for name, uses in columns.items()}


def _columns(
    entry: Dataset, agreed: Mapping[str, tuple[Use, ...]]
) -> tuple[dict[str, tuple[Use, ...]], list[Json]]:
    """The columns that our catalogue lets out, and a line for each agreed one with what is refused of it."""
    allowed: dict[str, tuple[Use, ...]] = {}
    lines: list[Json] = []
    for name, uses in agreed.items():
        refusals: list[Json] = []
        given = []
        for use in uses:
            try:
                entry.require(name, use)
                given.append(use)
            except UnseenError as error:
                refusals.append(str(error))
        known: Any = next((column.as_json() for column in entry.columns if column.name == name), {})
        lines.append(
            {
                "column": name,
                "uses": [use.value for use in given],
                "category": known.get("category"),
                "level": known.get("level"),
                "special": known.get("special", False),
                "protection": known.get("protection"),
                "refused": refusals,
            }
        )
        if given:
            allowed[name] = tuple(given)
    return allowed, lines


def _release(
    home: Home, terms: Agreement, catalogue: Catalogue, entry: Dataset, allowed: Mapping[str, tuple[Use, ...]]
) -> dict[str, Json]:
    passage = replace(passage_for(home, terms, entry), new_roster=None)
    with released_batches(catalogue, entry.name, allowed, passage=passage) as opened:
        for _ in opened:
            pass  # counted and marked, and thrown away
        record = opened.record
        return {
            "rows": record.rows,
            "excluded": record.excluded,
            "leaves": opened.schema.names,
            "fingerprint": record.fingerprint,
            "query": opened.query,
        }


def _json(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) else str(value)
