"""The privacy budget: one book for all jobs, partners and techniques, which cannot be overdrawn.

Every output that noise protects costs epsilon and delta on each account that it touches: the data set and group
of persons it speaks of, and the agreement under which it is made. A job reserves before it starts; then the
reservation is committed, or released if the job never began. What has begun is committed even when it failed:
its output may have been seen.

House rules
- Costs add up (basic composition: Dwork & Roth 2014, theorem 3.16). Tighter accounting may only lower a cost
  before it comes here.
- Amounts are whole numbers of 10^-9 epsilon and 10^-15 delta, rounded up, so that sums are exact.
- The account's row is written first in every transaction: two reservations at once wait for each other, in
  SQLite and in PostgreSQL alike.
- All charges of a job are reserved together or not at all; reserving the same job again changes nothing.
- A reservation left by a crash holds its amount until `settle` says what became of the job.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, Protocol

import sqlalchemy as sql

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.terms import Limits

EPSILON_UNIT: Final = 10**9
DELTA_UNIT: Final = 10**15
_ALWAYS: Final = 36_600
"""Days in a hundred years: a period that no agreement outlives."""

_METADATA: Final = sql.MetaData()
_ACCOUNTS: Final = sql.Table(
    "budget_accounts",
    _METADATA,
    sql.Column("account", sql.String(200), primary_key=True),
    sql.Column("movements", sql.Integer, nullable=False),
)
_CHARGES: Final = sql.Table(
    "budget_charges",
    _METADATA,
    sql.Column("job", sql.String(64), primary_key=True),
    sql.Column("account", sql.String(200), primary_key=True, index=True),
    sql.Column("epsilon", sql.BigInteger, nullable=False),
    sql.Column("delta", sql.BigInteger, nullable=False),
    sql.Column("state", sql.String(16), nullable=False),
    sql.Column("time", sql.String(40), nullable=False, index=True),
)


class Charging(StrEnum):
    """Where a charge stands. Released ones count for nothing."""

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"


class Allowance(Protocol):
    """What an account may give in a period of days; a `terms.PrivacyBudget` is one."""

    @property
    def epsilon(self) -> float: ...
    @property
    def delta(self) -> float: ...
    @property
    def days(self) -> int: ...


@dataclass(frozen=True)
class Runs:
    """An allowance of so many runs in so many days; each run costs one."""

    epsilon: float
    days: int
    delta: float = 0.0


@dataclass(frozen=True)
class Charge:
    """What a job costs on one account, and what that account may give in its period."""

    account: str
    epsilon: float
    delta: float
    budget: Allowance
    rule: str = "privacy-budget"

    def __post_init__(self) -> None:
        for amount in (self.epsilon, self.delta):
            if not (math.isfinite(amount) and amount >= 0):
                raise MisuseError("a privacy cost is a number from zero upwards")


@dataclass(frozen=True)
class Balance:
    """What an account has given in its period and what is left."""

    account: str
    spent_epsilon: float
    spent_delta: float
    left_epsilon: float
    left_delta: float


def dataset_account(dataset: str, group: str = "all") -> str:
    """The account of one group of persons in one of our data sets."""
    return f"dataset/{dataset}/{group}"


def agreement_account(agreement: str) -> str:
    """The account of one agreement."""
    return f"agreement/{agreement}"


def runs_account(agreement: str) -> str:
    """The account that counts an agreement's runs."""
    return f"runs/{agreement}"


def counted_charge(account: str, most: int, rule: str) -> Charge:
    """One use of something that may be used so many times in all."""
    return Charge(account, 1, 0, Runs(most, _ALWAYS), rule)


def run_charges(agreement: str, limits: Limits) -> list[Charge]:
    """What a run costs of the agreement's number of runs, and of its number a day."""
    found = [counted_charge(runs_account(agreement), limits.runs, "runs")]
    if limits.runs_per_day is not None:
        found.append(Charge(f"runs-per-day/{agreement}", 1, 0, Runs(limits.runs_per_day, 1), "runs-per-day"))
    return found


class BudgetBook:
    """The book in one database. Creates its tables where there are none."""

    def __init__(self, engine: sql.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        _METADATA.create_all(engine)

    def reserve(self, job: str, charges: Sequence[Charge]) -> None:
        """Set the charges of a job aside. Raises RefusedError under rule `privacy-budget`, and then none is."""
        if len({charge.account for charge in charges}) < len(charges):
            raise MisuseError("a job is charged once on an account")
        now = self._clock()
        for charge in charges:
            self._open(charge.account)
        with self._engine.begin() as connection:
            for charge in sorted(charges, key=lambda charge: charge.account):
                self._touch(connection, charge.account)
                if not self._known(connection, job, charge.account):
                    self._require_left(connection, charge, now)
                    self._note(connection, job, charge, now)

    def settle(self, job: str, began: bool) -> None:
        """A job has ended: commit what it reserved if it began, else release it. Twice is as once."""
        state = Charging.COMMITTED if began else Charging.RELEASED
        with self._engine.begin() as connection:
            connection.execute(
                _CHARGES.update()
                .where(_CHARGES.c.job == job, _CHARGES.c.state == Charging.RESERVED.value)
                .values(state=state.value)
            )

    def reserved(self) -> list[str]:
        """The jobs whose charges wait to be settled: after a crash, each must be."""
        query = sql.select(_CHARGES.c.job).where(_CHARGES.c.state == Charging.RESERVED.value).distinct()
        with self._engine.connect() as connection:
            return sorted(connection.execute(query).scalars())

    def balance(self, account: str, budget: Allowance) -> Balance:
        """What is spent and left on an account now."""
        with self._engine.connect() as connection:
            epsilon, delta = self._spent(connection, account, budget.days, self._clock())
        return Balance(
            account,
            epsilon / EPSILON_UNIT,
            delta / DELTA_UNIT,
            max(0, _limit(budget.epsilon, EPSILON_UNIT) - epsilon) / EPSILON_UNIT,
            max(0, _limit(budget.delta, DELTA_UNIT) - delta) / DELTA_UNIT,
        )

    def standing(self, account: str) -> set[str]:
        """The jobs whose charges on an account are reserved or committed."""
        query = sql.select(_CHARGES.c.job).where(
            _CHARGES.c.account == account, _CHARGES.c.state != Charging.RELEASED.value
        )
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def count(self, account: str) -> int:
        """How many uses of a counted account stand, in all."""
        return round(self.balance(account, Runs(0, _ALWAYS)).spent_epsilon)

    def _open(self, account: str) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(_ACCOUNTS.insert().values(account=account, movements=0))
        except sql.exc.IntegrityError:
            return

    def _touch(self, connection: sql.Connection, account: str) -> None:
        """Take the account for this transaction."""
        connection.execute(
            _ACCOUNTS.update().where(_ACCOUNTS.c.account == account).values(movements=_ACCOUNTS.c.movements + 1)
        )

    def _known(self, connection: sql.Connection, job: str, account: str) -> bool:
        query = sql.select(_CHARGES.c.state).where(_CHARGES.c.job == job, _CHARGES.c.account == account)
        state = connection.execute(query).scalar()
        if state == Charging.RELEASED.value:
            raise MisuseError(f"job {job} has ended; its budget was released")
        return state is not None

    def _require_left(self, connection: sql.Connection, charge: Charge, now: datetime) -> None:
        epsilon, delta = self._spent(connection, charge.account, charge.budget.days, now)
        over = epsilon + _cost(charge.epsilon, EPSILON_UNIT) > _limit(
            charge.budget.epsilon, EPSILON_UNIT
        ) or delta + _cost(charge.delta, DELTA_UNIT) > _limit(charge.budget.delta, DELTA_UNIT)
        if over:
            left = max(0, _limit(charge.budget.epsilon, EPSILON_UNIT) - epsilon) / EPSILON_UNIT
            raise _overdrawn(charge, left)

    def _note(self, connection: sql.Connection, job: str, charge: Charge, now: datetime) -> None:
        connection.execute(
            _CHARGES.insert().values(
                job=job,
                account=charge.account,
                epsilon=_cost(charge.epsilon, EPSILON_UNIT),
                delta=_cost(charge.delta, DELTA_UNIT),
                state=Charging.RESERVED.value,
                time=_stamp(now),
            )
        )

    def _spent(self, connection: sql.Connection, account: str, days: int, now: datetime) -> tuple[int, int]:
        query = sql.select(
            sql.func.coalesce(sql.func.sum(_CHARGES.c.epsilon), 0),
            sql.func.coalesce(sql.func.sum(_CHARGES.c.delta), 0),
        ).where(
            _CHARGES.c.account == account,
            _CHARGES.c.state != Charging.RELEASED.value,
            sql.or_(
                _CHARGES.c.time > _stamp(now - timedelta(days=days)),
                _CHARGES.c.state == Charging.RESERVED.value,
            ),
        )
        epsilon, delta = connection.execute(query).one()
        return int(epsilon), int(delta)


def _overdrawn(charge: Charge, left: float) -> RefusedError:
    if isinstance(charge.budget, Runs):
        period = "" if charge.budget.days == _ALWAYS else " within 24 hours"
        return RefusedError(
            charge.rule,
            f"the agreement's {charge.budget.epsilon:g} runs{period} are used up",
            "wait, or propose a new version with more runs",
        )
    return RefusedError(
        charge.rule,
        f"this costs epsilon {charge.epsilon:g} on {charge.account}, where {left:g} of"
        f" {charge.budget.epsilon:g} is left in {charge.budget.days} days",
        "ask for fewer or coarser figures, or wait until earlier runs leave the period",
    )


def _cost(amount: float, unit: int) -> int:
    return math.ceil(Fraction(str(amount)) * unit)


def _limit(amount: float, unit: int) -> int:
    return math.floor(Fraction(str(amount)) * unit)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
