"""What a node checks of a plan before it grants anything, in order. The numbers stand over the code too.

1. The agreement is signed by every party, unaltered, with the introduced keys.
2. Today lies within its dates.
3. It allows this application.
4. The plan's purpose is the agreement's, and so are its parties; its dealer too, where it needs one.
5. Every column use in the plan is agreed.
6. Every column of ours is on offer for that use in our own catalogue.
7. Every output goes to agreed recipients only.
8. The plan keeps the agreement's limits: it names the smallest overlap and group wherever persons are joined or
   counted, at or above the agreed ones; its parameters lie in the agreed bounds; the runs are not used up.
9. What each party learns (computed from the protocols' profiles) goes to parties of the agreement only, is
   among its `disclosures` where it lists them, and whoever a protocol has as its recipient stands among the
   plan's outputs.
10. Every protocol stands the agreed adversary.
11. No column comes out in a more revealing shape than its use allows, whatever lies between (see `flow`).
12. Every computing party is seated where each other party's data may be processed, shares included.
13. Nobody may offer more identifiers than agreed, nor we more than our catalogue counts rows (see `declared`).

No check trusts another party's word: the plan was derived here. A failed check raises RefusedError with the
rule's name; a node signs the refusal as it signs a grant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from unseen.computation.profile import Adversary, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.agreement import Agreement, missing_signatures, read_agreement
from unseen.interaction.declared import Rows, check_declared
from unseen.interaction.envelope import Envelope, Signer, seal
from unseen.interaction.flow import Asked, check_flows
from unseen.interaction.identity import Card
from unseen.interaction.plan import Plan

GRANT: Final = "application/vnd.unseen.grant+json"
REFUSAL: Final = "application/vnd.unseen.refusal+json"
GRANT_HOURS: Final = 24

JOINING: Final = frozenset({Use.JOIN})
COUNTING: Final = frozenset({Use.LABEL, Use.GROUP, Use.AGGREGATE, Use.FILTER})

OnOffer = Callable[[str, str, Use], object]
"""(data set, column, use): raises RefusedError or DataError unless our catalogue offers it."""


def check_plan(
    plan: Plan,
    agreement: Envelope,
    cards: Mapping[str, Card],
    me: str,
    on_offer: OnOffer,
    rows: Rows,
    runs: int,
    now: datetime,
    earlier: Iterable[Asked] = (),
) -> Agreement:
    """All checks, for party `me` which has run `runs` jobs under this agreement before.

    `rows` tells how many our catalogue counts in a data set; `earlier` is what those runs gave out without noise
    (`flow.asked_before`).

    Returns the agreement's terms. Raises RefusedError.
    """
    terms = _signed(agreement, cards)  # 1
    terms.require_valid_on(now.astimezone(UTC).date())  # 2
    _application(plan, terms)  # 3
    _purpose_and_parties(plan, terms)  # 4
    _columns_agreed(plan, terms)  # 5
    _columns_on_offer(plan, me, on_offer)  # 6
    _recipients(plan, terms)  # 7
    _limits(plan, terms, runs)  # 8
    _disclosures(plan, terms)  # 9
    _security(plan, terms)  # 10
    check_flows(plan, terms, earlier)  # 11
    _localisation(plan, terms)  # 12
    check_declared(plan, terms, me, rows)  # 13
    return terms


def _signed(agreement: Envelope, cards: Mapping[str, Card]) -> Agreement:
    try:
        missing = missing_signatures(agreement, cards)
    except (VerificationError, MisuseError) as error:
        raise RefusedError(
            "agreement-signatures", str(error), "obtain the agreement again from its parties"
        ) from error
    if missing:
        raise RefusedError(
            "agreement-signatures",
            f"the agreement is not signed by {', '.join(missing)}",
            "each party signs with: unseen agree sign",
        )
    return read_agreement(agreement)


def _application(plan: Plan, terms: Agreement) -> None:
    if plan.application not in terms.computations:
        raise RefusedError(
            "application",
            f"the agreement does not allow {plan.application!r} (it allows {', '.join(terms.computations)})",
            "propose a new version that names it",
        )


def _purpose_and_parties(plan: Plan, terms: Agreement) -> None:
    if plan.agreement != terms.id:
        raise RefusedError("agreement", "the plan is for another agreement than this one")
    if plan.purpose != terms.purpose:
        raise RefusedError("purpose", f"the plan's purpose is not the agreed one ({terms.purpose})")
    if plan.parties != terms.computing or plan.dealer not in (None, terms.dealer):
        raise RefusedError("parties", "the plan's parties or dealer are not those of the agreement")


def _columns_agreed(plan: Plan, terms: Agreement) -> None:
    for use in plan.uses:
        if use.use not in terms.uses(use.party, use.dataset, use.column):
            raise RefusedError(
                "column-use",
                f"column {use.column!r} of {use.party}'s data set {use.dataset!r} "
                f"is not agreed as {use.use.value}",
                "leave it out of the request, or propose a new version of the agreement",
            )


def _columns_on_offer(plan: Plan, me: str, on_offer: OnOffer) -> None:
    for use in plan.uses:
        if use.party == me:
            on_offer(use.dataset, use.column, use.use)


def _recipients(plan: Plan, terms: Agreement) -> None:
    for party, outputs in plan.outputs.items():
        for output in outputs:
            if party not in terms.recipients.get(output, ()):
                raise RefusedError(
                    "recipient",
                    f"{party} is not agreed as a recipient of {output}",
                    "ask for less, or propose a new version of the agreement",
                )


def _limits(plan: Plan, terms: Agreement, runs: int) -> None:
    uses = {use.use for use in plan.uses}
    needed = {"smallest_overlap": bool(uses & JOINING), "smallest_group": bool(uses & COUNTING)}
    for name, applies in needed.items():
        agreed, planned = getattr(terms.limits, name), plan.parameters.get(name)
        if planned is None and not applies:
            continue
        if isinstance(planned, bool) or not isinstance(planned, int) or planned < agreed:
            raise RefusedError("limits", f"the plan's {name} is not at least the agreed {agreed}")
    for path, bound in terms.computations[plan.application].items():
        bound.require(path, parameter(plan.parameters, path))
    if runs >= terms.limits.runs:
        raise RefusedError(
            "runs", f"the agreement's {terms.limits.runs} runs are used up", "propose a new version with more runs"
        )


def parameter(parameters: Mapping[str, Json], path: str) -> Any:
    """The plan's parameter at a dotted path. Raises RefusedError where there is none: a bound must bite."""
    value: Json = parameters
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise RefusedError(
                "parameter", f"the agreement bounds {path}, which the plan does not name", "mend the agreement"
            )
        value = value[part]
    return value


def _disclosures(plan: Plan, terms: Agreement) -> None:
    learned = plan.disclosures()
    if strangers := sorted(set(learned) - set(terms.parties)):
        raise RefusedError("disclosures", f"{', '.join(strangers)} would learn something and is no party")
    for party, sentences in learned.items():
        for sentence in sentences:
            if not terms.may_learn(party, sentence):
                raise RefusedError(
                    "disclosures",
                    f"{party} would learn: {sentence}; the agreement does not say so",
                    "ask for less, or propose a new version whose disclosures say so",
                )
    bound = {party for step in plan.steps for party in step.roles.get(Role.RECIPIENT, ())}
    if unnamed := sorted(bound - set(plan.outputs)):
        raise RefusedError(
            "disclosures",
            f"a protocol has {', '.join(unnamed)} as its recipient, and the plan names no output for it",
            "this is a fault of the application; tell its maker",
        )


def _security(plan: Plan, terms: Agreement) -> None:
    order = list(Adversary)
    for step in plan.steps:
        if order.index(step.profile.adversary) < order.index(terms.security.adversary):
            raise RefusedError(
                "security",
                f"step {step.name!r} stands {step.profile.adversary.value} parties only,"
                f" and the agreement demands {terms.security.adversary.value}",
                "choose another computation, or agree on the weaker setting",
            )


def _localisation(plan: Plan, terms: Agreement) -> None:
    for owner, allowed in terms.localisation.items():
        for party in plan.parties:
            seat = terms.parties[party].jurisdiction
            if seat not in allowed:
                raise RefusedError(
                    "localisation",
                    f"{owner}'s data may be processed in {', '.join(allowed)} only, and {party} is seated"
                    f" {'in ' + seat.value if seat else 'nowhere that the agreement names'}",
                    "compute with a party seated there, or agree on another localisation",
                )


def grant(
    plan: Plan,
    party: str,
    catalogue: Mapping[str, int],
    signer: Signer,
    now: datetime,
    rests_on: Mapping[str, Json] | None = None,
) -> Envelope:
    """Sign a grant over the plan's hash. `catalogue` gives the version of each data set of ours in the plan.

    `rests_on` says what the gate found: the law packs that permitted, the approvals that were counted.
    """
    body = {**_about(plan, party, now), "catalogue": dict(catalogue), "rests_on": dict(rests_on or {})}
    return seal(GRANT, {**body, "expires": _stamp(now + timedelta(hours=GRANT_HOURS))}, signer)


def refusal(plan: Plan, party: str, error: RefusedError, signer: Signer, now: datetime) -> Envelope:
    """Sign a refusal with the rule that was broken and the mend."""
    body = {**_about(plan, party, now), "rule": error.rule, "reason": error.reason, "mend": error.mend}
    return seal(REFUSAL, body, signer)


def require_grant(envelope: Envelope, plan_hash: str, card: Card, now: datetime) -> None:
    """Check that `card`'s institution granted exactly this plan and that the grant still holds.

    Raises VerificationError; RefusedError if the document is its refusal.
    """
    if envelope.kind == REFUSAL:
        said = _texts(envelope.verify(REFUSAL, [card.key]), "plan", "party", "rule", "reason", "mend")
        if said["plan"] != plan_hash or said["party"] != card.name:
            raise VerificationError(f"{card.name} refused another plan than this one")
        raise RefusedError(said["rule"], f"{card.name}: {said['reason']}", said["mend"])
    said = _texts(envelope.verify(GRANT, [card.key]), "plan", "party", "expires")
    if said["plan"] != plan_hash or said["party"] != card.name:
        raise VerificationError(f"{card.name} granted another plan than this one")
    try:
        expires = datetime.fromisoformat(said["expires"]).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise VerificationError(f"{card.name}'s grant does not say when it expires") from error
    if expires < now:
        raise VerificationError(f"{card.name}'s grant has expired; submit the job again")


def _texts(value: Json, *names: str) -> dict[str, str]:
    """These fields of a signed document. Raises VerificationError where one is missing or no text."""
    fields = value if isinstance(value, Mapping) else {}
    found = {name: fields.get(name) for name in names}
    if missing := [name for name, text in found.items() if not isinstance(text, str)]:
        raise VerificationError(f"a signed document lacks {', '.join(missing)}")
    return {name: str(text) for name, text in found.items()}


def _about(plan: Plan, party: str, now: datetime) -> dict[str, Json]:
    return {
        "plan": plan.hash,
        "job": plan.job,
        "agreement": plan.agreement,
        "party": party,
        "time": _stamp(now),
    }


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
