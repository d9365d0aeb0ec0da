"""How one speaks to a node: HTTP over mutual TLS, as a partner or as the institution's own operator.

`NodeClient.own(home)` speaks to one's own node with the rights of whoever can read the home's keys;
`NodeClient.of(home, card)` speaks to a partner's node as this institution.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, Final

import httpx

from unseen.encoding import Json, parse_json
from unseen.errors import (
    AbortedError,
    MisuseError,
    PeerLostError,
    ProtocolError,
    RefusedError,
    UnavailableError,
    UnseenError,
)
from unseen.interaction.application import Request
from unseen.interaction.envelope import Envelope, from_json
from unseen.interaction.front_door import control_name
from unseen.interaction.home import Home
from unseen.interaction.identity import Card
from unseen.interaction.job import Fault, request_as_json
from unseen.interaction.transport import certificate_error, certificate_refused, client_context

ANSWER_LIMIT: Final = 16 << 20
SECONDS: Final = 30.0
WAIT_SECONDS: Final = 20.0
"""How long one question for news waits at the node; asked again until there is an answer."""


class PeerRefusal(AbortedError):  # noqa: N818  # not a new kind of error: it carries a partner's fault
    """A partner's node could not do what it was asked; `.fault` names the party to blame."""

    def __init__(self, party: str, fault: Fault) -> None:
        named = fault if fault.party else replace(fault, party=party)
        super().__init__(f"{named.party}: {named.message}")
        self.fault = named


class NodeClient:
    """A connection to one node. Thread-safe; close it when done.

    Raises UnavailableError when our own node does not answer and PeerLostError when a partner's does not,
    ProtocolError when one answers that is not the introduced one or speaks nonsense, RefusedError and others
    as the node says.
    """

    def __init__(self, home: Home, party: str, address: str, root: str) -> None:
        self.party = party
        self._own = party == home.name
        self._address = address
        self._http = httpx.Client(
            base_url=f"https://{address}",
            verify=client_context(home.credentials, root),
            timeout=httpx.Timeout(SECONDS, connect=5.0),
            trust_env=False,
        )
        self._name = control_name(party)

    @classmethod
    def own(cls, home: Home) -> NodeClient:
        """Speak to the home's own node as its operator."""
        return cls(home, home.name, home.settings.nearby, home.root)

    @classmethod
    def of(cls, home: Home, card: Card) -> NodeClient:
        """Speak to a partner's node."""
        return cls(home, card.name, card.address, card.root)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> NodeClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- for the operator ------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Name, version, time, and how many jobs run."""
        return self._ask("GET", "/v1/status")

    def submit(self, application: str, agreement: str, body: Mapping[str, Json]) -> str:
        """Ask for a job; returns its name at once. What becomes of it: `job`, `events`, `wait`."""
        answer = self._ask(
            "POST", "/v1/jobs", {"application": application, "agreement": agreement, "body": dict(body)}
        )
        return str(answer["job"])

    def submit_prepared(self, request: Request, asking: Envelope | None = None) -> str:
        """Ask for a job whose name and seed are fixed, in the name of who signed `asking`."""
        document = None if asking is None else asking.as_json()
        answer = self._ask("POST", "/v1/prepared", {"request": request_as_json(request), "asking": document})
        return str(answer["job"])

    def plan(self, application: str, agreement: str, body: Mapping[str, Json]) -> dict[str, Any]:
        """The plan that such a request would have, and its estimate, without running it."""
        return self._ask(
            "POST", "/v1/plans", {"application": application, "agreement": agreement, "body": dict(body)}
        )

    def job(self, job: str) -> dict[str, Any]:
        """State, plan, fault and figures of a job."""
        return self._ask("GET", f"/v1/jobs/{job}")

    def result(self, job: str) -> dict[str, Any]:
        """This institution's result of a job that is done."""
        return self._ask("GET", f"/v1/jobs/{job}/result")

    def stop(self, job: str) -> None:
        """End a job at all parties."""
        self._ask("POST", f"/v1/jobs/{job}/stop", {})

    def events(self, job: str, after: int = 0, wait: float = 0.0) -> list[dict[str, Any]]:
        """Events with a higher number than `after`; waits up to `wait` seconds for one."""
        answer = self._ask("GET", f"/v1/jobs/{job}/events?after={after}&wait={wait}", patience=wait + SECONDS)
        events: list[dict[str, Any]] = answer["events"]
        return events

    def follow(self, job: str, seconds: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield a job's events as they come, until the job has ended. Raises UnavailableError after `seconds`."""
        after, deadline = 0, None if seconds is None else monotonic() + seconds
        while True:
            left = WAIT_SECONDS if deadline is None else min(WAIT_SECONDS, deadline - monotonic())
            if left <= 0:
                raise UnavailableError(f"job {job} has not ended within {seconds} s; it goes on at the node")
            for event in self.events(job, after, left):
                after = int(event["id"])
                yield event
                if event["kind"] == "state" and event["body"]["state"] in ("done", "failed", "refused"):
                    return

    def wait(self, job: str, seconds: float | None = None) -> dict[str, Any]:
        """The job's record once it is done. Raises the error that ended it, RefusedError for a refusal."""
        for _ in self.follow(job, seconds):
            pass
        record = self.job(job)
        if record["state"] != "done":
            raise Fault.from_json(record["fault"]).error()
        return record

    # --- for partners ----------------------------------------------------------------------------------

    def hello(self) -> dict[str, Any]:
        """Name, version and clock of the node."""
        return self._ask("GET", "/v1/hello")

    def offer_agreement(self, envelope: Envelope) -> Envelope:
        """Hand over an agreement with the signatures known here; returns it with those known there."""
        return self._envelope("POST", "/v1/agreements", {"envelope": envelope.as_json()})

    def give_notice(self, agreement: str, notice: Envelope) -> None:
        """Hand over a notice about an agreement: a suspension, a termination and the like."""
        self._ask("POST", "/v1/notices", {"agreement": agreement, "notice": notice.as_json()}, patience=5.0)

    def head(self, since: int) -> dict[str, Any]:
        """The partner's newest tree head, and the proof that it continues its log of `since` entries."""
        return self._ask("GET", f"/v1/head?since={since}", patience=5.0)

    def request_grant(self, request: Mapping[str, Json], plan: str, moment: str) -> Envelope:
        """Ask a partner to grant a plan; its signed grant or refusal."""
        return self._envelope("POST", "/v1/grants", {"request": dict(request), "plan": plan, "time": moment})

    def begin(self, job: str, grants: Mapping[str, Envelope]) -> None:
        """Tell a partner that all have granted, and that the run begins."""
        self._ask("POST", f"/v1/jobs/{job}/begin", {"grants": {n: e.as_json() for n, e in grants.items()}})

    def countersign(self, job: str) -> Envelope:
        """Ask a partner for its signature under the receipt; it answers when its worker has ended."""
        return self._envelope("POST", f"/v1/jobs/{job}/countersign", {}, patience=SECONDS * 3)

    def outcome(self, job: str) -> dict[str, Any]:
        """What the asking node decided about a job: state, receipt, fault."""
        return self._ask("GET", f"/v1/jobs/{job}/outcome")

    def conclude(self, job: str, receipt: Envelope) -> None:
        """Hand a partner the receipt that all signed."""
        self._ask("POST", f"/v1/jobs/{job}/conclude", {"receipt": receipt.as_json()})

    def abandon(self, job: str, fault: Fault) -> None:
        """Tell a partner that the job has failed here."""
        self._ask("POST", f"/v1/jobs/{job}/abandon", {"fault": fault.as_json()}, patience=5.0)

    # --- the wire --------------------------------------------------------------------------------------

    def _envelope(self, method: str, path: str, body: Json, patience: float = SECONDS) -> Envelope:
        try:
            return from_json(self._ask(method, path, body, patience)["envelope"])
        except (KeyError, MisuseError) as error:
            raise ProtocolError(self.party, "its node answered without a signed document") from error

    def _ask(self, method: str, path: str, body: Json = None, patience: float = SECONDS) -> dict[str, Any]:
        try:
            with self._http.stream(
                method,
                path,
                json=body if method == "POST" else None,
                extensions={"sni_hostname": self._name},
                timeout=httpx.Timeout(patience, connect=5.0),
            ) as response:
                data = self._read(response)
        except httpx.TimeoutException as error:
            raise self._missing("does not answer in time") from error
        except httpx.TransportError as error:
            raise self._explained(error) from error
        try:
            answer = parse_json(data, ANSWER_LIMIT)
            if not isinstance(answer, dict):
                raise MisuseError("not an object")
        except MisuseError as error:
            raise ProtocolError(self.party, f"its node answered with {error}") from error
        if response.status_code >= 400:
            raise self._refusal(answer, response.status_code)
        return answer

    def _read(self, response: httpx.Response) -> bytes:
        data = b""
        for part in response.iter_bytes():
            data += part
            if len(data) > ANSWER_LIMIT:
                raise ProtocolError(self.party, f"its node answered with more than {ANSWER_LIMIT} bytes")
        return data

    def _explained(self, error: httpx.TransportError) -> ProtocolError | UnavailableError | PeerLostError:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return certificate_error(self.party, cause)
            if isinstance(cause, ssl.SSLError) and (refused := certificate_refused(self.party, cause)):
                return refused
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, httpx.ConnectError):
            return self._missing("cannot be reached; is it running?")
        if isinstance(error, httpx.RemoteProtocolError) and not self._own:
            # asyncio drops the TLS alert that would say so for certain
            return self._missing(
                "hung up without an answer: it was stopped, or it does not know our present card"
                " (there: unseen introduce)"
            )
        return self._missing("broke the connection off")

    def _missing(self, what: str) -> UnavailableError | PeerLostError:
        if self._own:
            return UnavailableError(f"our own node at {self._address} {what} Start it with: unseen node")
        return PeerLostError(self.party, f"its node at {self._address} {what}")

    def _refusal(self, answer: Mapping[str, Json], status: int) -> UnseenError:
        fault = Fault.from_json(answer) if "code" in answer else Fault("internal", f"status {status}")
        if self._own:
            return fault.error()
        if fault.code == RefusedError.code:
            return RefusedError(fault.rule, f"{self.party}: {fault.message}", fault.mend)
        return PeerRefusal(self.party, fault)
