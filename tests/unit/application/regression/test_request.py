"""What a regression may be asked for, the plan it has, and the parts of its models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.application.regression import APPLICATION
from unseen.application.regression.fitting import holds
from unseen.application.regression.model import KIND, read_part, write_part
from unseen.application.regression.request import Family, read_request
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit
from unseen.computation.share.array import from_owner, reveal
from unseen.data.catalogue import Use
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request
from unseen.interaction.flow import check_flows
from unseen.interaction.plan import Plan, Shape

AGREEMENT = """
agreement: Regressions
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {ledger: {person: [join], income: [feature], months: [feature], claims: [label]}}
  bureau: {index: {person: [join], inquiries: [feature], weight: [feature]}}
computations: [regression]
recipients: {coefficients: [lender, bureau], own-model: [lender, bureau], predictions: [lender]}
limits: {smallest_overlap: 50, smallest_group: 5}
"""


def body(**more: Any) -> dict[str, Any]:
    return {
        "family": "poisson",
        "label": {"party": "lender", "column": "claims"},
        "parties": {
            "lender": {"dataset": "ledger", "key": "person", "features": ["income"]},
            "bureau": {"dataset": "index", "key": "person", "features": ["inquiries"]},
        },
        **more,
    }


def side(**more: Any) -> dict[str, Any]:
    return {"lender": {"dataset": "ledger", "key": "person", "features": ["income"], **more}}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"family": "logistic"}, "in `positive` which labels mean 1"),
        ({"label": {"party": "lender", "column": "claims", "positive": [1]}}, "and no other"),
        ({"family": "linear", "exposure": {"party": "lender", "column": "months"}}, "takes no offset"),
        (
            {"offset": {"party": "lender", "column": "a"}, "exposure": {"party": "lender", "column": "b"}},
            "give one of them",
        ),
        ({"weights": {"party": "lender", "column": "income"}}, "cannot be a feature too"),
        ({"weights": {"party": "insurer", "column": "w"}}, "insurer, whose 'w' is named, is no party"),
        ({"recipients": ["insurer"]}, "insurer cannot receive the table"),
        ({"label": {"party": "insurer", "column": "claims"}}, "label's party must be among"),
        ({"parties": side(features=[])}, "no party brings a feature"),
        ({"parties": side(features=["income", "income"])}, "names a feature twice"),
        ({"parties": side(signs={"age": 1})}, "gives a sign to age"),
        ({"parties": side(signs={"income": 2})}, "signs"),
        ({"selection": {"enter": 0.2, "leave": 0.1}}, "`enter` is at most `leave`"),
        ({"model": "0" * 32}, "ask for `predictions`"),
        ({"parity": True, "penalty": 1.0}, "without penalty and prescribed signs"),
        ({"parity": True, "recipients": ["bureau"]}, "among the recipients of the coefficients"),
        ({"parity": True, "model": "0" * 32, "predictions": True}, "nothing is fitted"),
        ({"penalty": -1}, "penalty"),
        ({"ridge": 1}, "ridge"),
    ],
)
def test_a_request_that_cannot_be_used_is_refused_with_the_reason(more: dict[str, Any], words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        read_request(body(**more))


def planned(**more: Any) -> tuple[Plan, Agreement]:
    terms = from_yaml(AGREEMENT)
    request = Request("1" * 32, "regression", terms.id, "lender", "seed", body(**more))
    return APPLICATION.plan(request, terms), terms


def test_the_plan_says_what_flows_where_and_what_each_learns() -> None:
    plan, terms = planned(
        exposure={"party": "lender", "column": "months"},
        weights={"party": "bureau", "column": "weight"},
        selection={},
        collinearity=True,
        predictions=True,
        recipients=["bureau"],
    )
    check_flows(plan, terms)
    assert plan.outputs == {"bureau": ("coefficients", "own-model"), "lender": ("predictions", "own-model")}
    assert {flow.output: flow.shape for flow in plan.flows}["predictions"] is Shape.PERSON
    told = plan.disclosures()
    assert "all coefficients of the model with standard errors" in told["bureau"]
    assert not any("coefficients of the model" in sentence for sentence in told["lender"])
    assert "the linear predictor of every common row" in told["lender"]
    for words in ("the sum of the rows' weights", "the number of training rows and the label's mean"):
        assert words in told["lender"]
        assert words in told["bureau"]
    assert any("which column enters or leaves" in sentence for sentence in told["bureau"])
    assert plan.messages() is not None


def test_a_parity_run_opens_the_partners_columns_and_says_so() -> None:
    plan, terms = planned(parity=True, weights={"party": "bureau", "column": "weight"})
    opened = {(use.party, use.column) for use in plan.uses if use.use is Use.RETRIEVE}
    assert opened == {("bureau", "inquiries"), ("bureau", "weight")}
    assert plan.outputs["lender"] == ("coefficients", "own-model", "opened-columns")
    assert {flow.output: flow.shape for flow in plan.flows}["opened-columns"] is Shape.VALUE
    check_flows(plan, terms)
    assert any("every value of the others' columns" in sentence for sentence in plan.disclosures()["lender"])
    assert not any("every value" in sentence for sentence in plan.disclosures()["bureau"])


def test_a_plan_without_extras_discloses_nothing_of_them() -> None:
    told = planned()[0].disclosures()
    every = [sentence for sentences in told.values() for sentence in sentences]
    assert not any(
        word in sentence for word in ("weights", "enters", "forbidden", "correlation") for sentence in every
    )
    assert planned()[0].outputs["bureau"] == ("own-model",)


def test_a_model_that_predicts_needs_no_label() -> None:
    plan, _ = planned(model="2" * 32, predictions=True)
    assert not any(use.column == "claims" for use in plan.uses)
    assert plan.outputs == {"lender": ("predictions",), "bureau": ()}


def kept(circle: Circle, folder: Path) -> Path:
    """A model's part of this party, in a folder of its own."""
    held = np.array([1.5, -2.25, 0.0])
    shares = from_owner(circle, 0, held if circle.rank == 0 else None, (3,))
    model = Fit(
        shares[0], shares[1:], None, (), ((0, "income"), (1, "inquiries")), np.array([0.0, 1.0]), kept=(0, 1)
    )
    own = folder / circle.me
    own.mkdir()
    write_part(own, circle.me, planned()[0], Family.POISSON, model)
    return own / KIND.file


def test_parts_make_the_model_again_at_their_own_party_alone(tmp_path: Path) -> None:
    def program(circle: Circle) -> list[float]:
        data = kept(circle, tmp_path).read_bytes()
        part = read_part(data, "job", circle.me, circle)
        with pytest.raises(MisuseError, match=f"is {circle.me}'s part"):
            read_part(data, "job", "insurer", circle)
        broken = json.loads(data) | {"kept": [0, 1, 2]}
        with pytest.raises(MisuseError, match="digest does not fit"):
            read_part(json.dumps(broken).encode(), "job", circle.me, circle)
        holds([Block(0, ("income",), 9), Block(1, ("inquiries",), 9)], part.model)
        with pytest.raises(MisuseError, match="made of other columns"):
            holds([Block(0, ("income",), 9)], part.model)
        return [float(reveal(part.model.intercept, "i")), *reveal(part.model.weights, "w")]

    parties = sorted(planned()[0].parties)
    assert run_parties(program, parties) == [[1.5, -2.25, 0.0]] * 2
