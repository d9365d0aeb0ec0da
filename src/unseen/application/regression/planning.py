"""The plan of a regression: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from typing import Final

from unseen.application import joint_plan
from unseen.application.evaluation import equity, measuring, selftest
from unseen.application.joint_plan import OPENED, Sources
from unseen.application.model_part import compared
from unseen.application.regression import evaluating, parity
from unseen.application.regression.model import KIND
from unseen.application.regression.request import Family, RegressionRequest, read_request
from unseen.computation.learn import collinearity, linear, log_link, logistic, rows, selection, signs
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import Flow, Plan, Shape, Step

SUMMARY, PREDICTIONS, OWN = "coefficients", "predictions", "own-model"
"""What recipients, the label's party and everyone receive, by the names that an agreement's `recipients` use."""

COEFFICIENTS: Final = Profile(
    id="regression/coefficients",
    title="Coefficients to their recipients",
    source="opening of shares",
    reveals=(
        Disclosure(Role.RECIPIENT, "all coefficients of the model with standard errors"),
        Disclosure(Role.RECIPIENT, "the share of the label's variance that a linear model explains"),
    ),
    messages=tuple(
        Message(f"reveal/{kind}", Carries.DISCLOSED, most_messages=1)
        for kind in ("intercept", "weights", "variances", "explained")
    ),
)
DIAGNOSTICS: Final = Profile(
    id="regression/collinearity",
    title="Correlations to their recipients",
    source="opening of shares",
    reveals=(Disclosure(Role.RECIPIENT, "the correlation of every two columns, and how far others repeat each"),),
    messages=tuple(
        Message(f"reveal/{kind}", Carries.DISCLOSED, most_messages=1) for kind in ("correlation", "inflation")
    ),
)
PREDICTED: Final = Profile(
    id="regression/predictions",
    title="Predictions to the label's party",
    source="opening of shares",
    reveals=(Disclosure(Role.OWNER, "the linear predictor of every common row"),),
    messages=(Message("reveal/predictor", Carries.DISCLOSED, most_messages=1),),
)
TAKEN_UP: Final = compared(KIND)
FITTED: Final = {
    Family.LINEAR: linear.PROFILE,
    Family.LOGISTIC: logistic.PROFILE,
    Family.POISSON: log_link.PROFILE,
    Family.GAMMA: log_link.PROFILE,
}


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    joint_plan.require_fit(asked, agreement)
    uses = joint_plan.column_uses(asked, opened=asked.parity, labelled=needs_label(asked))
    return joint_plan.assembled(
        request,
        agreement,
        asked,
        uses=uses,
        steps=_steps(asked, agreement),
        outputs=_outputs(asked),
        flows=_flows(asked, joint_plan.sources(uses)),
    )


def needs_label(asked: RegressionRequest) -> bool:
    """Whether the label itself is read: to fit, or to measure."""
    return not asked.model or asked.compares_outcomes or asked.fairness is not None


def _outputs(asked: RegressionRequest) -> dict[str, tuple[str, ...]]:
    outputs: dict[str, tuple[str, ...]] = {}
    for party in asked.parties:
        fitted = not asked.model
        names = (
            (SUMMARY, fitted and party in asked.receiving()),
            (PREDICTIONS, asked.predictions and party == asked.label.party),
            (OWN, fitted),
            (OPENED, asked.parity and party == asked.label.party),
            (measuring.OUTPUT, asked.measures and party == asked.label.party),
            (equity.OUTPUT, asked.fairness is not None and party == asked.label.party),
        )
        outputs[party] = tuple(name for name, given in names if given)
    return outputs


def _steps(asked: RegressionRequest, agreement: Agreement) -> list[Step]:
    who = joint_plan.roles(agreement, (asked.label.party,), asked.receiving())
    others = [name for name in agreement.computing if name != asked.label.party]
    aligned, facts = joint_plan.alignment(asked, agreement, others)
    facts |= {**measuring.FACTS, **equity.facts(asked.fairness, agreement.limits.smallest_group)}
    named = [("align", aligned)]
    if not asked.model:
        named.append(("fit", FITTED[asked.family]))
        named += [("fit", rows.WEIGHTS)] if asked.weights else []
        named += [("fit", selection.PROFILE)] if asked.selection else []
        named += [("fit", signs.PROFILE)] if any(side.signs for side in asked.parties.values()) else []
        named += [("diagnose", collinearity.PROFILE), ("diagnose", DIAGNOSTICS)] if asked.collinearity else []
        named.append(("reveal", COEFFICIENTS))
    named += [("parity", parity.PROFILE)] if asked.parity else []
    named += [("predict", TAKEN_UP)] if asked.model else []
    named += [("predict", PREDICTED)] if asked.predictions else []
    steps, told = [Step(name, profile, who, facts) for name, profile in named], list[Profile]()
    if asked.measures:
        told = measuring.profiles(
            evaluating.PREDICTED[asked.family],
            asked.compares_outcomes,
            hidden=not asked.predictions,
            stable=True,
            weighted=asked.measures_weighed,
        )
        told += [selftest.LABELS] if asked.attacks_labels else []
        if asked.tests and not asked.predictions:
            told += selftest.hidden_profiles(evaluating.PREDICTED[asked.family])
    told += equity.PROFILES if asked.fairness else ()
    measured = {**who, Role.RECIPIENT: (asked.label.party,)}
    steps += [Step("evaluate", profile, measured, facts) for profile in told]
    return [*steps, *joint_plan.told_to_partners(who, facts, asked.attacks_features)]


def _flows(asked: RegressionRequest, made: Sources) -> list[Flow]:
    """Predictions are a figure for each person; coefficients are the model, learned from the label too."""
    names = [] if asked.model else [SUMMARY, OWN]
    flows = [Flow(name, Shape.MODEL, made.learned) for name in names]
    flows += [Flow(OPENED, Shape.VALUE, made.opened)] if asked.parity else []
    flows += [Flow(PREDICTIONS, Shape.PERSON, made.features)] if asked.predictions else []
    flows += [Flow(equity.OUTPUT, Shape.AGGREGATE, made.judged)] if asked.fairness else []
    return flows + ([Flow(measuring.OUTPUT, Shape.AGGREGATE, made.learned)] if asked.measures else [])


SECONDS_A_CELL = 4e-6
BYTES_A_CELL = 260


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side on two cores: measured rates, all rows common."""
    cells = rows * (1 + sum(use.use is Use.FEATURE for use in plan.uses))
    return joint_plan.estimated(rows, SECONDS_A_CELL * cells, BYTES_A_CELL * cells)
