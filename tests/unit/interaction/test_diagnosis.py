"""A diagnosis names party, link, clock, version, rule or data, and says what to do."""

from __future__ import annotations

import pytest

from unseen.errors import (
    AbortedError,
    DataError,
    MisuseError,
    PeerLostError,
    ProtocolError,
    RefusedError,
    UnavailableError,
    UnseenError,
)
from unseen.interaction.diagnosis import Place, diagnose, explained
from unseen.interaction.job import Fault


@pytest.mark.parametrize(
    ("error", "place", "party", "advice"),
    [
        (
            PeerLostError("bureau", "its node at h:1 cannot be reached"),
            "link",
            "bureau",
            "firewalls",
        ),
        (PeerLostError("bureau", "its node at h:1 does not answer in time"), "link", "bureau", "unseen node"),
        (PeerLostError("bureau", "its worker was killed (SIGKILL)"), "party", "bureau", "killed"),
        (PeerLostError("bureau", "silent for 120 s"), "party", "bureau", "restarted"),
        (ProtocolError("bureau", "its certificate is not the introduced one."), "party", "bureau", "fingerprints"),
        (ProtocolError("bureau", "its certificate is not valid yet; compare"), "clock", "bureau", "NTP"),
        (ProtocolError("bureau", "its certificate has expired; compare"), "clock", "bureau", "NTP"),
        (ProtocolError("bureau", "speaks 'unseen/session/9' (…)"), "version", "bureau", "same version"),
        (ProtocolError("bureau", "runs another plan than the one"), "version", "bureau", "--version"),
        (ProtocolError("bureau", "sent another message than 'x'"), "party", "bureau", "logs"),
        (RefusedError("clock", "the clocks of a and b are 61 minutes apart"), "clock", "lender", "NTP"),
        (RefusedError("column-use", "column x is not agreed", "leave it out"), "rule", "lender", "leave it out"),
        (DataError("column y has one class"), "data", "lender", "dataset check"),
        (MisuseError("no column z"), "here", "lender", "Correct"),
        (UnavailableError("no file"), "here", "lender", "Try again"),
        (AbortedError("its node stopped"), "here", "lender", "log"),
    ],
)
def test_a_fault_is_placed(error: UnseenError, place: str, party: str, advice: str) -> None:
    found = diagnose(Fault.of(error), "lender")
    assert found.place == Place(place)
    assert found.party == party
    assert advice in found.advice
    assert str(error) in found.happened


def test_an_operators_stop_is_the_operators() -> None:
    found = diagnose(Fault("aborted", "stopped by its operator", "bureau"), "lender")
    assert found.party == "bureau"
    assert "operator of bureau" in found.advice


def test_no_fault_no_diagnosis() -> None:
    assert explained(None, "lender") is None
