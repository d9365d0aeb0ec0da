"""The plan of a network: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from typing import Final

from unseen.application import joint_plan, scoring_plan
from unseen.application.derivation import request_in
from unseen.application.evaluation import equity, measuring
from unseen.application.joint_plan import Sources
from unseen.application.model_part import compared
from unseen.application.network.model import KIND
from unseen.application.network.request import NetworkRequest, read_request
from unseen.application.scoring_plan import SCORES
from unseen.computation.learn import network
from unseen.computation.learn.measures import Predicted
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import Flow, Plan, Shape, Step

OWN: Final = "own-model"
"""What each keeps: its share of the weights."""
SCORED: Final = Profile(
    id="network/scores",
    title="Scores to their recipient",
    source="opening of shares",
    reveals=(Disclosure(Role.RECIPIENT, "the score of every common row"),),
    messages=(Message("reveal/scores", Carries.DISCLOSED, most_messages=1),),
)
TAKEN_UP: Final = compared(KIND)


def plan(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_request(request.body)
    joint_plan.require_fit(asked, agreement)
    uses = joint_plan.column_uses(asked, labelled=asked.needs_label)
    return joint_plan.assembled(
        request,
        agreement,
        asked,
        uses=uses,
        steps=_steps(asked, agreement),
        outputs=_outputs(asked),
        flows=_flows(asked, joint_plan.sources(uses)),
    )


def _outputs(asked: NetworkRequest) -> dict[str, tuple[str, ...]]:
    own = () if asked.model else (OWN,)
    return dict.fromkeys(asked.parties, own) | {asked.label.party: (*scoring_plan.received(asked), *own)}


def _steps(asked: NetworkRequest, agreement: Agreement) -> list[Step]:
    who = joint_plan.roles(agreement, asked.partners(), (asked.label.party,))
    aligned, facts = joint_plan.alignment(asked, agreement, asked.partners())
    facts |= {**measuring.FACTS, **equity.facts(asked.fairness, agreement.limits.smallest_group)}
    named = [("align", aligned), ("train", TAKEN_UP if asked.model else network.PROFILE)]
    named += [] if asked.hidden else [("evaluate", SCORED)]
    named += [("evaluate", profile) for profile in scoring_plan.profiles(asked, Predicted.OUTCOME)]
    named += [("evaluate", profile) for profile in equity.PROFILES] if asked.fairness else []
    steps = [Step(name, profile, who, facts) for name, profile in named]
    return [*steps, *joint_plan.told_to_partners(who, facts, asked.attacks_features)]


def _flows(asked: NetworkRequest, made: Sources) -> list[Flow]:
    """Weights are the model, learned from the label too."""
    scores = Flow(SCORES, Shape.PERSON, made.features if not asked.model else made.learned)
    found = scoring_plan.flows(asked, made, scores)
    return found if asked.model else [*found, Flow(OWN, Shape.MODEL, made.learned)]


SECONDS_A_CELL_AND_EPOCH: Final = 2e-6
BYTES_A_CELL_AND_EPOCH: Final = 120


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side on two cores: measured rates, all rows common.

    A cell is a row of one unit or column.
    """
    asked = read_request(request_in(plan))
    width = sum(len(side.features) for side in asked.parties.values()) + sum(asked.layers)
    cells = rows * width * (asked.epochs + 1)
    return joint_plan.estimated(rows, SECONDS_A_CELL_AND_EPOCH * cells, BYTES_A_CELL_AND_EPOCH * cells)
