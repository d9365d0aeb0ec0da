"""The plan of a network: a pure function of request and agreement, the same bytes at every party."""

from __future__ import annotations

from typing import Final

from unseen.application import joint_keys
from unseen.application.declared import as_parameter
from unseen.application.evaluation import equity, measuring, selftest
from unseen.application.network.request import NetworkRequest, read_request
from unseen.computation.intersect import align
from unseen.computation.learn import feature_attack, hidden_attacks, network
from unseen.computation.learn.measures import Predicted
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

SCORES, OWN = "scores", "own-model"
"""What the label's party receives, and what each keeps: its share of the weights."""
SCORED: Final = Profile(
    id="network/scores",
    title="Scores to their recipient",
    source="opening of shares",
    reveals=(Disclosure(Role.RECIPIENT, "the score of every common row"),),
    messages=(Message("reveal/scores", Carries.DISCLOSED, most_messages=1),),
)
TAKEN_UP: Final = Profile(
    id="network/model",
    title="Parts of one network",
    source="digests of the plan that made it, compared",
    messages=(Message("network/model", Carries.DISCLOSED, most_messages=1, most_bytes=64),),
)


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


def _outputs(asked: NetworkRequest) -> dict[str, tuple[str, ...]]:
    own = () if asked.model else (OWN,)
    told = measuring.OUTPUT if asked.hidden else SCORES
    more = [measuring.OUTPUT] if asked.monitor and not asked.hidden else []
    more += [equity.OUTPUT] if asked.fairness else []
    return {party: (told, *own, *more) if party == asked.label.party else own for party in asked.parties}


def _uses(asked: NetworkRequest) -> list[ColumnUse]:
    uses: list[ColumnUse] = []
    for name, side in sorted(asked.parties.items()):
        uses += joint_keys.uses(name, side)
        uses += [ColumnUse(name, side.dataset, column, Use.FEATURE) for column in sorted(side.features)]
        if asked.fairness and name == asked.fairness.party:
            uses.append(ColumnUse(name, side.dataset, asked.fairness.column, Use.GROUP))
        if name == asked.label.party and asked.needs_label:
            uses.append(ColumnUse(name, side.dataset, asked.label.column, Use.LABEL))
    return uses


def _steps(asked: NetworkRequest, agreement: Agreement) -> tuple[Step, ...]:
    others = tuple(name for name in agreement.computing if name != asked.label.party)
    roles = {Role.EACH: agreement.computing, Role.OWNER: others, Role.RECIPIENT: (asked.label.party,)}
    if agreement.dealer:
        roles[Role.DEALER] = (agreement.dealer,)
    aligned, spoken = joint_keys.alignment(asked.parties, agreement.computing)
    facts = {"owner": " and ".join(others), "smallest_overlap": str(agreement.limits.smallest_overlap)}
    facts |= {**measuring.FACTS, **spoken, **equity.facts(asked.fairness, agreement.limits.smallest_group)}
    named = [("align", aligned), ("train", TAKEN_UP if asked.model else network.PROFILE)]
    named += [] if asked.hidden else [("evaluate", SCORED)]
    named += [("evaluate", profile) for profile in _measured(asked)]
    named += [("evaluate", profile) for profile in equity.PROFILES] if asked.fairness else []
    steps = [Step(name, profile, roles, facts) for name, profile in named]
    if asked.attacks_features:
        steps.append(
            Step("evaluate", feature_attack.PROFILE, {**roles, Role.OWNER: asked.attacks_features}, facts)
        )
    return tuple(steps)


def _measured(asked: NetworkRequest) -> list[Profile]:
    """What measures on shares and attacks tell whom."""
    told = list[Profile]()
    if asked.hidden or asked.monitor:
        told += measuring.profiles(Predicted.OUTCOME, asked.compares_outcomes, asked.hidden, stable=True)
    if asked.tests and asked.hidden:
        told += selftest.hidden_profiles(Predicted.OUTCOME)
    return [*told, hidden_attacks.LABELS] if asked.attacks_labels else told


def _flows(asked: NetworkRequest) -> tuple[Flow, ...]:
    """Scores are a figure for each person, and how well they do is the label's party's own sum; weights are the
    model, learned from the label too."""
    features = tuple(use for use in _uses(asked) if use.use is Use.FEATURE)
    learned = tuple(use for use in _uses(asked) if use.use not in (Use.JOIN, Use.GROUP))
    groups = tuple(use for use in _uses(asked) if use.use is Use.GROUP)
    if asked.hidden:
        told = Flow(measuring.OUTPUT, Shape.AGGREGATE, learned)
    else:
        told = Flow(SCORES, Shape.PERSON, features if not asked.model else learned)
    more = [Flow(measuring.OUTPUT, Shape.AGGREGATE, learned)] if asked.monitor and not asked.hidden else []
    flows = [told, *more, *([] if asked.model else [Flow(OWN, Shape.MODEL, learned)])]
    flows += [Flow(equity.OUTPUT, Shape.AGGREGATE, (*groups, *learned))] if asked.fairness else []
    return tuple(flows)


SECONDS_A_CELL_AND_EPOCH: Final = 2e-6
BYTES_A_CELL_AND_EPOCH: Final = 120


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side on two cores: measured rates, all rows common.

    A cell is a row of one unit or column.
    """
    asked = read_request(plan.parameters["request"])  # type: ignore[arg-type]
    width = sum(len(side.features) for side in asked.parties.values()) + sum(asked.layers)
    cells = rows * width * (asked.epochs + 1)
    return {
        "seconds": 3.0 + align.seconds(rows, rows) + SECONDS_A_CELL_AND_EPOCH * cells,
        "bytes": align.bytes_moved(rows, rows) + BYTES_A_CELL_AND_EPOCH * cells,
    }
