"""The plan of a scorecard: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from collections.abc import Mapping

from unseen.application import joint_plan
from unseen.application.credit import parity
from unseen.application.credit.protocols import (
    COEFFICIENTS,
    HIDDEN_COEFFICIENTS,
    HIDDEN_OWN_POINTS,
    HIDDEN_REASONS,
    HIDDEN_SCORECARD,
    HIDDEN_WEIGHTS,
    OWN_POINTS,
    REASONS,
    SCORECARD,
    SCORES,
    WEIGHTS,
)
from unseen.application.credit.request import CreditRequest, Tables, read_request
from unseen.application.evaluation import equity
from unseen.application.joint_plan import OPENED, Sources
from unseen.computation.learn import hidden_evidence, logistic, signs, woe
from unseen.computation.learn.hidden_quality import HIDDEN_AUC
from unseen.computation.profile import Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import Flow, Plan, Shape, Step

PERSONS = ("scores", "reasons")
OUTPUTS = ("scores", "coefficients", SCORECARD, "reasons")
"""What the label's holder receives, by the names that an agreement's `recipients` use; the first are a
person's."""
OWN = "own-coefficients"
"""What each partner receives: the coefficients and points of its own columns."""


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    joint_plan.require_fit(asked, agreement)
    uses, outputs = joint_plan.column_uses(asked, opened=asked.parity), _outputs(asked, agreement)
    return joint_plan.assembled(
        request,
        agreement,
        asked,
        uses=uses,
        steps=_steps(asked, agreement, outputs),
        outputs=outputs,
        flows=_flows(outputs, joint_plan.sources(uses)),
        parameters={"tables": asked.tables.value},
    )


def _outputs(asked: CreditRequest, agreement: Agreement) -> dict[str, tuple[str, ...]]:
    """Where nobody sees tables, points of partners' bins go where the agreement says, and nowhere unless it
    does."""

    def agreed(output: str, party: str) -> bool:
        return party in agreement.recipients.get(output, ())

    holder, hidden = asked.label.party, asked.tables is Tables.NOBODY
    received = [name for name in OUTPUTS if not hidden or name != SCORECARD or agreed(SCORECARD, holder)]
    received += [equity.OUTPUT] if asked.fairness else []
    received += [OPENED] if asked.parity else []
    outputs = {holder: tuple(received)}
    for partner in asked.partners():
        if not hidden:
            outputs[partner] = (OWN,)
        elif agreed(OWN_POINTS, partner) and asked.parties[partner].features:
            outputs[partner] = (OWN_POINTS,)
    return outputs


def _steps(asked: CreditRequest, agreement: Agreement, outputs: Mapping[str, tuple[str, ...]]) -> list[Step]:
    owners = tuple(name for name in asked.partners() if asked.parties[name].features)
    who = joint_plan.roles(agreement, owners, (asked.label.party,))
    aligned, facts = joint_plan.alignment(asked, agreement, owners)
    facts |= {
        "smallest_group": str(agreement.limits.smallest_group),
        "smallest_cell": str(asked.smallest_cell),
        "least_information": str(asked.least_information),
        "reasons": str(asked.reasons),
    }
    hidden = asked.tables is Tables.NOBODY
    named: list[tuple[str, Profile]] = [("align", aligned)]
    if hidden:
        named += [("bin", hidden_evidence.PROFILE), ("bin", HIDDEN_WEIGHTS)]
    else:
        named += [("bin", woe.PROFILE), ("bin", WEIGHTS)]
    named += [("train", logistic.PROFILE), ("train", HIDDEN_COEFFICIENTS if hidden else COEFFICIENTS)]
    named.append(("evaluate", SCORES))
    if asked.keep_signs:
        named.append(("train", signs.PROFILE))
    if asked.reasons:
        named.append(("evaluate", HIDDEN_REASONS if hidden else REASONS))
    if hidden and SCORECARD in outputs[asked.label.party]:
        named.append(("evaluate", HIDDEN_SCORECARD))
    knowing = tuple(name for name in owners if hidden and OWN_POINTS in outputs.get(name, ()))
    if asked.self_test and (knowing or not hidden):
        named.append(("evaluate", HIDDEN_AUC))
    if asked.fairness:
        named += [("evaluate", profile) for profile in equity.PROFILES]
        facts |= equity.facts(asked.fairness, agreement.limits.smallest_group)
    if asked.parity:
        named.append(("parity", parity.PROFILE))
    steps = [Step(name, profile, who, facts) for name, profile in named]
    if knowing:
        steps.append(Step("evaluate", HIDDEN_OWN_POINTS, {**who, Role.OWNER: knowing}, facts))
    return steps


def _flows(outputs: Mapping[str, tuple[str, ...]], made: Sources) -> list[Flow]:
    """Scores and reasons are a figure for each person; all else is the model, learned from the label too."""
    flows = {name: Flow(name, Shape.PERSON, made.features) for name in PERSONS}
    flows[equity.OUTPUT] = Flow(equity.OUTPUT, Shape.AGGREGATE, made.judged)
    flows[OPENED] = Flow(OPENED, Shape.VALUE, made.opened)
    given = dict.fromkeys(name for names in outputs.values() for name in names)
    return [flows.get(name, Flow(name, Shape.MODEL, made.learned)) for name in given]


SECONDS_A_CELL = 4e-6
BYTES_A_CELL = 260


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes that a run with so many rows a side takes on two cores: measured rates, all rows common.

    Alignment costs by key; binning and training by cell (row times column), thirty steps at most.
    """
    columns = sum(use.use is Use.FEATURE for use in plan.uses)
    cells = rows * (columns + 1)
    return joint_plan.estimated(rows, SECONDS_A_CELL * cells, BYTES_A_CELL * cells)
