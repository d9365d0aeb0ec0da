"""At the end of a run each party accounts for its channels, and a false account is noticed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.computation.channel import Channel
from unseen.computation.in_process import channels_among
from unseen.encoding import canonical
from unseen.errors import ProtocolError
from unseen.interaction import testimony as module
from unseen.interaction.testimony import Testimony, exchange

NAMES = ("bureau", "lender", "dealer")
Lie = Callable[[dict[str, Any]], dict[str, Any]]


def run(lies: dict[str, Lie]) -> dict[str, list[Testimony] | ProtocolError]:
    """Let three parties talk and testify; those in `lies` alter their testimony."""
    channels = channels_among(NAMES, patience=10.0)

    def party(me: str) -> list[Testimony] | ProtocolError:
        mine: dict[str, Channel] = channels[me]
        for channel in mine.values():
            channel.send("words", np.arange(3000, dtype=np.uint64))
        for channel in mine.values():
            channel.receive("words", np.uint64, 3000)
        own = module.testify(me, "p" * 64, "j" * 32, "0" * 64, 1, mine)
        try:
            return exchange(lies.get(me, lambda honest: honest)(own), mine)
        except ProtocolError as error:
            return error

    with ThreadPoolExecutor(len(NAMES)) as pool:
        return dict(zip(NAMES, pool.map(party, NAMES), strict=True))


def test_honest_accounts_agree_and_are_the_same_everywhere() -> None:
    heard = run({})
    assert heard["bureau"] == heard["lender"] == heard["dealer"]
    assert [of["party"] for of in heard["lender"]] == sorted(NAMES)  # type: ignore[index, union-attr]


def _other_digest(own: dict[str, Any]) -> dict[str, Any]:
    return {**own, "lines": {**own["lines"], "lender": {**own["lines"]["lender"], "sent": "0" * 64}}}


def test_an_account_counts_every_kind_of_message_as_its_receiver_does() -> None:
    own = next(of for of in run({})["lender"] if of["party"] == "bureau")  # type: ignore[index, union-attr]
    line = own["lines"]["lender"]  # type: ignore[index, call-overload]
    assert line["kinds"] == line["heard"] == {"words": {"messages": 1, "bytes": 24_016}}
    assert (line["messages"], line["bytes"]) == (1, 24_016)
    tags = {"step-0": [1, 24], "step-17": [1, 24]}
    assert module.by_kind(tags) == {"step-#": {"messages": 2, "bytes": 48}}


def _other_kinds(own: dict[str, Any]) -> dict[str, Any]:
    kinds = {"seeds": own["lines"]["lender"]["kinds"]["words"]}
    return {**own, "lines": {**own["lines"], "lender": {**own["lines"]["lender"], "kinds": kinds}}}


@pytest.mark.parametrize("lie", [_other_digest, _other_kinds])
def test_a_false_account_ends_the_run_at_all(lie: Lie) -> None:
    heard = run({"bureau": lie})
    for found in heard.values():
        assert isinstance(found, ProtocolError)
        assert found.party == "bureau"


@pytest.mark.parametrize(
    "lie",
    [
        lambda own: {**own, "party": "lender"},
        lambda own: {**own, "plan": "q" * 64},
        lambda own: {**own, "more": 1},
        lambda own: {**own, "lines": {"lender": 3}},
        lambda own: {**own, "lines": None},
        lambda own: {**own, "rounds": -1},
        lambda own: {**own, "rounds": True},
        lambda own: {**own, "result": "row 17"},
        lambda own: {**own, "lines": {**own["lines"], "lender": {**own["lines"]["lender"], "bytes": "many"}}},
        lambda own: {**own, "lines": {**own["lines"], "lender": {**own["lines"]["lender"], "kinds": {}}}},
        lambda own: {**own, "lines": {**own["lines"], "lender": {**own["lines"]["lender"], "heard": {"a": 1}}}},
    ],
)
def test_a_testimony_of_another_form_names_its_sender(lie: Lie) -> None:
    heard = run({"dealer": lie})
    assert isinstance(heard["bureau"], ProtocolError)
    assert heard["bureau"].party == "dealer"


@given(st.binary(max_size=200))
def test_any_bytes_for_a_testimony_are_the_senders_fault(data: bytes) -> None:
    own = {"party": "lender", "plan": "p", "job": "j"}
    with pytest.raises(ProtocolError, match="bureau"):
        module._parse(data, "bureau", own)


def test_a_missing_party_is_noticed() -> None:
    testimonies = {"lender": {"lines": {"bureau": {"sent": "x", "received": "y"}}}}
    with pytest.raises(ProtocolError, match="lender"):
        module.compare(testimonies)
    assert canonical(testimonies["lender"])  # JSON as it goes over the wire
