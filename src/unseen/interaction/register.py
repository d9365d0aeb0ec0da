"""Drafts from what is on record: the record of processing (GDPR art. 30) and an impact assessment (art. 35).

Drafts only: what the agreement says and the ledger shows is filled in; what only people know is marked TO DO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.law.verdict import NO_ADVICE, Verdict
from unseen.interaction.plan import Plan
from unseen.interaction.terms import Part

TO_DO: Final = "TO DO"
_MEASURES: Final = (
    "data leaves its owner blinded or as random shares; no party holds another's rows",
    "TLS 1.3 with pinned keys between nodes; signing keys readable by their owner only",
    "columns, uses, recipients and limits checked by every node before each run, refusals on record",
    "an append-only ledger under signed heads; receipts countersigned by all parties",
)


def processing_record(me: str, agreements: Sequence[Agreement]) -> Json:
    """The record of processing activities of institution `me`, one activity for each agreement (art. 30(1))."""
    return {
        "institution": me,
        "note": f"Draft under GDPR art. 30(1). {NO_ADVICE}",
        "activities": [_activity(me, terms) for terms in agreements if me in terms.parties],
    }


def _activity(me: str, terms: Agreement) -> Json:
    others = [name for name in terms.parties if name != me]
    recipients = {name for parties in terms.recipients.values() for name in parties if name != me}
    seats = {n: seat.value for n in recipients if (seat := terms.parties[n].jurisdiction) is not None}
    own = terms.parties[me]
    return {
        "a_controller": {"name": me, "role": own.role.value, "contact": own.contact or TO_DO},
        "a_joint_controllers": [n for n in others if terms.parties[n].role is Part.JOINT_CONTROLLER],
        "b_purposes": [terms.purpose],
        "c_categories_of_subjects": [j.value for j in terms.subjects.jurisdictions] or TO_DO,
        "c_categories_of_data": list(terms.subjects.categories) or TO_DO,
        "c_columns": {dataset: sorted(columns) for dataset, columns in terms.columns.get(me, {}).items()},
        "d_recipients": sorted(recipients),
        "e_transfers": {name: seat for name, seat in sorted(seats.items()) if seat != "EU"},
        "f_erasure_after_days": terms.retention.results,
        "g_measures": list(_MEASURES),
        "legal_basis": _basis(terms, me),
        "agreement": terms.id,
        "valid": {"from": terms.valid.first.isoformat(), "until": terms.valid.until.isoformat()},
    }


def impact_assessment(plan: Plan, terms: Agreement, verdict: Verdict) -> Json:
    """A draft of the impact assessment of a plan (art. 35(7)), letter by letter."""
    objections: list[Json] = [item.words for item in verdict.objections]
    learned: dict[str, Json] = {party: list(sentences) for party, sentences in plan.disclosures().items()}
    return {
        "note": f"Draft under GDPR art. 35(7). {NO_ADVICE}",
        "a_description": {
            "operations": [{"step": step.name, "protocol": step.profile.title} for step in plan.steps],
            "purpose": plan.purpose,
            "parties": {name: party.role.value for name, party in terms.parties.items()},
            "columns": [f"{u.party}/{u.dataset}/{u.column} as {u.use.value}" for u in plan.uses],
            "legitimate_interest": {name: _basis(terms, name) for name in plan.parties},
        },
        "b_necessity_and_proportionality": {
            "minimised": "only the columns above are read, rows without counterpart drop out",
            "limits": terms.limits.model_dump(mode="json"),
            "retention_days": terms.retention.results,
            "assessment": TO_DO,
        },
        "c_risks": {
            "what_each_party_learns": learned,
            "against_the_law_packs": objections or "none found by the packs that apply",
            "assessment_for_the_persons": TO_DO,
        },
        "d_measures": [
            *_MEASURES,
            *sorted({assumption for step in plan.steps for assumption in step.profile.assumptions}),
        ],
        "views_of_persons": TO_DO,
        "advice_of_the_data_protection_officer": TO_DO,
    }


def _basis(terms: Agreement, party: str) -> Json:
    named = terms.legal_basis.get(party, TO_DO)
    return named if isinstance(named, str) else {j.value: text for j, text in named.items()}
