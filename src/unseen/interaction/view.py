"""What people may see of a job: a brief line, or all that the store holds, with a diagnosis after a fault."""

from __future__ import annotations

from typing import Any

from unseen.interaction.diagnosis import explained
from unseen.interaction.job import JobRecord


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
        "fault": fault,
        "diagnosis": explained(fault, me),
    }
