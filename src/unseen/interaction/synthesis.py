"""Synthetic copies of our data sets, for us or for the partners of an agreement, within its privacy budget.

What a partner gets is charged to the agreement and to the data set before anything is read; it stays charged when
the copy fails afterwards.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Use
from unseen.data.passage import Passage
from unseen.data.release import release
from unseen.data.synthetic.fidelity import Fidelity, fidelity, picture
from unseen.data.synthetic.measure import Cost
from unseen.data.synthetic.model import Copy, synthesise
from unseen.errors import MisuseError, RefusedError
from unseen.interaction.budget import BudgetBook, Charge, agreement_account, dataset_account
from unseen.interaction.door import needs_consent
from unseen.interaction.exports import write
from unseen.interaction.home import Home
from unseen.interaction.ledger import Kind
from unseen.interaction.store import Store
from unseen.interaction.subjects import Subjects

if TYPE_CHECKING:
    from unseen.interaction.agreement import Agreement


@dataclass(frozen=True)
class Wanted:
    """A synthetic copy as it is asked for: of which columns, at which cost, under which agreement if any."""

    dataset: str
    cost: Cost
    columns: Sequence[str] = ()
    rows: int | None = None
    agreement: str = ""


@dataclass(frozen=True)
class Made:
    """A copy and how near it is to its data set."""

    copy: Copy
    fidelity: Fidelity
    excluded: int


def make(home: Home, wanted: Wanted, to: Path, image: Path | None = None) -> Made:
    """Make a copy and write it to a CSV or Parquet file; the picture of its fidelity to an SVG file.

    Raises RefusedError for columns that are not on offer as aggregate, for an agreement without a privacy budget
    or with too little left, MisuseError and DataError as `synthesise`.
    """
    from unseen.interaction.agreements import Agreements

    if to.exists():
        raise MisuseError(f"{to} is there already; choose another name")
    subjects = Subjects(home)
    with home.store() as store:
        catalogue = Catalogue(store.engine)
        entry = catalogue.get(wanted.dataset)
        chosen = list(wanted.columns) or [c.name for c in entry.columns if Use.AGGREGATE in c.uses]
        if not chosen:
            mend = f"unseen dataset allow {wanted.dataset} COLUMN=aggregate"
            raise MisuseError(f"no column of {wanted.dataset} is on offer as aggregate: {mend}")
        for column in chosen:
            entry.require(column, Use.AGGREGATE)
        purpose, consent = "*", False
        if wanted.agreement:
            terms = Agreements(home, store).find(wanted.agreement).terms
            purpose, consent = terms.purpose, needs_consent(terms, home.name, entry.jurisdictions)
            _charge(home, store, wanted, terms)
        passage = Passage(subjects.screen(purpose, consent), new_roster=subjects.rosters.begin())
        released = release(catalogue, wanted.dataset, dict.fromkeys(chosen, (Use.AGGREGATE,)), passage=passage)
    identifiers = [entry.subject] if entry.subject in chosen else []
    copy = synthesise(released.table, wanted.cost, wanted.rows, identifiers)
    made = Made(copy, fidelity(released.table, copy), released.record.excluded)
    record: Any = released.record.as_json()
    body: dict[str, Any] = {
        "synthetic": {"epsilon": wanted.cost.epsilon, "delta": wanted.cost.delta, "rows": copy.table.num_rows}
    }
    home.ledger.append(Kind.RELEASE, f"synthetic/{secrets.token_hex(16)}", {**body, "release": record})
    write(copy.table, to)
    if image is not None:
        image.write_text(picture(released.table, copy), encoding="utf-8")
    return made


def _charge(home: Home, store: Store, wanted: Wanted, terms: Agreement) -> None:
    budget = terms.limits.privacy
    if budget is None:
        raise RefusedError(
            "privacy-budget",
            f"agreement {terms.agreement!r} has no privacy budget, from which a synthetic copy would be taken",
            "propose a new version with limits.privacy",
        )
    charges = [
        Charge(account, wanted.cost.epsilon, wanted.cost.delta, budget)
        for account in (dataset_account(wanted.dataset), agreement_account(terms.id))
    ]
    book = BudgetBook(store.engine)
    name = f"synthetic-{secrets.token_hex(16)}"
    book.reserve(name, charges)
    book.settle(name, began=True)
    accounts: list[Any] = [charge.account for charge in charges]
    body: dict[str, Any] = {
        "synthetic": wanted.dataset,
        "epsilon": wanted.cost.epsilon,
        "delta": wanted.cost.delta,
    }
    home.ledger.append(Kind.BUDGET, name, {**body, "accounts": accounts})
