"""Column control by data flow: each attack of the table in docs/security.md, and what stops it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from unseen.data.catalogue import Use
from unseen.encoding import canonical, parse_json
from unseen.errors import RefusedError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.flow import CEILING, Asked, asked_before, asked_by, charges, check_flows, within
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape
from unseen.interaction.terms import PrivacyBudget

KEY = ColumnUse("bureau", "file", "id", Use.JOIN)
BALANCE = ColumnUse("bureau", "file", "balance", Use.AGGREGATE)
REGION = ColumnUse("bureau", "file", "region", Use.GROUP)
AGE = ColumnUse("bureau", "file", "age", Use.FILTER)


@pytest.fixture
def agreement(terms: str) -> Agreement:
    return from_yaml(terms)


def a_plan(*sources: ColumnUse, shape: Shape = Shape.AGGREGATE, to: str = "lender", **more: object) -> Plan:
    """A plan with one output made of these sources."""
    return Plan(
        job="1" * 32,
        agreement="a" * 64,
        application="query",
        application_version="1",
        purpose="p",
        parties=("bureau", "lender"),
        dealer="dealer",
        uses=(KEY, *sources),
        steps=(),
        outputs={to: ("answer",)},
        parameters={"smallest_group": 20},
        seed="0" * 64,
        flows=(Flow("answer", shape, sources, **more),),  # type: ignore[arg-type]
    )


def refused(plan: Plan, agreement: Agreement, rule: str, earlier: tuple[Asked, ...] = ()) -> None:
    with pytest.raises(RefusedError) as caught:
        check_flows(plan, agreement, earlier)
    assert caught.value.rule == rule


@pytest.mark.parametrize(("use", "shape"), list(itertools.product(Use, Shape)))
def test_no_use_comes_out_above_its_ceiling_and_each_up_to_it(
    agreement: Agreement, use: Use, shape: Shape
) -> None:
    plan = a_plan(ColumnUse("bureau", "file", "balance", use), shape=shape)
    if within(shape, CEILING[use]):
        check_flows(plan, agreement)
    else:
        refused(plan, agreement, "column-flow")


def test_the_ceilings_are_monotone_no_shape_is_allowed_above_a_refused_one() -> None:
    for ceiling in Shape:
        allowed = [within(shape, ceiling) for shape in Shape]
        assert allowed == sorted(allowed, reverse=True)


@pytest.mark.parametrize("shape", [Shape.MODEL, Shape.PERSON, Shape.VALUE])
def test_mixing_a_column_with_others_does_not_wash_it_clean(agreement: Agreement, shape: Shape) -> None:
    feature = ColumnUse("bureau", "file", "inquiries", Use.FEATURE)
    for sources in itertools.permutations([BALANCE, feature, REGION]):
        refused(a_plan(*sources, shape=shape), agreement, "column-flow")


def test_ones_own_column_may_come_back_to_its_owner_alone(agreement: Agreement) -> None:
    check_flows(a_plan(BALANCE, shape=Shape.VALUE, to="bureau"), agreement)
    both = replace(a_plan(BALANCE, shape=Shape.VALUE), outputs={"bureau": ("answer",), "lender": ("answer",)})
    refused(both, agreement, "column-flow")


def test_singling_out_by_naming_persons_in_a_filter_or_group_is_refused(agreement: Agreement) -> None:
    for use in (Use.FILTER, Use.GROUP, Use.FEATURE, Use.RETRIEVE, Use.AGGREGATE):
        naming = ColumnUse("bureau", "file", "id", use)
        refused(a_plan(naming, shape=Shape.COUNT), agreement, "singling-out")


@pytest.mark.parametrize("smallest", [None, 0, 1, 19, "20"])
def test_a_group_of_one_cannot_be_asked_for(agreement: Agreement, smallest: object) -> None:
    parameters = {} if smallest is None else {"smallest_group": smallest}
    plan = replace(a_plan(BALANCE, REGION), parameters=parameters)  # type: ignore[arg-type]
    refused(plan, agreement, "smallest-group")


def test_a_group_of_one_is_refused_even_where_the_agreement_would_allow_it(agreement: Agreement) -> None:
    careless = agreement.model_copy(update={"limits": agreement.limits.model_copy(update={"smallest_group": 1})})
    plan = replace(a_plan(BALANCE, AGE), parameters={"smallest_group": 1})
    refused(plan, careless, "smallest-group")


def test_differencing_two_overlapping_runs_is_refused(agreement: Agreement) -> None:
    everyone = a_plan(BALANCE, AGE, population={"age": "any"})
    all_but_few = a_plan(BALANCE, AGE, population={"age": "<= 91"})
    check_flows(everyone, agreement)
    check_flows(everyone, agreement, tuple(asked_by(everyone)))
    refused(all_but_few, agreement, "differencing", tuple(asked_by(everyone)))
    unfiltered = a_plan(BALANCE)
    refused(unfiltered, agreement, "differencing", tuple(asked_by(all_but_few)))


def test_differencing_within_one_plan_is_refused(agreement: Agreement) -> None:
    plan = a_plan(BALANCE, AGE, population={"age": "any"})
    second = Flow("other", Shape.AGGREGATE, (BALANCE, AGE), {"age": "<= 91"})
    both = replace(plan, outputs={"lender": ("answer", "other")}, flows=(*plan.flows, second))
    refused(both, agreement, "differencing")


def test_differencing_two_models_trained_on_chosen_rows_is_refused(agreement: Agreement) -> None:
    feature = ColumnUse("bureau", "file", "inquiries", Use.FEATURE)
    one = a_plan(feature, shape=Shape.MODEL, population={"rows": "all but one"})
    two = a_plan(feature, shape=Shape.MODEL, population={"rows": "all"})
    refused(two, agreement, "differencing", tuple(asked_by(one)))


def test_what_was_asked_before_is_read_from_recorded_plans_as_it_was_asked(agreement: Agreement) -> None:
    plan = a_plan(BALANCE, AGE, population={"age": "any"})
    recorded = parse_json(canonical(plan.as_json()))
    assert isinstance(recorded, dict)
    assert asked_before([recorded]) == asked_by(plan)
    assert asked_before([{}, {"flows": None}, {"flows": [1, "x"]}]) == []


def test_repeating_to_average_noise_away_costs_the_budget_each_time(agreement: Agreement) -> None:
    noised = a_plan(BALANCE, AGE, population={"age": "<= 91"}, epsilon=0.4, delta=1e-9)
    with pytest.raises(RefusedError, match="privacy-budget"):
        charges(noised, agreement, "bureau")
    limits = agreement.limits.model_copy(update={"privacy": PrivacyBudget(epsilon=1.0, delta=1e-6)})
    budgeted = agreement.model_copy(update={"limits": limits})
    check_flows(noised, budgeted, tuple(asked_by(a_plan(BALANCE, AGE, population={"age": "any"}))))
    assert {c.account: c.epsilon for c in charges(noised, budgeted, "bureau")} == {
        f"agreement/{'a' * 64}": 0.4,
        "dataset/file/all": 0.4,
    }
    assert [c.account for c in charges(noised, budgeted, "lender")] == [f"agreement/{'a' * 64}"]
    assert charges(a_plan(BALANCE), agreement, "bureau") == []


def test_a_label_leaves_its_owner_in_a_model_only(agreement: Agreement) -> None:
    label = ColumnUse("bureau", "file", "bad", Use.LABEL)
    check_flows(a_plan(label, shape=Shape.MODEL), agreement)
    refused(a_plan(label, shape=Shape.PERSON), agreement, "column-flow")


def test_a_plan_that_hides_what_an_output_is_made_of_is_refused(agreement: Agreement) -> None:
    plan = a_plan(BALANCE)
    refused(replace(plan, flows=()), agreement, "flow")
    refused(replace(plan, outputs={"lender": ("answer", "more")}), agreement, "flow")
    refused(replace(plan, uses=(*plan.uses, AGE)), agreement, "flow")
    refused(replace(plan, uses=(KEY,)), agreement, "flow")
