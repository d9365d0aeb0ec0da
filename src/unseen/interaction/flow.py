"""Column control by where data flows, not by what a column is called.

A column is agreed for uses; each use has a ceiling, the most revealing shape in which the column may reach
anyone but its owner. Shapes are ordered from least to most revealing:

    count  <  aggregate  <  model  <  person  <  value

    use         ceiling     because
    join        count       how many are common; which of one's own rows are, the alignment declares itself
    filter      aggregate   it chooses rows: a person's row that appears alone would show it
    group       aggregate   it names groups, never a group of one
    aggregate   aggregate   sums and means over groups large enough
    label       model       a model may be learned from it; its value for a person stays with its owner
    feature     person      it may weigh in a person's score
    retrieve    value       it may be looked up row by row

An output made of several columns has one shape, and every column in it must be allowed that shape: a join, a
filter or a model in between does not wash a column clean. Compare SCQL's column control lists (six modes, by
column and party) and the analysis rules of AWS Clean Rooms (aggregation, list, custom): here one order replaces
the modes, and what an output is made of is part of the plan that everyone signs.

The checks, numbered as in the code:
 1. Every output that leaves has a flow, and every flow is an output's.
 2. Every column of the plan flows somewhere: what is not needed is not read.
 3. No flow has a more revealing shape than the ceiling of any source of another party than its recipients.
 4. The column that names persons is neither filter nor group, and never an output.
 5. Without noise, a column is asked over one population only (per agreement): two populations that differ by
    few persons show those persons by their difference.
 6. Filters and groups come with a smallest group, at least the agreed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from unseen.data.catalogue import Use
from unseen.encoding import Json, digest, objects
from unseen.errors import RefusedError
from unseen.interaction.agreement import Agreement
from unseen.interaction.budget import Charge, agreement_account, dataset_account
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape

CEILING: Final[Mapping[Use, Shape]] = {
    Use.JOIN: Shape.COUNT,
    Use.FILTER: Shape.AGGREGATE,
    Use.GROUP: Shape.AGGREGATE,
    Use.AGGREGATE: Shape.AGGREGATE,
    Use.LABEL: Shape.MODEL,
    Use.FEATURE: Shape.PERSON,
    Use.RETRIEVE: Shape.VALUE,
}
_ORDER: Final = tuple(Shape)
POPULATION_TAG: Final = "unseen/population/v1"


@dataclass(frozen=True)
class Asked:
    """What was given out earlier under an agreement without noise: a column, and over which population."""

    party: str
    dataset: str
    column: str
    population: str


def within(shape: Shape, ceiling: Shape) -> bool:
    """Whether `shape` reveals no more than `ceiling`."""
    return _ORDER.index(shape) <= _ORDER.index(ceiling)


def check_flows(plan: Plan, terms: Agreement, earlier: Iterable[Asked] = ()) -> None:
    """All checks; `earlier` is what was given out under this agreement before. Raises RefusedError."""
    _accounted(plan)  # 1, 2
    for flow in plan.flows:
        _under_ceiling(plan, flow)  # 3
    _no_names(plan)  # 4
    _one_population(plan, set(earlier))  # 5
    _groups(plan, terms)  # 6


def _accounted(plan: Plan) -> None:
    leaving = {output for outputs in plan.outputs.values() for output in outputs}
    flowing = {flow.output for flow in plan.flows}
    if leaving != flowing:
        raise RefusedError(
            "flow", f"the plan does not say what {', '.join(sorted(leaving ^ flowing))} is made of", _APPLICATION
        )
    used = {source for flow in plan.flows for source in flow.sources}
    if strangers := used - set(plan.uses):
        raise RefusedError("flow", f"{_named(min(strangers, key=_named))} flows out and is not among the uses")
    for use in plan.uses:
        if use.use is not Use.JOIN and use not in used:
            raise RefusedError(
                "flow", f"{_named(use)} is asked for and flows into no output", "leave it out of the request"
            )


def _under_ceiling(plan: Plan, flow: Flow) -> None:
    recipients = {party for party, outputs in plan.outputs.items() if flow.output in outputs}
    for source in flow.sources:
        if recipients == {source.party}:
            continue  # its own data comes back to it
        if not within(flow.shape, CEILING[source.use]):
            raise RefusedError(
                "column-flow",
                f"{_named(source)} would come out as {flow.shape.value} in {flow.output!r};"
                f" as {source.use.value} it may come out as {CEILING[source.use].value} at most",
                "ask for a coarser output, or agree on another use of the column",
            )


def _no_names(plan: Plan) -> None:
    keys = {(use.party, use.dataset, use.column) for use in plan.uses if use.use is Use.JOIN}
    for use in plan.uses:
        if (use.party, use.dataset, use.column) in keys and use.use is not Use.JOIN:
            raise RefusedError(
                "singling-out",
                f"column {use.column!r} of {use.party} names persons and may be used to join only",
                "leave it out as filter, group or feature",
            )


def _one_population(plan: Plan, earlier: set[Asked]) -> None:
    given: dict[tuple[str, str, str], set[str]] = {}
    for asked in earlier:
        given.setdefault((asked.party, asked.dataset, asked.column), set()).add(asked.population)
    for asked in asked_by(plan):
        known = given.setdefault((asked.party, asked.dataset, asked.column), set())
        if known - {asked.population}:
            raise RefusedError(
                "differencing",
                f"column {asked.column!r} of {asked.party} was given out over another choice of rows before;"
                " the difference of the two would show those who are in one and not in the other",
                "ask over the same rows as before, or for figures with noise",
            )
        known.add(asked.population)


def asked_by(plan: Plan) -> list[Asked]:
    """What this plan gives out without noise and over a choice of rows, to be remembered under its agreement.

    Models and persons' figures count too where rows are chosen by a filter: their differences tell as much.
    """
    found = []
    for flow in plan.flows:
        if flow.epsilon is None and (flow.population or _counts(flow)):
            population = digest(POPULATION_TAG, dict(flow.population))
            found += [
                Asked(s.party, s.dataset, s.column, population) for s in flow.sources if s.use is not Use.JOIN
            ]
    return found


def asked_before(plans: Iterable[Mapping[str, Json]]) -> list[Asked]:
    """The same, read from plans on record (their JSON): those of all runs that began under an agreement."""
    found = []
    for plan in plans:
        for flow in objects(plan.get("flows")):
            if flow.get("epsilon") is not None or not (flow.get("population") or _counted(flow)):
                continue
            population = digest(POPULATION_TAG, flow.get("population"))
            for source in objects(flow.get("sources")):
                if source.get("use") != Use.JOIN.value:
                    party, dataset, column = (str(source.get(name)) for name in ("party", "dataset", "column"))
                    found.append(Asked(party, dataset, column, population))
    return found


def _counts(flow: Flow) -> bool:
    return within(flow.shape, Shape.AGGREGATE)


def _counted(flow: Mapping[str, Json]) -> bool:
    return flow.get("shape") in (Shape.COUNT.value, Shape.AGGREGATE.value)


def _groups(plan: Plan, terms: Agreement) -> None:
    choosing = any(use.use in (Use.FILTER, Use.GROUP, Use.AGGREGATE) for use in plan.uses)
    smallest = plan.parameters.get("smallest_group")
    if choosing and not (isinstance(smallest, int) and smallest >= max(2, terms.limits.smallest_group)):
        raise RefusedError(
            "smallest-group",
            f"a plan that chooses or groups rows keeps groups of at least {max(2, terms.limits.smallest_group)}",
            "raise the request's smallest group, or the agreement's",
        )


def charges(plan: Plan, terms: Agreement, me: str) -> list[Charge]:
    """What the noised outputs of a plan cost party `me`: on the agreement and on each data set of its own.

    Raises RefusedError where there is noise, and the agreement sets no privacy budget.
    """
    noised = [flow for flow in plan.flows if flow.epsilon is not None]
    if not noised:
        return []
    budget = terms.limits.privacy
    if budget is None:
        raise RefusedError(
            "privacy-budget", "the agreement sets no privacy budget", "agree on limits: {privacy: {epsilon: …}}"
        )
    costs: dict[str, tuple[float, float]] = {}
    for flow in noised:
        own = {dataset_account(source.dataset) for source in flow.sources if source.party == me}
        for account in (agreement_account(plan.agreement), *sorted(own)):
            epsilon, delta = costs.get(account, (0.0, 0.0))
            costs[account] = (epsilon + (flow.epsilon or 0.0), delta + flow.delta)
    return [Charge(account, epsilon, delta, budget) for account, (epsilon, delta) in costs.items()]


_APPLICATION: Final = "this is a fault of the application; tell its maker"


def _named(use: ColumnUse) -> str:
    return f"column {use.column!r} of {use.party}'s {use.dataset!r} as {use.use.value}"
