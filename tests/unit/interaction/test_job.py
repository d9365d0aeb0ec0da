"""Requests that partners send are read strictly; faults travel as codes and come back as errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.encoding import canonical, parse_json
from unseen.errors import (
    AbortedError,
    DataError,
    PeerLostError,
    ProtocolError,
    RefusedError,
    UnavailableError,
    UnseenError,
)
from unseen.errors import MisuseError as Misuse
from unseen.interaction.job import Fault, State, new_request, request_as_json, request_from_json

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def test_a_request_survives_the_way_to_a_partner() -> None:
    request = new_request("credit", "a" * 64, "lender", {"columns": ["x"], "rounds": 3})
    assert request_from_json(parse_json(canonical(request_as_json(request)))) == request


def test_requests_never_share_job_or_seed() -> None:
    names = {new_request("credit", "a", "lender", {}).job for _ in range(100)}
    assert len(names) == 100


@given(json_values)
def test_any_json_is_a_request_or_a_misuse(value: Any) -> None:
    with pytest.raises(Misuse):
        request_from_json(value)


@pytest.mark.parametrize(
    "changes",
    [
        {"job": "../../etc"},
        {"job": "A" * 32},
        {"seed": "0" * 63},
        {"body": []},
        {"agreement": ""},
        {"requester": "x" * 200},
        {"application": 7},
        {"more": 1},
    ],
)
def test_a_request_with_another_field_is_refused(changes: dict[str, Any]) -> None:
    value = {**request_as_json(new_request("credit", "a" * 64, "lender", {})), **changes}
    with pytest.raises(Misuse):
        request_from_json(value)


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("clock", "apart", "set them"),
        PeerLostError("bureau", "gone"),
        ProtocolError("bureau", "spoke nonsense"),
        AbortedError("stopped"),
        DataError("one class only"),
        UnavailableError("later"),
        Misuse("wrong"),
    ],
)
def test_an_error_comes_back_as_it_went(error: UnseenError) -> None:
    fault = Fault.from_json(parse_json(canonical(Fault.of(error).as_json())))
    again = fault.error()
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert getattr(again, "party", "") == getattr(error, "party", "")


def test_a_bug_travels_without_its_words() -> None:
    fault = Fault.of(KeyError("member 4711"))
    assert "4711" not in str(fault)
    assert "KeyError" in str(fault)


@given(json_values)
def test_any_json_is_a_fault_or_a_misuse(value: Any) -> None:
    try:
        fault = Fault.from_json(value)
    except Misuse:
        return
    assert isinstance(fault.error(), UnseenError)


def test_final_states_lead_nowhere() -> None:
    for state in State:
        assert state.final == (not any(state.may_become(other) for other in State))
    assert {state for state in State if state.final} == {State.DONE, State.REFUSED, State.FAILED}


def test_a_fault_that_says_only_who_ended_the_run_is_told_from_a_reason() -> None:
    echo = Fault("aborted", "lender ended the run (misuse)", "dealer")
    assert echo.code == AbortedError.code
    assert echo.ended_by("lender")
    assert not echo.ended_by("bureau")
    assert not Fault("misuse", "lender ended the run (misuse)").ended_by("lender")
