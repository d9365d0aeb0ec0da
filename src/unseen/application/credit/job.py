"""The run of a scorecard at one party: the same straight line at the label's holder and at its partners.

release → keys → align → bin and weigh → train → points → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from unseen.application.credit import outcome, parity, scoring, selftest
from unseen.application.credit.columns import binned, outcomes
from unseen.application.credit.hidden_weighing import weigh_hidden
from unseen.application.credit.pointing import Pointed, pointed
from unseen.application.credit.request import Tables, read_request
from unseen.application.credit.scorecard import Revealed
from unseen.application.credit.sides import Side, Standing, blocks
from unseen.application.credit.stopwatch import Stopwatch
from unseen.application.credit.weighing import weigh_columns
from unseen.application.derivation import request_in
from unseen.application.evaluation import equity
from unseen.application.evaluation.held_out import training_first
from unseen.application.joint_table import JointTable, joint_table
from unseen.computation.learn.choose import Choice
from unseen.computation.learn.logistic import Settings, fit_logistic
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Build the scorecard; returns this party's result. The holder's folder gets scores.parquet."""
    asked = read_request(request_in(run.plan))
    here, watch = Standing(run, asked), Stopwatch(run)
    with watch.step("align"):
        common, training = _common_customers(here, watch)
        table, ids = common.table, common.texts
        bad = outcomes(table, asked.label, training) if here.holding else None
    with watch.step("bin"):
        own = binned(table, asked.parties[run.party], training, asked, here.group)
        weighing = weigh_hidden if asked.tables is Tables.NOBODY else weigh_columns
        sides, left_out = weighing(here, own, bad, training)
    with watch.step("train"):
        model = fit_logistic(
            run.circle,
            blocks(here, sides, training),
            None if bad is None else bad[:training],
            run.circle.rank_of(here.holder),
            Settings(penalty=asked.penalty, choice=_signs(sides) if asked.keep_signs else Choice()),
            watch.tell,
        )
        revealed = scoring.reveal_model(here, model)
    with watch.step("evaluate"):
        shared = scoring.bad_odds(here, sides, model, len(ids))
        odds = scoring.log_odds(here, shared)
        judged = equity.judge(run, asked.fairness, table, shared, bad, run.circle.rank_of(here.holder))
        found = pointed(here, sides, model, revealed, len(ids))
        mine = next(side for side in sides if side.party == run.party)
        apart = _parity(here, sides, table, bad, training, (found, revealed, odds)) if asked.parity else None
        if bad is None or odds is None or revealed is None or found.total is None:
            tested = selftest.as_partner(here, sides, found.own, training) if asked.self_test else {}
            result = outcome.partner_result(here, mine, found.coefficients, found.own, len(ids), training, watch)
            return {**result, "self_test": tested} if tested else result
        scored = outcome.Scored(ids, bad, training, odds, found.total, found.reasons)
        tested = selftest.as_holder(here, sides, odds, bad, training) if asked.self_test else {}
        result = outcome.holder_result(here, found.card, left_out, revealed, scored, mine, watch)
        more = {"self_test": tested or None, "parity": apart}
        return {**result, **judged, **{name: value for name, value in more.items() if value is not None}}


def _parity(
    here: Standing,
    sides: Sequence[Side],
    table: pa.Table,
    bad: Real | None,
    training: int,
    joint: tuple[Pointed, Revealed | None, Real | None],
) -> dict[str, Json] | None:
    found, revealed, odds = joint
    known = None if revealed is None or odds is None else (found.card, revealed, odds)
    return parity.distance(here, sides, table, bad, training, known)


def _signs(sides: Sequence[Side]) -> Choice:
    """More weight of evidence, more good ones: no coefficient of the log-odds of bad may be positive."""
    return Choice([-1] * sum(len(side.columns) for side in sides))


def _common_customers(here: Standing, watch: Stopwatch) -> tuple[JointTable, int]:
    """Own rows of the common customers with their keys, training rows first, and how many those are.

    Who is held out follows from key and public seed alone, so that a validator finds the same people.
    """
    run, asked = here.run, here.asked
    found = joint_table(run, asked.parties[run.party], asked.most_unfit, watch.tell)
    order, training = training_first(found.keys, asked.held_out, asked.seed or run.plan.seed)
    return found.take(order), training
