"""The node's HTTP interface: what operators and partners may ask of it.

Who asks follows from the certificate of the connection, which the node puts into the request's scope. Our own
certificate is the operator's; an introduced partner's is that partner. Bodies are bounded; every error goes
out as one of the codes of the closed list.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue

import unseen
from unseen.encoding import parse_json
from unseen.errors import MisuseError, RefusedError, UnavailableError, UnseenError, VerificationError
from unseen.interaction.asking import Asking
from unseen.interaction.conductor import Conductor
from unseen.interaction.envelope import from_json
from unseen.interaction.job import Fault, State, request_from_json
from unseen.interaction.store import now
from unseen.interaction.task import RESULT_FILE
from unseen.interaction.view import brief, full_view

BODY_LIMIT: Final = 8 << 20
WAIT_LIMIT: Final = 30.0
PEER: Final = "unseen.peer"
"""Under this key of the ASGI scope stands the caller's name, as its certificate proves it."""

_STATUS: Final[Mapping[type[UnseenError], int]] = {
    MisuseError: 400,
    RefusedError: 403,
    VerificationError: 403,
    UnavailableError: 503,
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JobAsked(_Body):
    """What an operator asks for. `agreement` may be the beginning of an identifier."""

    application: str = Field(max_length=128)
    agreement: str = Field(max_length=64)
    body: dict[str, JsonValue]


class PreparedAsked(_Body):
    """A request whose job and seed are fixed, and who asks for it, signed by that person; null if not named."""

    request: JsonValue
    asking: JsonValue = None


class AgreementOffered(_Body):
    """An agreement's envelope with the signatures that the sender knows."""

    envelope: JsonValue


class NoticeGiven(_Body):
    """A signed notice about an agreement."""

    agreement: str = Field(max_length=64)
    notice: JsonValue


class GrantAsked(_Body):
    """A request, the hash of the plan that the sender derived from it, and the time at the sender."""

    request: JsonValue
    plan: str = Field(max_length=64)
    time: str = Field(max_length=40)


class Beginning(_Body):
    """The grants of all parties, by party."""

    grants: dict[str, JsonValue] = Field(max_length=64)


class Conclusion(_Body):
    """The receipt that all parties signed."""

    receipt: JsonValue


class Abandonment(_Body):
    """Why the sender gave the job up."""

    fault: JsonValue


def caller(request: Request) -> str:
    """The name that the caller's certificate proves."""
    name: str = request.scope[PEER]
    return name


Caller = Annotated[str, Depends(caller)]


def build(conductor: Conductor, asking: Asking) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application of one node."""
    me = conductor.home.name
    api = FastAPI(title=f"unseen node of {me}", version=unseen.__version__)
    api.add_exception_handler(UnseenError, _known)
    api.add_exception_handler(RequestValidationError, _malformed)
    api.add_exception_handler(Exception, _unknown)
    _for_operators(api, conductor, asking)
    _for_partners(api, conductor, asking)
    return _bounded(api)


def _for_operators(api: FastAPI, conductor: Conductor, asking: Asking) -> None:
    home, store = conductor.home, conductor.store

    def operator(name: Caller) -> None:
        if name != home.name:
            raise RefusedError("operator", "only the institution's own operator may ask this")

    only = [Depends(operator)]

    @api.get("/v1/status", dependencies=only)
    def status() -> Any:
        running = store.jobs(State.REQUESTED, State.GRANTED, State.RUNNING, State.COMPUTED)
        return {"name": home.name, "version": unseen.__version__, "time": now(), "running": len(running)}

    @api.post("/v1/plans", dependencies=only)
    def plan(asked: JobAsked) -> Any:
        _, derived = asking.prepare(asked.application, asked.agreement, asked.body)
        return {"plan": derived.as_json(), "hash": derived.hash, "estimate": asking.estimate(derived)}

    @api.post("/v1/jobs", dependencies=only)
    def submit(asked: JobAsked) -> Any:
        return {"job": asking.submit(asked.application, asked.agreement, asked.body)}

    @api.post("/v1/prepared", dependencies=only)
    def submit_prepared(asked: PreparedAsked) -> Any:
        document = None if asked.asking is None else from_json(asked.asking)
        return {"job": asking.submit_prepared(request_from_json(asked.request), document)}

    @api.get("/v1/jobs", dependencies=only)
    def jobs() -> Any:
        return {"jobs": [brief(record) for record in store.jobs()]}

    @api.get("/v1/jobs/{job}", dependencies=only)
    def job(job: str) -> Any:
        return full_view(store.job(job), home.name)

    @api.get("/v1/jobs/{job}/result", dependencies=only)
    def result(job: str) -> Any:
        record = store.job(job)
        if record.state is not State.DONE:
            raise MisuseError(f"job {record.job} has no result to give: it is {record.state}")
        return {"result": _result(conductor, record.job)}

    @api.get("/v1/jobs/{job}/events", dependencies=only)
    def events(job: str, after: int = 0, wait: float = 0.0) -> Any:
        record = store.job(job)
        deadline = time.monotonic() + min(wait, WAIT_LIMIT)
        while not (found := store.events(record.job, after)) and (left := deadline - time.monotonic()) > 0:
            conductor.wait_for_news(left)
        return {"events": [event.as_json() for event in found]}

    @api.post("/v1/jobs/{job}/stop", dependencies=only)
    def stop(job: str) -> Any:
        conductor.stop(job)
        return {}


def _result(conductor: Conductor, job: str) -> Any:
    """A job's result here. Raises MisuseError, with the reason on record, where it was erased."""
    results = conductor.home.results(job)
    if RESULT_FILE not in results.names():
        erased = conductor.home.ledger.find(f"{job}/erased")
        why = str(erased.body["why"]) if erased is not None else "its file was removed"
        raise MisuseError(f"the result of job {job} is gone: {why}")
    return parse_json(results.read(RESULT_FILE), 1 << 30)


def _for_partners(api: FastAPI, conductor: Conductor, asking: Asking) -> None:
    home = conductor.home

    @api.get("/v1/hello")
    def hello(_: Caller) -> Any:
        return {"name": home.name, "version": unseen.__version__, "time": now()}

    @api.post("/v1/agreements")
    def offered(offer: AgreementOffered, name: Caller) -> Any:
        return {"envelope": conductor.agreements.receive(from_json(offer.envelope), name).envelope.as_json()}

    @api.get("/v1/head")
    def head(_: Caller, since: int = 0) -> Any:
        return conductor.heads.own(since)

    @api.post("/v1/notices")
    def noticed(given: NoticeGiven, name: Caller) -> Any:
        conductor.notices.receive(given.agreement, from_json(given.notice), name, conductor.halt)
        return {}

    @api.post("/v1/grants")
    def granted(asked: GrantAsked, name: Caller) -> Any:
        request = request_from_json(asked.request)
        return {"envelope": conductor.consider(request, asked.plan, name, asked.time).as_json()}

    @api.post("/v1/jobs/{job}/begin")
    def begin(job: str, beginning: Beginning, name: Caller) -> Any:
        grants = {party: from_json(document) for party, document in beginning.grants.items()}
        conductor.begin(job, grants, name)
        return {}

    @api.post("/v1/jobs/{job}/countersign")
    def countersign(job: str, name: Caller) -> Any:
        return {"envelope": conductor.countersign(job, name).as_json()}

    @api.get("/v1/jobs/{job}/outcome")
    def outcome(job: str, name: Caller) -> Any:
        return asking.outcome(job, name)

    @api.post("/v1/jobs/{job}/conclude")
    def conclude(job: str, conclusion: Conclusion, name: Caller) -> Any:
        conductor.conclude(job, from_json(conclusion.receipt), name)
        return {}

    @api.post("/v1/jobs/{job}/abandon")
    def abandon(job: str, abandonment: Abandonment, name: Caller) -> Any:
        conductor.abandon(job, Fault.from_json(abandonment.fault), name)
        return {}


# --- errors and bounds ---------------------------------------------------------------------------------


def _known(_: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 409)
    return JSONResponse(Fault.of(error).as_json(), status)


def _malformed(_: Request, error: Exception) -> JSONResponse:
    fields = error.errors() if isinstance(error, RequestValidationError) else []
    where = ", ".join(".".join(str(part) for part in field["loc"]) for field in fields)
    return JSONResponse(
        Fault(MisuseError.code, f"the request does not have the expected form: {where}").as_json(), 422
    )


def _unknown(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(Fault.of(error).as_json(), 500)


def _bounded(api: FastAPI) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Turn bodies over the limit away before they are read into memory."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await api(scope, receive, send)
            return
        seen = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > BODY_LIMIT:
                raise MisuseError(f"a request's body may hold at most {BODY_LIMIT} bytes")
            return message

        await api(scope, counted, send)

    return application
