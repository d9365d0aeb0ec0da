"""The plan of a regression: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from typing import Final

from unseen.application import joint_keys
from unseen.application.declared import as_parameter
from unseen.application.evaluation import equity, measuring, selftest
from unseen.application.regression import evaluating, parity
from unseen.application.regression.parity import OPENED
from unseen.application.regression.request import Family, RegressionRequest, read_request
from unseen.computation.intersect import align
from unseen.computation.learn import (
    collinearity,
    feature_attack,
    linear,
    log_link,
    logistic,
    rows,
    selection,
    signs,
)
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

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
TAKEN_UP: Final = Profile(
    id="regression/model",
    title="Parts of one model",
    source="digests of the plan that made it, compared",
    messages=(Message("regression/model", Carries.DISCLOSED, most_messages=1, most_bytes=64),),
)
FITTED: Final = {
    Family.LINEAR: linear.PROFILE,
    Family.LOGISTIC: logistic.PROFILE,
    Family.POISSON: log_link.PROFILE,
    Family.GAMMA: log_link.PROFILE,
}


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    if set(asked.parties) != set(agreement.computing):
        raise MisuseError(f"the request must name just the parties {', '.join(agreement.computing)}")
    if agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; this version needs one")
    parameters: dict[str, Json] = {
        "request": asked.model_dump(mode="json"),
        **joint_keys.as_parameters(asked.parties),
        "smallest_overlap": agreement.limits.smallest_overlap,
        "smallest_group": agreement.limits.smallest_group,
        **as_parameter({name: side.rows for name, side in asked.parties.items()}),
    }
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
        outputs=_outputs(asked),
        parameters=parameters,
        seed=request.seed,
        flows=_flows(asked),
    )


def _uses(asked: RegressionRequest) -> list[ColumnUse]:
    uses: list[ColumnUse] = []
    for name, side in sorted(asked.parties.items()):
        uses += joint_keys.uses(name, side)
        columns = {*side.features, *(term.column for term in asked.terms() if term.party == name)}
        uses += [ColumnUse(name, side.dataset, column, Use.FEATURE) for column in sorted(columns)]
        if asked.parity and name != asked.label.party:
            uses += [ColumnUse(name, side.dataset, column, Use.RETRIEVE) for column in sorted(columns)]
        if asked.fairness and name == asked.fairness.party:
            uses.append(ColumnUse(name, side.dataset, asked.fairness.column, Use.GROUP))
        if name == asked.label.party and needs_label(asked):
            uses.append(ColumnUse(name, side.dataset, asked.label.column, Use.LABEL))
    return uses


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


def _steps(asked: RegressionRequest, agreement: Agreement) -> tuple[Step, ...]:
    roles = {
        Role.EACH: agreement.computing,
        Role.OWNER: (asked.label.party,),
        Role.RECIPIENT: asked.receiving(),
    }
    if agreement.dealer:
        roles[Role.DEALER] = (agreement.dealer,)
    others = [name for name in agreement.computing if name != asked.label.party]
    facts = {"owner": " and ".join(others), "smallest_overlap": str(agreement.limits.smallest_overlap)}
    aligned, spoken = joint_keys.alignment(asked.parties, agreement.computing)
    facts |= {**measuring.FACTS, **spoken, **equity.facts(asked.fairness, agreement.limits.smallest_group)}
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
    steps, told = [Step(name, profile, roles, facts) for name, profile in named], list[Profile]()
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
    measured = {**roles, Role.RECIPIENT: (asked.label.party,)}
    steps += [Step("evaluate", profile, measured, facts) for profile in told]
    if asked.attacks_features:
        steps.append(
            Step("evaluate", feature_attack.PROFILE, {**roles, Role.OWNER: asked.attacks_features}, facts)
        )
    return tuple(steps)


def _flows(asked: RegressionRequest) -> tuple[Flow, ...]:
    """Predictions are a figure for each person; coefficients are the model, learned from the label too."""
    features = tuple(use for use in _uses(asked) if use.use is Use.FEATURE)
    opened = tuple(use for use in _uses(asked) if use.use is Use.RETRIEVE)
    learned = tuple(use for use in _uses(asked) if use.use not in (Use.JOIN, Use.RETRIEVE, Use.GROUP))
    groups = tuple(use for use in _uses(asked) if use.use is Use.GROUP)
    flows = [] if asked.model else [Flow(SUMMARY, Shape.MODEL, learned), Flow(OWN, Shape.MODEL, learned)]
    flows += [Flow(OPENED, Shape.VALUE, opened)] if asked.parity else []
    flows += [Flow(PREDICTIONS, Shape.PERSON, features)] if asked.predictions else []
    flows += [Flow(equity.OUTPUT, Shape.AGGREGATE, (*groups, *learned))] if asked.fairness else []
    return tuple([*flows, Flow(measuring.OUTPUT, Shape.AGGREGATE, learned)] if asked.measures else flows)


SECONDS_A_CELL = 4e-6
BYTES_A_CELL = 260


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side on two cores: measured rates, all rows common."""
    cells = rows * (1 + sum(use.use is Use.FEATURE for use in plan.uses))
    return {
        "seconds": 3.0 + align.seconds(rows, rows) + SECONDS_A_CELL * cells,
        "bytes": align.bytes_moved(rows, rows) + BYTES_A_CELL * cells,
    }
