"""What the plans of models that score rows, trees and networks, have in common: what is received and told."""

from __future__ import annotations

from typing import Final

from unseen.application.evaluation import equity, measuring, selftest
from unseen.application.joint_plan import Sources
from unseen.application.joint_request import ScoringRequest
from unseen.computation.learn import hidden_attacks
from unseen.computation.learn.measures import Predicted
from unseen.computation.profile import Profile
from unseen.interaction.plan import Flow, Shape

SCORES: Final = "scores"
"""What the label's party receives."""


def received(asked: ScoringRequest) -> tuple[str, ...]:
    """What the label's party receives, but for what a model of one kind alone makes: scores or measures first."""
    first = measuring.OUTPUT if asked.hidden else SCORES
    more = [measuring.OUTPUT] if asked.monitor and not asked.hidden else []
    return (first, *more, *([equity.OUTPUT] if asked.fairness else []))


def flows(asked: ScoringRequest, made: Sources, scored: Flow) -> list[Flow]:
    """The flow of each that is `received`. `scored` is that of scores, a figure for each person, where they are
    shown; how well they do is the label's party's own sum."""
    measured = Flow(measuring.OUTPUT, Shape.AGGREGATE, made.learned)
    found = [measured] if asked.hidden else [scored, *([measured] if asked.monitor else [])]
    return [*found, *([Flow(equity.OUTPUT, Shape.AGGREGATE, made.judged)] if asked.fairness else [])]


def profiles(asked: ScoringRequest, predicted: Predicted) -> list[Profile]:
    """What measures on shares and attacks tell whom."""
    told = list[Profile]()
    if asked.hidden or asked.monitor:
        told += measuring.profiles(predicted, asked.compares_outcomes, asked.hidden, stable=True)
    if asked.tests and asked.hidden:
        told += selftest.hidden_profiles(predicted)
    return [*told, hidden_attacks.LABELS] if asked.attacks_labels else told
