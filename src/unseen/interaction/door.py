"""The one door of a running job: granted columns of this party, past the persons' wishes, each release reported.

Which persons are left out follows from the agreement: its purpose, and whether this party's legal basis is consent
(then only those pass whose consent stands; where the basis differs by jurisdiction, consent is asked of all whose
jurisdiction may need it). Columns leave under the protections that a steward chose, but for join keys: these
meet the partner's inside a protocol that shows them to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from unseen.data.catalogue import Catalogue
from unseen.data.contract import normalised
from unseen.data.dataset import Dataset, Use
from unseen.data.passage import Passage
from unseen.data.protect.choice import Place, made
from unseen.data.protect.protection import Protection
from unseen.data.protect.secret import Secret
from unseen.data.release import Release, release, released_batches
from unseen.data.subject.mark import Marker
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.home import Home
from unseen.interaction.law.vocabulary import basis_of
from unseen.interaction.plan import Plan
from unseen.interaction.subjects import Subjects

if TYPE_CHECKING:
    import pyarrow as pa


class Door:
    """`Run.release` and `Run.batches` of one party: called with a data set's name, gives its granted columns."""

    def __init__(
        self, home: Home, terms: Agreement, plan: Plan, report: Callable[[Mapping[str, Json]], None]
    ) -> None:
        self._home, self._terms, self._plan, self._report = home, terms, plan, report

    def __call__(self, dataset: str) -> pa.Table:
        """Raises MisuseError for a data set that the plan does not grant, else as `release`."""
        uses = self._granted(dataset)
        with self._home.store() as store:
            catalogue = Catalogue(store.engine)
            passage = passage_for(self._home, self._terms, catalogue.get(dataset))
            released = release(catalogue, dataset, uses, passage=passage)
        self._report(released.record.as_json())  # type: ignore[arg-type]
        return released.table

    @contextmanager
    def batches(self, dataset: str) -> Iterator[Release]:
        """The same batch by batch, while the context lasts; all must be taken, or there is no record. Errors as
        `__call__` and, on the way, as `Release`."""
        uses = self._granted(dataset)
        with self._home.store() as store:
            catalogue = Catalogue(store.engine)
            passage = passage_for(self._home, self._terms, catalogue.get(dataset))
            with released_batches(catalogue, dataset, uses, passage=passage) as opened:
                yield opened
                self._report(opened.record.as_json())  # type: ignore[arg-type]

    def _granted(self, dataset: str) -> dict[str, list[Use]]:
        uses = granted(self._plan, self._home.name).get(dataset)
        if uses is None:
            raise MisuseError(f"the plan grants no column of data set {dataset!r}")
        return uses


def warm_up() -> None:
    """Load what the first release needs, so that it is there."""
    import pyarrow as pa
    import tink.aead

    tink.aead.register()
    Marker(Secret.fresh()).marks(normalised(pa.array(["Nobody"])))


def granted(plan: Plan, party: str) -> dict[str, dict[str, list[Use]]]:
    """What a plan grants of one party's data: data set, column, uses."""
    found: dict[str, dict[str, list[Use]]] = {}
    for use in plan.uses:
        if use.party == party:
            found.setdefault(use.dataset, {}).setdefault(use.column, []).append(use.use)
    return found


def passage_for(home: Home, terms: Agreement, entry: Dataset) -> Passage:
    """What rows of a data set go through when they are released under an agreement."""
    subjects = Subjects(home)
    consent = needs_consent(terms, home.name, entry.jurisdictions)
    protections = protections_for(home, entry, terms.id)
    return Passage(subjects.screen(terms.purpose, consent), protections, subjects.rosters.begin())


def protections_for(home: Home, entry: Dataset, purpose: str) -> dict[str, Protection]:
    """The protections that a steward has chosen, by column, with keys of their own for the purpose."""
    return {
        column.name: made(column.protection, place_of(home, entry.name, column.name, purpose))
        for column in entry.columns
        if column.protection is not None
    }


def place_of(home: Home, dataset: str, column: str, purpose: str) -> Place:
    """The secrets and files of a data set's protections in this home."""
    keyset = f"dataset-{dataset}"
    return Place(
        secret=home.keyring.secret(keyset),
        linking=home.keyring.secret("linking"),
        seal=home.keyring.seal(keyset),
        vaults=home.path / "vault" / dataset,
        purpose=purpose,
        column=column,
    )


def needs_consent(terms: Agreement, party: str, jurisdictions: Sequence[str]) -> bool:
    """Whether the party's legal basis is consent, for persons of any of these jurisdictions (none: of any)."""
    named: Any = terms.legal_basis.get(party, "")
    if isinstance(named, str):
        return basis_of(named) == "consent"
    concerned = set(jurisdictions) or set(named)
    return any(basis_of(text) == "consent" for law, text in named.items() if law in concerned)
