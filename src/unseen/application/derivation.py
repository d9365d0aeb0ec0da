"""How any application's plan comes out of request and agreement: the same bytes at every party."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from unseen.application.request import Strict
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import ColumnUse, Flow, Plan, Step

SMALLEST_GROUP = "smallest_group"


def require_parties(named: Iterable[str], agreement: Agreement) -> None:
    """Raises MisuseError for a request that names other parties than those that compute under the agreement."""
    if set(named) != set(agreement.computing):
        raise MisuseError(f"the request must name just the parties {', '.join(agreement.computing)}")


def derived(
    request: Request,
    agreement: Agreement,
    asked: Strict,
    *,
    dealer: str | None,
    uses: Iterable[ColumnUse],
    steps: Iterable[Step],
    outputs: Mapping[str, tuple[str, ...]],
    parameters: Mapping[str, Json],
    flows: Iterable[Flow] = (),
) -> Plan:
    """The plan of a request, read as `asked`; to `parameters` come itself and the agreement's limits."""
    limits = agreement.limits
    return Plan(
        job=request.job,
        agreement=agreement.id,
        application=request.application,
        application_version="1",
        purpose=agreement.purpose,
        parties=agreement.computing,
        dealer=dealer,
        uses=tuple(uses),
        steps=tuple(steps),
        outputs=outputs,
        parameters={
            "request": asked.model_dump(mode="json"),
            "smallest_overlap": limits.smallest_overlap,
            SMALLEST_GROUP: limits.smallest_group,
            **parameters,
        },
        seed=request.seed,
        flows=tuple(flows),
    )


def request_in(plan: Plan) -> Mapping[str, Any]:
    """The request of which a plan came."""
    return cast("Mapping[str, Any]", plan.parameters["request"])


def limit(plan: Plan, name: str) -> int:
    """A number among the plan's parameters."""
    return int(cast("int", plan.parameters[name]))


def smallest_group(plan: Plan) -> int:
    """The least number of persons that a count may speak of, as agreed."""
    return limit(plan, SMALLEST_GROUP)
