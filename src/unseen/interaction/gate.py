"""What stands between a checked plan and a grant: the agreement's life, the law, people's approval, the budget.

The numbered checks of `checks` hold a plan against the agreement's text. The gate holds it against what has
happened since, in this order; the last step is the only one that changes anything.
 a. The agreement is effective today: not suspended, terminated or superseded (see `lifecycle`).
 b. Every law pack that applies, and the institution's own policy, permit every act of the plan (see `law`).
 c. Enough people have approved it, where the agreement asks for that (see `approval`).
 d. Runs and privacy budget are reserved for it (see `budget`); `settle` commits or releases them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from unseen.encoding import Json
from unseen.errors import RefusedError
from unseen.interaction import envelope as envelopes
from unseen.interaction.agreement import Agreement
from unseen.interaction.approval import APPROVAL, require_approvals
from unseen.interaction.budget import BudgetBook, Charge, counted_charge, run_charges, runs_account
from unseen.interaction.documents import Documents
from unseen.interaction.envelope import Envelope
from unseen.interaction.flow import charges
from unseen.interaction.home import Home
from unseen.interaction.job import State
from unseen.interaction.law.own import own_policy
from unseen.interaction.law.verdict import Verdict, judge
from unseen.interaction.lifecycle import NOTICE, Notice, Standing, read_notice, standing
from unseen.interaction.people import ENROLMENT, Person, people
from unseen.interaction.plan import Plan
from unseen.interaction.store import Store

_APPROVAL: Final = "approval/"


def _now() -> datetime:
    return datetime.now(UTC)


class Gate:
    """The gate of one home."""

    def __init__(self, home: Home, store: Store, clock: Callable[[], datetime] = _now) -> None:
        self._home = home
        self._store = store
        self._clock = clock
        self.documents = Documents(store.engine)
        self.budget = BudgetBook(store.engine, clock)

    def require(
        self, plan: Plan, agreement: Envelope, terms: Agreement, asker: str | None = None
    ) -> dict[str, Json]:
        """Check a plan, reserve what it costs, and say on what the grant rests.

        `asker` is the person of this institution who asked ("" if not named); None: another institution asked.
        Raises RefusedError.
        """
        self.standing(agreement, terms).require_effective(terms.agreement)  # a
        verdict = judge(plan, terms, own_policy(self._home.path))  # b
        verdict.require_permitted()
        approvals = self._approvals(plan, terms, asker)  # c
        noise = charges(plan, terms, self._home.name)
        self.budget.reserve(plan.job, [*run_charges(plan.agreement, terms.limits), *approvals, *noise])  # d
        counted: list[Json] = [c.account.removeprefix(_APPROVAL) for c in approvals]
        return {"law": _cited(verdict), "approvals": counted, "asked_by": asker or ""}

    def standing(self, agreement: Envelope, terms: Agreement) -> Standing:
        """Where an agreement stands today, by all that is known here."""
        cards = self._home.cards(self._store)
        successors = [envelopes.parse(data) for _, data in self._store.agreements()]
        return standing(agreement, self.notices(terms), successors, cards, self._clock().date())

    def notices(self, terms: Agreement) -> list[Notice]:
        """All notices about an agreement that came here."""
        cards = self._home.cards(self._store)
        return [read_notice(document, terms, cards) for document in self.documents.about(terms.id, NOTICE)]

    def enrolled(self) -> dict[str, Person]:
        """The people of this institution."""
        return people(self.documents.of_kind(ENROLMENT), self._home.name, self._home.signing_key.public)

    def held(self, agreement: str) -> set[str]:
        """The jobs under an agreement that were granted here, and did not come to nothing before they began."""
        return self.budget.standing(runs_account(agreement))

    def settle(self, job: str, began: bool) -> None:
        """A job has ended: commit what was reserved if it began, else release it."""
        self.budget.settle(job, began)

    def reconcile(self) -> None:
        """After a crash: settle what was reserved for jobs that have ended, or that were never recorded."""
        known = {record.job: record for record in self._store.jobs()}
        for job in self.budget.reserved():
            record = known.get(job)
            if record is None or record.state.final:
                self.settle(job, began=record is not None and (bool(record.grants) or record.state is State.DONE))

    def _approvals(self, plan: Plan, terms: Agreement, asker: str | None) -> list[Charge]:
        """The approvals that this plan uses up one run of."""
        if terms.approvals is None or self._home.name == terms.dealer:
            return []
        if asker == "":
            raise RefusedError(
                "four-eyes",
                "the agreement demands four eyes, and nobody is named as the one who asks",
                "an analyst asks with: unseen run … --as NAME --key FILE",
            )
        documents = self.documents.about(plan.agreement, APPROVAL)
        counted = require_approvals(
            plan, terms, self._home.name, documents, self.enrolled(), asker or "", self._used, self._clock()
        )
        return [counted_charge(f"{_APPROVAL}{name}", quota, "four-eyes") for name, quota in counted.items()]

    def _used(self, approval: str) -> int:
        return self.budget.count(f"{_APPROVAL}{approval}")


def _cited(verdict: Verdict) -> list[Json]:
    return [{"pack": pack.id, "as_of": pack.as_of.isoformat()} for pack in verdict.packs]
