"""What people may see of a job: a brief line, or all that the store holds, with a diagnosis after a fault."""

from __future__ import annotations

from typing import Any

from unseen.interaction.diagnosis import explained
from unseen.interaction.envelope import from_json
from unseen.interaction.job import JobRecord
from unseen.interaction.receipt import read_statement
from unseen.interaction.sent import deviations


def brief(record: JobRecord) -> dict[str, Any]:
    """A job in a list."""
    return {
        "job": record.job,
        "application": record.application,
        "agreement": record.agreement,
        "requester": record.requester,
        "state": record.state.value,
        "created": record.created,
        "updated": record.updated,
    }


def incidents(record: JobRecord) -> list[str]:
    """What was sent in this job beyond what its plan declares, in words."""
    if record.receipt is None:
        return []
    return deviations(read_statement(from_json(record.receipt).read()))


def full_view(record: JobRecord, me: str) -> dict[str, Any]:
    """All that an operator may see of a job: plan, figures, fault with its diagnosis."""
    fault = record.fault.as_json() if record.fault else None
    testimonies: Any = record.testimonies
    lines = [line for testimony in testimonies for line in testimony["lines"].values()]
    return {
        **brief(record),
        "plan": record.plan,
        "plan_hash": record.plan_hash,
        "bytes": sum(line["bytes"] for line in lines),
        "rounds": max((testimony["rounds"] for testimony in testimonies), default=0),
        "seconds": record.result.get("seconds"),
        "peak_rss_mb": record.result.get("peak_rss_mb"),
        "result_digest": record.result.get("digest"),
        "receipt": record.receipt,
        "incidents": incidents(record),
        "fault": fault,
        "diagnosis": explained(fault, me),
    }
