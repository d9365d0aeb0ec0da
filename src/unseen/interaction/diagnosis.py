"""After a fault: which party, which link, whose clock or which version, in words, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from unseen.encoding import Json
from unseen.errors import AbortedError, DataError, MisuseError, PeerLostError, RefusedError, UnavailableError
from unseen.interaction.job import Fault


class Place(StrEnum):
    """Where the fault lies."""

    PARTY = "party"
    LINK = "link"
    CLOCK = "clock"
    VERSION = "version"
    RULE = "rule"
    DATA = "data"
    HERE = "here"


@dataclass(frozen=True)
class Diagnosis:
    """Where a fault lies, whose it is, what happened, and what a person can do."""

    place: Place
    party: str
    happened: str
    advice: str

    def as_json(self) -> dict[str, Json]:
        return {
            "place": self.place.value,
            "party": self.party,
            "happened": self.happened,
            "advice": self.advice,
        }


_SIGNS: Final[tuple[tuple[Place, tuple[str, ...], str], ...]] = (
    (
        Place.CLOCK,
        ("clock", "not valid yet", "expired"),
        "Set the clocks of both machines by NTP, then run again.",
    ),
    (
        Place.VERSION,
        ("speaks 'unseen/session", "another plan", "same versions"),
        "Compare `unseen --version` at both institutions and install the same version of unseen and applications.",
    ),
    (
        Place.LINK,
        (
            "cannot be reached",
            "no session with it",
            "no answer",
            "does not answer",
            "greeting",
            "broke the connection",
        ),
        "Check that {party}'s node runs (`unseen node`), that its address is right (`unseen partners`), and that"
        " the firewalls on both sides let its port through.",
    ),
    (
        Place.PARTY,
        ("certificate", "fingerprint"),
        "Call {party}, compare fingerprints, and introduce its present card with `unseen introduce`.",
    ),
)
"""What a message says, the first that fits. The messages are ours: a partner's words never decide."""


def diagnose(fault: Fault, me: str) -> Diagnosis:
    """Put a fault into words for the people at institution `me`."""
    party = fault.party or me
    words = str(fault)
    if fault.code == RefusedError.code and fault.rule != "clock":
        return Diagnosis(Place.RULE, party, words, fault.mend or "Change the request or the agreement.")
    for place, signs, advice in _SIGNS:
        if any(sign in words for sign in signs):
            return Diagnosis(place, party, words, advice.format(party=party))
    if fault.code in (DataError.code, "range"):
        return Diagnosis(
            Place.DATA, party, words, "Mend the data set, check it with `unseen dataset check`, and run again."
        )
    if fault.code == AbortedError.code and "stopped by its operator" in words:
        return Diagnosis(
            Place.PARTY, party, words, f"An operator of {party} ended the run; ask there for the reason."
        )
    if party == me:
        advice = {
            MisuseError.code: "Correct what the message names and run again.",
            UnavailableError.code: "Try again when what is missing is back.",
        }.get(fault.code, "See HOME/jobs/<job>/worker.log and the node's own log.")
        return Diagnosis(Place.HERE, party, words, advice)
    if fault.code == PeerLostError.code:
        advice = f"Ask {party} whether its worker was killed or its machine restarted; nothing here needs mending."
    else:
        advice = f"Ask {party} to look into its own logs for this job."
    return Diagnosis(Place.PARTY, party, words, advice)


def explained(fault: Mapping[str, Json] | None, me: str) -> dict[str, Json] | None:
    """The diagnosis of a fault as JSON; None where there is no fault."""
    return diagnose(Fault.from_json(fault), me).as_json() if fault else None
