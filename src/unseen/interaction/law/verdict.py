"""What all packs that apply, and the institution's own policy, say of a plan together: all must permit."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.encoding import Json
from unseen.errors import RefusedError
from unseen.interaction.agreement import Agreement
from unseen.interaction.law.act import Act, acts, acts_without_law, applicable
from unseen.interaction.law.pack import Objection, Pack, packs
from unseen.interaction.plan import Plan
from unseen.interaction.terms import Jurisdiction

NO_ADVICE = "This check supports legal advice and does not replace it."


@dataclass(frozen=True)
class Verdict:
    """The packs that applied, the acts that they judged, and what stands against the plan."""

    packs: tuple[Pack, ...]
    judged: tuple[Act, ...]
    objections: tuple[Objection, ...]

    @property
    def permitted(self) -> bool:
        return not self.objections

    @property
    def words(self) -> list[str]:
        """The verdict, line by line."""
        if not self.packs:
            return ["The agreement names no jurisdiction of persons or parties: no law was checked.", NO_ADVICE]
        named = ", ".join(f"{pack.name} ({pack.law})" for pack in self.packs)
        head = f"Checked {len(self.judged)} acts under: {named}."
        if not any(pack.jurisdiction for pack in self.packs):
            head = f"The agreement names no jurisdiction: no law was checked. Checked: {named}."
        if self.permitted:
            return [head, "Nothing on record stands against this plan.", NO_ADVICE]
        return [head, *(f"[{item.rule.id}] {item.words}" for item in self.objections), NO_ADVICE]

    def as_json(self) -> Json:
        return {
            "packs": [{"id": p.id, "law": p.law, "as_of": p.as_of.isoformat()} for p in self.packs],
            "acts": len(self.judged),
            "permitted": self.permitted,
            "objections": [
                {
                    "pack": item.pack,
                    "rule": item.rule.id,
                    "article": item.rule.article,
                    "party": item.act.party,
                    "act": item.act.words,
                    "reason": item.rule.reason,
                    "missing_evidence": list(item.missing),
                    "mend": item.rule.mend,
                }
                for item in self.objections
            ],
        }

    def require_permitted(self) -> None:
        """Raises RefusedError under the first objection's rule, with its article, missing evidence and mend."""
        if self.objections:
            first = self.objections[0]
            more = f" (and {len(self.objections) - 1} more)" if len(self.objections) > 1 else ""
            asked = f"; missing evidence: {' or '.join(first.missing)}" if first.missing else ""
            raise RefusedError(
                f"law/{first.rule.id}",
                f"{first.rule.article}: {first.act.words}. {first.rule.reason}{asked}{more}",
                first.rule.mend,
            )


def judge(plan: Plan, terms: Agreement, own: Pack | None = None) -> Verdict:
    """Ask every pack that applies, and the institution's own policy, about every act of a plan.

    Raises RefusedError where facts are missing.
    """
    known = packs()
    applied: list[Pack] = []
    judged: list[Act] = []
    found: dict[tuple[str, str, str], Objection] = {}
    for law in applicable(terms):
        pack = _pack(known, law)
        applied.append(pack)
        for act in acts(plan, terms, law):
            judged.append(act)
            for item in pack.objections(act):
                found.setdefault((pack.id, item.rule.id, act.party), item)
    if own is not None:
        applied.append(own)
        for act in judged or acts_without_law(plan, terms):
            for item in own.objections(act):
                found.setdefault((own.id, item.rule.id, act.party), item)
    return Verdict(tuple(applied), tuple(judged), tuple(found.values()))


def _pack(known: dict[Jurisdiction, Pack], law: Jurisdiction) -> Pack:
    if law not in known:
        raise RefusedError("law-pack", f"there is no law pack for {law.value} here", "install one")
    return known[law]
