"""What a modeller chooses for boosted trees. All of it is public."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unseen.errors import MisuseError


class Objective(StrEnum):
    """What the trees fit."""

    LOGISTIC = "logistic"
    """The probability of a label of 1."""
    SQUARED = "squared"
    """A number, by least squares."""

    @property
    def lane(self) -> int:
        """Bits of the ring in which scores add up: the logistic function needs the low ones only."""
        return 32 if self is Objective.LOGISTIC else 64

    @property
    def steepest(self) -> float:
        """The largest second derivative of a row's loss."""
        return 0.25 if self is Objective.LOGISTIC else 1.0


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters, all public; names in words, XGBoost's in brackets.

    `base` is the score before the first tree; `held_out` rows, the last ones, train nothing; with `patience`
    trees without a better loss on them, training stops. `seed` picks rows and columns for each tree.
    """

    trees: int = 100
    depth: int = 4
    learning_rate: float = 0.3
    penalty: float = 1.0
    least_weight: float = 1.0
    least_gain: float = 0.0
    row_share: float = 1.0
    column_share: float = 1.0
    objective: Objective = Objective.LOGISTIC
    base: float = 0.0
    held_out: int = 0
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.trees < 1 or not 1 <= self.depth <= 10:
            raise MisuseError("boosting takes one tree or more, of depth 1 to 10")
        if self.penalty <= 0 or not 0 < self.learning_rate <= 1:
            raise MisuseError("the penalty must be positive, and the learning rate above 0 and at most 1")
        if not (0 < self.row_share <= 1 and 0 < self.column_share <= 1):
            raise MisuseError("shares of rows and columns must lie above 0 and be at most 1")
        if self.patience and not self.held_out:
            raise MisuseError("stopping early needs held-out rows")
