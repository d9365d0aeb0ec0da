"""The plan of boosted trees: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from typing import Final

from unseen.application import joint_plan, scoring_plan
from unseen.application.boosting import parity
from unseen.application.boosting.request import BoostingRequest, read_request
from unseen.application.derivation import request_in
from unseen.application.evaluation import equity, measuring
from unseen.application.joint_plan import OPENED, Sources
from unseen.application.scoring_plan import SCORES as SCORE_OUTPUT
from unseen.computation.learn import boosting
from unseen.computation.learn.measures import Predicted
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import Flow, Plan, Shape, Step

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
OWN_OUTPUT: Final = "own-splits"
"""What each party keeps: its own splits and its part of the leaf weights."""


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    joint_plan.require_fit(asked, agreement)
    uses = joint_plan.column_uses(asked, opened=asked.parity, labelled=asked.needs_label)
    return joint_plan.assembled(
        request,
        agreement,
        asked,
        uses=uses,
        steps=_steps(asked, agreement),
        outputs=_outputs(asked),
        flows=_flows(asked, joint_plan.sources(uses)),
    )


def _outputs(asked: BoostingRequest) -> dict[str, tuple[str, ...]]:
    told = (*scoring_plan.received(asked), OWN_OUTPUT, *([OPENED] if asked.parity else []))
    return dict.fromkeys(asked.parties, (OWN_OUTPUT,)) | {asked.label.party: told}


def _steps(asked: BoostingRequest, agreement: Agreement) -> list[Step]:
    who = joint_plan.roles(agreement, asked.partners(), (asked.label.party,))
    aligned, facts = joint_plan.alignment(asked, agreement, asked.partners())
    facts |= {**measuring.FACTS, **equity.facts(asked.fairness, agreement.limits.smallest_group)}
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
    predicted = Predicted.OUTCOME if asked.classifies else Predicted.NUMBER
    named += [("evaluate", profile) for profile in scoring_plan.profiles(asked, predicted)]
    if asked.hidden and asked.compares_outcomes and not asked.classifies:
        named.append(("evaluate", MAGNITUDE))
    steps = [Step(name, profile, who, facts) for name, profile in named]
    return [*steps, *joint_plan.told_to_partners(who, facts, asked.attacks_features)]


def _flows(asked: BoostingRequest, made: Sources) -> list[Flow]:
    """Splits are the model, learned from the label too."""
    found = scoring_plan.flows(asked, made, Flow(SCORE_OUTPUT, Shape.PERSON, made.features))
    found.append(Flow(OWN_OUTPUT, Shape.MODEL, made.learned))
    return found + ([Flow(OPENED, Shape.VALUE, made.opened)] if asked.parity else [])


SECONDS_A_TREE = 0.15
SECONDS_A_ROW_AND_TREE = 6e-6
BYTES_A_ROW_AND_LEAF = 80


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side on two cores: measured rates, all rows common."""
    asked = read_request(request_in(plan))
    seconds = asked.trees * (SECONDS_A_TREE + SECONDS_A_ROW_AND_TREE * rows)
    return joint_plan.estimated(rows, seconds, BYTES_A_ROW_AND_LEAF * rows * 2**asked.depth * asked.trees)
