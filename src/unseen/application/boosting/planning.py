"""The plan of boosted trees: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from typing import Final

from unseen.application import joint_keys
from unseen.application.boosting import parity
from unseen.application.boosting.request import BoostingRequest, read_request
from unseen.application.declared import as_parameter
from unseen.application.evaluation import equity, measuring, selftest
from unseen.computation.intersect import align
from unseen.computation.learn import boosting, feature_attack, hidden_attacks
from unseen.computation.learn.measures import Predicted
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

SCORES: Final = Profile(
    id="boosting/scores",
    title="Scores to their recipient",
    source="opening of shares",
    reveals=(Disclosure(Role.RECIPIENT, "the score of every common row"),),
    messages=(Message("reveal/scores", Carries.DISCLOSED, most_messages=1),),
)
COLUMNS: Final = Profile(
    id="boosting/columns",
    title="Numbers of bins",
    source="told by the columns' owners",
    reveals=(Disclosure(Role.EACH, "how many bins each column of the others has"),),
    messages=(Message("boosting/*", Carries.DISCLOSED, most_messages=2, most_bytes=1 << 16),),
)
MAGNITUDE: Final = Profile(
    id="boosting/magnitude",
    title="Magnitude of the label",
    source="told by the label's party",
    reveals=(Disclosure(Role.EACH, "the order of magnitude (a power of two) of the label's spread"),),
    messages=(Message("boosting/magnitude", Carries.DISCLOSED, most_messages=1, most_bytes=24),),
)
SCORE_OUTPUT, OWN_OUTPUT = "scores", "own-splits"
"""What the label's holder receives, and what each party keeps: its own splits and its part of the leaf weights."""


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    if set(asked.parties) != set(agreement.computing):
        raise MisuseError(f"the request must name just the parties {', '.join(agreement.computing)}")
    if agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; this version needs one")
    outputs: dict[str, tuple[str, ...]] = dict.fromkeys(asked.parties, (OWN_OUTPUT,))
    received = measuring.OUTPUT if asked.hidden else SCORE_OUTPUT
    more = [measuring.OUTPUT] if asked.monitor and not asked.hidden else []
    more += [*([parity.OPENED] if asked.parity else []), *([equity.OUTPUT] if asked.fairness else [])]
    outputs[asked.label.party] = (received, OWN_OUTPUT, *more)
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
        outputs=outputs,
        parameters=parameters,
        seed=request.seed,
        flows=_flows(asked),
    )


def _uses(asked: BoostingRequest) -> list[ColumnUse]:
    uses: list[ColumnUse] = []
    for name, side in sorted(asked.parties.items()):
        uses += joint_keys.uses(name, side)
        uses += [ColumnUse(name, side.dataset, column, Use.FEATURE) for column in sorted(side.features)]
        if asked.parity and name != asked.label.party:
            uses += [ColumnUse(name, side.dataset, column, Use.RETRIEVE) for column in sorted(side.features)]
        if asked.fairness and name == asked.fairness.party:
            uses.append(ColumnUse(name, side.dataset, asked.fairness.column, Use.GROUP))
        if name == asked.label.party and asked.needs_label:
            uses.append(ColumnUse(name, side.dataset, asked.label.column, Use.LABEL))
    return uses


def _steps(asked: BoostingRequest, agreement: Agreement) -> tuple[Step, ...]:
    others = tuple(name for name in agreement.computing if name != asked.label.party)
    roles = {Role.EACH: agreement.computing, Role.OWNER: others, Role.RECIPIENT: (asked.label.party,)}
    if agreement.dealer:
        roles[Role.DEALER] = (agreement.dealer,)
    facts = {"owner": " and ".join(others), "smallest_overlap": str(agreement.limits.smallest_overlap)}
    aligned, spoken = joint_keys.alignment(asked.parties, agreement.computing)
    facts |= {**measuring.FACTS, **spoken, **equity.facts(asked.fairness, agreement.limits.smallest_group)}
    named = [
        ("align", aligned),
        ("train", COLUMNS),
        ("train", boosting.PROFILE),
        *([] if asked.hidden else [("evaluate", SCORES)]),
    ]
    if asked.patience and not asked.model:
        named.insert(3, ("train", boosting.STOPPING))
    named += [("parity", parity.PROFILE)] if asked.parity else []
    named += [("evaluate", profile) for profile in equity.PROFILES] if asked.fairness else []
    named += [("evaluate", profile) for profile in _measured(asked)]
    steps = [Step(name, profile, roles, facts) for name, profile in named]
    if asked.attacks_features:
        steps.append(
            Step("evaluate", feature_attack.PROFILE, {**roles, Role.OWNER: asked.attacks_features}, facts)
        )
    return tuple(steps)


def _measured(asked: BoostingRequest) -> list[Profile]:
    """What measures on shares and attacks tell whom."""
    predicted, told = Predicted.OUTCOME if asked.classifies else Predicted.NUMBER, list[Profile]()
    if asked.hidden or asked.monitor:
        told += measuring.profiles(predicted, asked.compares_outcomes, asked.hidden, stable=True)
    if asked.hidden and asked.compares_outcomes and not asked.classifies:
        told.append(MAGNITUDE)
    if asked.tests and asked.hidden:
        told += selftest.hidden_profiles(predicted)
    return [*told, hidden_attacks.LABELS] if asked.attacks_labels else told


def _flows(asked: BoostingRequest) -> tuple[Flow, ...]:
    """Scores are a figure for each person; splits are the model, learned from the label too."""
    features = tuple(use for use in _uses(asked) if use.use is Use.FEATURE)
    learned = tuple(use for use in _uses(asked) if use.use not in (Use.JOIN, Use.RETRIEVE, Use.GROUP))
    groups = tuple(use for use in _uses(asked) if use.use is Use.GROUP)
    opened = tuple(use for use in _uses(asked) if use.use is Use.RETRIEVE)
    told = Flow(SCORE_OUTPUT, Shape.PERSON, features)
    if asked.hidden:
        told = Flow(measuring.OUTPUT, Shape.AGGREGATE, learned)
    more = [Flow(measuring.OUTPUT, Shape.AGGREGATE, learned)] if asked.monitor and not asked.hidden else []
    flows = [told, *more, Flow(OWN_OUTPUT, Shape.MODEL, learned)]
    flows += [Flow(parity.OPENED, Shape.VALUE, opened)] if asked.parity else []
    flows += [Flow(equity.OUTPUT, Shape.AGGREGATE, (*groups, *learned))] if asked.fairness else []
    return tuple(flows)


SECONDS_A_TREE = 0.15
SECONDS_A_ROW_AND_TREE = 6e-6
BYTES_A_ROW_AND_LEAF = 80


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side on two cores: measured rates, all rows common."""
    asked = read_request(plan.parameters["request"])  # type: ignore[arg-type]
    leaves = 2**asked.depth
    return {
        "seconds": 3.0
        + align.seconds(rows, rows)
        + asked.trees * (SECONDS_A_TREE + SECONDS_A_ROW_AND_TREE * rows),
        "bytes": align.bytes_moved(rows, rows) + BYTES_A_ROW_AND_LEAF * rows * leaves * asked.trees,
    }
