"""A job as one node sees it: its states, which may follow which, and its record.

    requested ──► granted ──► running ──► computed ──► done
        │            │           │            │
        ▼            ▼           ▼            ▼
     refused       failed      failed       failed

`requested` exists at the asking node only, while it collects the grants. A node that granted starts when it has
seen everyone's grant over the same plan. `computed`: this party's worker has ended well, the countersigned
receipt is not there yet; the asking node decides between done and failed, and the others learn it from there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from unseen.encoding import Json, canonical
from unseen.errors import (
    AbortedError,
    DataError,
    MisuseError,
    PeerError,
    PeerLostError,
    ProtocolError,
    RangeError,
    RefusedError,
    UnavailableError,
    UnseenError,
    VerificationError,
)
from unseen.interaction.application import Request

BODY_LIMIT: Final = 1 << 20
"""Most bytes of an application's own request, as canonical JSON."""

_JOB_NAME: Final = re.compile(r"[0-9a-f]{32}")
_SEED: Final = re.compile(r"[0-9a-f]{64}")


class State(StrEnum):
    """Where a job stands at one node."""

    REQUESTED = "requested"
    GRANTED = "granted"
    RUNNING = "running"
    COMPUTED = "computed"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return not _NEXT[self]

    def may_become(self, other: State) -> bool:
        return other in _NEXT[self]


_NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.REQUESTED: frozenset({State.GRANTED, State.REFUSED, State.FAILED}),
    State.GRANTED: frozenset({State.RUNNING, State.FAILED}),
    State.RUNNING: frozenset({State.COMPUTED, State.FAILED}),
    State.COMPUTED: frozenset({State.DONE, State.FAILED}),
    State.DONE: frozenset(),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
}


_PLAIN: Final[Mapping[str, type[UnseenError]]] = {
    kind.code: kind
    for kind in (AbortedError, DataError, MisuseError, RangeError, UnavailableError, VerificationError)
}


@dataclass(frozen=True)
class Fault:
    """Why a job did not end well: the error's code from the closed list, the party to blame if any, and words.

    `rule` and `mend` come with a refusal. Holds no data.
    """

    code: str
    message: str
    party: str = ""
    rule: str = ""
    mend: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Fault:
        """An error as a record. What was not raised on purpose is a bug: only its type is named."""
        if isinstance(error, RefusedError):
            return cls(error.code, error.reason, "", error.rule, error.mend)
        if isinstance(error, PeerError):
            return cls(error.code, error.reason, error.party)
        if isinstance(error, UnseenError):
            return cls(error.code, str(error))
        return cls("internal", f"a fault in unseen itself ({type(error).__name__}); see the node's logs")

    def ended_by(self, party: str) -> bool:
        """Whether this says no more than that `party` ended the run."""
        return self.code == AbortedError.code and self.message.startswith(f"{party} ended the run")

    @classmethod
    def from_json(cls, value: Json) -> Fault:
        """Raises MisuseError."""
        if not isinstance(value, Mapping):
            raise MisuseError("a fault is an object")
        return cls(**{name: str(value.get(name, ""))[:2000] for name in cls.__dataclass_fields__})

    def as_json(self) -> dict[str, Json]:
        return dict(asdict(self))

    def error(self) -> UnseenError:
        """An error that says the same, of the class that the code stands for."""
        if self.code == RefusedError.code:
            return RefusedError(self.rule, self.message, self.mend)
        if self.party and self.code == ProtocolError.code:
            return ProtocolError(self.party, self.message)
        if self.party and self.code == PeerLostError.code:
            return PeerLostError(self.party, self.message)
        words = f"{self.party}: {self.message}" if self.party else self.message
        return _PLAIN.get(self.code, AbortedError)(words)

    def __str__(self) -> str:
        return str(self.error())


@dataclass(frozen=True)
class JobRecord:
    """A job's row in the store. `request`, `plan` and `receipt` are the JSON that was agreed on."""

    job: str
    application: str
    agreement: str
    requester: str
    state: State
    request: Mapping[str, Json]
    plan_hash: str
    plan: Mapping[str, Json]
    created: str
    updated: str
    expires: float
    grants: Sequence[Json] = ()
    testimonies: Sequence[Json] = ()
    receipt: Json = None
    fault: Fault | None = None
    result: Mapping[str, Json] = field(default_factory=dict)

    @property
    def parties(self) -> tuple[str, ...]:
        """Everyone who takes part, the dealer last."""
        parties: Any = self.plan.get("parties", [])
        dealer = self.plan.get("dealer")
        return (*parties, str(dealer)) if dealer else tuple(parties)


def new_request(application: str, agreement: str, requester: str, body: Mapping[str, Json]) -> Request:
    """A request under a fresh job name (32 hexadecimal digits) with a fresh public seed."""
    return Request(secrets.token_hex(16), application, agreement, requester, secrets.token_hex(32), body)


def request_as_json(request: Request) -> dict[str, Json]:
    return {
        "job": request.job,
        "application": request.application,
        "agreement": request.agreement,
        "requester": request.requester,
        "seed": request.seed,
        "body": dict(request.body),
    }


def request_from_json(value: Json) -> Request:
    """A request that came from a partner or a file. Raises MisuseError for any other form."""
    names = ("job", "application", "agreement", "requester", "seed")
    if not isinstance(value, Mapping) or set(value) != {*names, "body"}:
        raise MisuseError(f"a request has exactly the fields {', '.join(names)} and body")
    texts = {name: value[name] for name in names}
    body = value["body"]
    if not all(isinstance(text, str) and 0 < len(text) <= 128 for text in texts.values()):
        raise MisuseError("a request's fields are short texts")
    if not isinstance(body, Mapping) or len(canonical(dict(body))) > BODY_LIMIT:
        raise MisuseError(f"a request's body is an object of at most {BODY_LIMIT} bytes")
    request = Request(body=dict(body), **{name: str(text) for name, text in texts.items()})
    if not _JOB_NAME.fullmatch(request.job) or not _SEED.fullmatch(request.seed):
        raise MisuseError("a request's job name has 32 and its seed 64 hexadecimal digits")
    return request
