"""The plan of a scorecard: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from unseen.application.credit.protocols import COEFFICIENTS, GROUPS, REASONS, SCORES, WEIGHTS
from unseen.application.credit.request import CreditRequest, read_request
from unseen.application.declared import as_parameter
from unseen.computation.intersect import align
from unseen.computation.learn import fairness, logistic, signs, woe
from unseen.computation.learn.hidden_quality import HIDDEN_AUC
from unseen.computation.profile import Role
from unseen.data.catalogue import Use
from unseen.data.contract import NORMALISATION
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

OUTPUTS = ("scores", "coefficients", "scorecard", "reasons")
"""What the label's holder receives, by the names that an agreement's `recipients` use."""
FAIRNESS = "fairness"
"""What the label's holder receives besides, where it is asked for."""
OWN = "own-coefficients"
"""What each partner receives: the coefficients and points of its own columns."""


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    if set(asked.parties) != set(agreement.computing):
        raise MisuseError(f"the request must name just the parties {', '.join(agreement.computing)}")
    if len(agreement.computing) != 2:
        raise MisuseError("the alignment of this version is for two parties")
    if agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; this version needs one")
    received = (*OUTPUTS, FAIRNESS) if asked.fairness else OUTPUTS
    outputs = {asked.label.party: received, **dict.fromkeys(asked.partners(), (OWN,))}
    return Plan(
        job=request.job,
        agreement=agreement.id,
        application=request.application,
        application_version="1",
        purpose=agreement.purpose,
        parties=agreement.computing,
        dealer=agreement.dealer,
        uses=tuple(_uses(asked)),
        steps=_steps(asked, agreement),
        outputs=outputs,
        parameters=_parameters(asked, agreement),
        seed=request.seed,
        flows=_flows(asked),
    )


def _uses(asked: CreditRequest) -> list[ColumnUse]:
    uses = []
    for name, side in sorted(asked.parties.items()):
        uses.append(ColumnUse(name, side.dataset, side.key, Use.JOIN))
        uses += [ColumnUse(name, side.dataset, column, Use.FEATURE) for column in sorted(side.features)]
        if name == asked.label.party:
            uses.append(ColumnUse(name, side.dataset, asked.label.column, Use.LABEL))
        if asked.fairness and name == asked.fairness.party:
            uses.append(ColumnUse(name, side.dataset, asked.fairness.column, Use.GROUP))
    return uses


def _steps(asked: CreditRequest, agreement: Agreement) -> tuple[Step, ...]:
    everyone, holder = agreement.computing, (asked.label.party,)
    roles = {Role.EACH: everyone, Role.OWNER: asked.partners(), Role.RECIPIENT: holder}
    if agreement.dealer:
        roles[Role.DEALER] = (agreement.dealer,)
    facts = {
        "owner": " and ".join(asked.partners()),
        "smallest_overlap": str(agreement.limits.smallest_overlap),
        "smallest_group": str(agreement.limits.smallest_group),
        "smallest_cell": str(asked.smallest_cell),
        "reasons": str(asked.reasons),
    }
    named = [
        ("align", align.PROFILE),
        ("bin", woe.PROFILE),
        ("bin", WEIGHTS),
        ("train", logistic.PROFILE),
        ("train", COEFFICIENTS),
        ("evaluate", SCORES),
    ]
    if asked.keep_signs:
        named.append(("train", signs.PROFILE))
    if asked.reasons:
        named.append(("evaluate", REASONS))
    if asked.self_test:
        named.append(("evaluate", HIDDEN_AUC))
    if asked.fairness:
        named += [("evaluate", fairness.PROFILE), ("evaluate", GROUPS)]
        facts |= {"group_owner": asked.fairness.party}
    return tuple(Step(name, profile, roles, facts) for name, profile in named)


def _flows(asked: CreditRequest) -> tuple[Flow, ...]:
    """Scores and reasons are a figure for each person; all else is the model, learned from the label too."""
    features = tuple(use for use in _uses(asked) if use.use is Use.FEATURE)
    learned = (*features, *(use for use in _uses(asked) if use.use is Use.LABEL))
    persons = ("scores", "reasons")
    flows = tuple(
        Flow(name, Shape.PERSON, features) if name in persons else Flow(name, Shape.MODEL, learned)
        for name in (*OUTPUTS, OWN)
    )
    groups = tuple(use for use in _uses(asked) if use.use is Use.GROUP)
    return (*flows, Flow(FAIRNESS, Shape.AGGREGATE, (*groups, *learned))) if groups else flows


def _parameters(asked: CreditRequest, agreement: Agreement) -> dict[str, Json]:
    request: Json = asked.model_dump(mode="json")
    return {
        "request": request,
        "key_normalisation": NORMALISATION,
        "smallest_overlap": agreement.limits.smallest_overlap,
        "smallest_group": agreement.limits.smallest_group,
        **as_parameter({name: side.rows for name, side in asked.parties.items()}),
    }


SECONDS_A_CELL = 4e-6
BYTES_A_CELL = 260


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes that a run with so many rows a side takes on two cores: measured rates, all rows common.

    Alignment costs by key; binning and training by cell (row times column), thirty steps at most.
    """
    columns = sum(use.use is Use.FEATURE for use in plan.uses)
    cells = rows * (columns + 1)
    return {
        "seconds": 3.0 + align.seconds(rows, rows) + SECONDS_A_CELL * cells,
        "bytes": align.bytes_moved(rows, rows) + BYTES_A_CELL * cells,
    }
