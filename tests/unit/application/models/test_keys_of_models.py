"""The keys by which the parties of a model meet: rules, composites, preferences, and rows without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint

from unseen.application import boosting, network, regression
from unseen.errors import DataError, MisuseError

ROWS = 120
USES = {
    name: ["join"] for name in ("phone", "tax", "born", "mobile", "number", "birthday", "tel", "code", "since")
}
BY_PHONE = {
    "lender": {"key": "phone", "rule": "unseen-phone/1:DE"},
    "bureau": {"key": "mobile", "rule": "unseen-phone/1"},
}
IN_TURN = {
    "lender": {"keys": [["tax=unseen-document/1"], ["phone=unseen-phone/1:DE", "born=unseen-date/1:DMY"]]},
    "bureau": {"keys": [["number=unseen-document/1"], ["mobile=unseen-phone/1", "birthday=unseen-date/1"]]},
}
INSURER = {"keys": [["code=unseen-document/1"], ["tel=unseen-phone/1", "since=unseen-date/1"]]}
APPLICATIONS: dict[Any, dict[str, Any]] = {
    regression.APPLICATION: {"family": "logistic"},
    boosting.APPLICATION: {"trees": 1, "depth": 2, "bins": 4},
    network.APPLICATION: {"layers": [2], "epochs": 1, "batch": 40},
}


def house(folder: Path, application: Any = regression.APPLICATION) -> Joint:
    """The same people, whose telephone numbers, tax numbers and days of birth are written in two ways."""
    draw = np.random.default_rng(6)
    digits = [f"{draw.integers(10_000_000, 99_999_999)}" for _ in range(ROWS)]
    days = pd.to_datetime("1970-01-01") + pd.to_timedelta(draw.integers(0, 9000, ROWS), unit="D")
    income, inquiries = draw.normal(size=ROWS), draw.normal(size=ROWS)
    lender = pd.DataFrame(
        {
            "phone": [f"0151 {d}" for d in digits],
            "tax": [f"t-{i:04d}" if i % 3 else None for i in range(ROWS)],
            "born": days.strftime("%d.%m.%Y"),
            "income": income,
            "label": (draw.random(ROWS) < 1 / (1 + np.exp(-income - inquiries))).astype(int),
        }
    )
    bureau = pd.DataFrame(
        {
            "mobile": [f"+49151{d}" for d in digits],
            "number": [f"T{i:04d}" for i in range(ROWS)],
            "birthday": days.strftime("%Y-%m-%d"),
            "inquiries": inquiries,
        }
    ).sample(frac=1, random_state=2)
    return Joint(application, {"lender": lender, "bureau": bureau}, folder, USES)


def asked(keys: dict[str, Any]) -> dict[str, Any]:
    features = {"lender": ["income"], "bureau": ["inquiries"], "insurer": ["claims"]}
    parties = {name: {"dataset": "table", "features": features[name], **side} for name, side in keys.items()}
    return {"label": {"positive": [1]}, "parties": parties}


def test_telephone_numbers_written_in_two_ways_meet_by_their_rule(tmp_path: Path) -> None:
    joint = house(tmp_path)
    result = joint.run(family="logistic", **asked(BY_PHONE))
    assert result["lender"]["rows"] == result["bureau"]["rows"] == ROWS
    assert (
        joint.plan({"family": "logistic", **asked(BY_PHONE)}).parameters["key_normalisation"] == "unseen-phone/1"
    )


@pytest.mark.parametrize("application", [regression.APPLICATION, boosting.APPLICATION])
def test_keys_in_order_of_preference_give_the_model_of_the_same_people(application: Any, tmp_path: Path) -> None:
    joint, more = house(tmp_path, application), APPLICATIONS[application]
    both = [joint.run(**more, **asked(keys)) for keys in (BY_PHONE, IN_TURN)]
    if application is regression.APPLICATION:
        values = [[line["value"] for line in result["lender"]["coefficients"]] for result in both]
        np.testing.assert_allclose(*values, atol=1e-3)
    assert both[0]["lender"]["rows"] == both[1]["lender"]["rows"]
    told = " ".join(joint.plan({**more, **asked(IN_TURN)}).disclosures()["bureau"])
    assert (
        "bureau number = lender tax, else bureau mobile = lender phone and bureau birthday = lender born" in told
    )


def street(folder: Path, application: Any) -> Joint:
    """An insurer too, that writes its keys as the bureau does; each knows some people that not all know."""
    two = house(folder, application)
    bureau = two.tables["bureau"]
    names = {"mobile": "tel", "number": "code", "birthday": "since", "inquiries": "claims"}
    insurer = bureau.rename(columns=names).assign(claims=np.random.default_rng(9).normal(size=ROWS))
    insurer.loc[insurer["code"] < "T0050", "code"] = None
    tables = {"lender": two.tables["lender"], "bureau": bureau.iloc[10:], "insurer": insurer.iloc[:-10]}
    return Joint(application, tables, folder, USES)


@pytest.mark.parametrize("application", list(APPLICATIONS), ids=lambda application: application.name)
def test_three_parties_meet_by_composite_keys_and_by_keys_in_turn(application: Any, tmp_path: Path) -> None:
    joint, more = street(tmp_path, application), APPLICATIONS[application]
    in_turn = {**IN_TURN, "insurer": INSURER}
    composite = {name: {"keys": side["keys"][1:]} for name, side in in_turn.items()}
    both = [joint.run(**more, **asked(keys)) for keys in (composite, in_turn)]
    rows = [{str(result["rows"]) for result in results.values()} for results in both]
    assert rows[0] == rows[1]
    assert str(ROWS - 20) in rows[0].pop()
    if application is regression.APPLICATION:
        values = [[line["value"] for line in results["lender"]["coefficients"]] for results in both]
        np.testing.assert_allclose(*values, atol=1e-3)
    told = [" ".join(joint.plan({**more, **asked(keys)}).disclosures()["bureau"]) for keys in (composite, in_turn)]
    assert "for each key in turn" not in told[0]
    assert "bureau number = insurer code = lender tax, else bureau mobile = insurer tel = lender phone" in told[1]
    assert all("how many are common to all" in sentences for sentences in told)


def test_rows_without_a_key_end_the_run_or_are_left_out_to_the_tolerated_share(tmp_path: Path) -> None:
    joint = house(tmp_path)
    only = {"lender": {"key": "tax"}, "bureau": {"key": "number"}}
    only = {name: {**side, "rule": "unseen-document/1"} for name, side in only.items()}
    with pytest.raises(DataError, match=r"33\.33% of the keys are empty.*0\.00% are tolerated.*most_unfit"):
        joint.run(family="logistic", **asked(only))
    assert joint.run(family="logistic", most_unfit=0.4, **asked(only))["bureau"]["rows"] == ROWS * 2 // 3


def test_a_repeated_key_ends_the_run_and_its_first_row_stays_where_that_is_tolerated(tmp_path: Path) -> None:
    joint = house(tmp_path)
    bureau = joint.tables["bureau"]
    joint.tables = {**joint.tables, "bureau": pd.concat([bureau, bureau.head(2).assign(inquiries=9.0)])}
    with pytest.raises(DataError, match="of the keys are repeated"):
        joint.run(family="logistic", **asked(BY_PHONE))
    assert joint.run(family="logistic", most_unfit=0.05, **asked(BY_PHONE))["lender"]["rows"] == ROWS


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({**BY_PHONE, "bureau": {"key": "mobile"}}, "written by different rules"),
        ({**BY_PHONE, "bureau": IN_TURN["bureau"]}, "differ in their number"),
        (
            {**BY_PHONE, "bureau": {"key": "mobile", "keys": [["number=unseen-key/1"]]}},
            "either a key column, or keys",
        ),
        ({**BY_PHONE, "bureau": {"key": "mobile", "rule": "unseen-name/1"}}, "no key rule"),
    ],
)
def test_keys_that_cannot_meet_are_refused_before_anything_runs(
    keys: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(MisuseError, match=words):
        house(tmp_path).plan({"family": "logistic", **asked(keys)})
