"""What the scorecard reveals beyond its building blocks: the profiles of its own messages."""

from __future__ import annotations

from typing import Final

from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role


def _told(*kinds: str) -> tuple[Message, ...]:
    """Messages that each go once to one party, and carry what the profile discloses."""
    return tuple(Message(kind, Carries.DISCLOSED, most_messages=1) for kind in kinds)


def _told_of_each(*kinds: str) -> tuple[Message, ...]:
    """Messages that go once for each partner, shares of what one of them or the label's holder is told."""
    return tuple(Message(kind, Carries.DISCLOSED) for kind in kinds)


WEIGHTS: Final = Profile(
    id="credit/weights-of-evidence",
    title="Weights of evidence to the columns' owner",
    source="Siddiqi, Credit Risk Scorecards (2006), chapter 6",
    reveals=(
        Disclosure(
            Role.OWNER,
            "which of its columns are of use, how their bins are merged (at least {smallest_group} rows and "
            "{smallest_cell} good and bad ones each), and the weight of evidence of each; with its own counts it "
            "can tell from that how many bad ones a merged bin holds",
        ),
        Disclosure(Role.EACH, "the names of all parties' columns in the model"),
    ),
    messages=_told("credit/shape", "credit/useful", "credit/merged", "credit/weights"),
)
HIDDEN_WEIGHTS: Final = Profile(
    id="credit/hidden-weights",
    title="Columns that go into a model on shares",
    source="told by the label's holder, and by comparison on shares",
    reveals=(Disclosure(Role.EACH, "the names of all parties' columns in the model"),),
    messages=_told("credit/widths", "credit/useful"),
)
HIDDEN_COEFFICIENTS: Final = Profile(
    id="credit/hidden-coefficients",
    title="Coefficients to their recipients, weights of evidence to nobody",
    source="opening of shares",
    reveals=(Disclosure(Role.RECIPIENT, "all coefficients of the model with standard errors"),),
    messages=_told("reveal/intercept", "reveal/weights", "reveal/variances"),
)
HIDDEN_SCORECARD: Final = Profile(
    id="credit/hidden-scorecard",
    title="Points of bins to the label's holder, made on shares",
    source="rounded on shares, then opened",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "the labels of the bins of {owner}'s columns in the model, their points, and with the coefficients "
            "nearly their weights of evidence; each column's information value",
        ),
    ),
    messages=(*_told_of_each("reveal/bin-points", "reveal/information"), *_told("credit/labels")),
)
HIDDEN_OWN_POINTS: Final = Profile(
    id="credit/hidden-own-points",
    title="Points of bins to the columns' owner, made on shares",
    source="rounded on shares, then opened",
    reveals=(
        Disclosure(
            Role.OWNER,
            "the points of the bins of its own columns, and so their weights of evidence up to a factor",
        ),
    ),
    messages=_told_of_each("reveal/bin-points"),
)
HIDDEN_REASONS: Final = Profile(
    id="credit/hidden-reasons",
    title="Reason codes, found on shares",
    source="points compared on shares",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "for every common customer, the names of up to {reasons} of each partner's columns that lowered the "
            "score most, and no value of them",
        ),
    ),
    messages=_told_of_each("reveal/reasons"),
)
SCORECARD: Final = "scorecard"
OWN_POINTS: Final = "own-points"
"""Outputs, by the names of an agreement's recipients: the points of all bins to the label's holder, and those of
its own bins to a partner where nobody sees what they are worth."""
COEFFICIENTS: Final = Profile(
    id="credit/coefficients",
    title="Coefficients to their recipients",
    source="opening of shares",
    reveals=(
        Disclosure(Role.RECIPIENT, "all coefficients of the model with standard errors"),
        Disclosure(
            Role.OWNER,
            "the coefficients of its own columns and the points of their bins, and so nearly the intercept",
        ),
        Disclosure(
            Role.RECIPIENT, "the labels of the merged bins of {owner}'s columns in the model, and their points"
        ),
    ),
    messages=_told(
        "reveal/intercept",
        "reveal/weights",
        "reveal/variances",
        "reveal/own-weights",
        "credit/labels",
        "credit/points",
    ),
)
SCORES: Final = Profile(
    id="credit/scores",
    title="Scores to their recipients",
    source="opening of shares",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "the score of every common customer, and with the coefficients {owner}'s total contribution to it",
        ),
        Disclosure(Role.DEALER, "the number of common customers"),
    ),
    messages=_told("reveal/scores", "reveal/points"),
)
REASONS: Final = Profile(
    id="credit/reasons",
    title="Reason codes",
    source="the owner's own points, compared at home",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "for every common customer, the names of up to {reasons} of {owner}'s columns that lowered the score "
            "most, and no value of them",
        ),
    ),
    messages=_told("credit/reasons"),
)
