"""Lineage of a run as W3C PROV-JSON: which result came from which columns, by which run, on whose behalf.

Source: W3C PROV-DM and the PROV-JSON submission (2013). Names only: data sets, columns, digests; never values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unseen.encoding import Json, objects

PREFIX: Final = {"unseen": "urn:unseen:", "prov": "http://www.w3.org/ns/prov#"}


def lineage(plan: Mapping[str, Json], started: str, ended: str, results: Mapping[str, str]) -> Json:
    """The lineage of one run from its plan's JSON; `results` are digests by party, times ISO 8601."""
    run = f"unseen:run/{plan['job']}"
    agents = {f"unseen:institution/{name}": {"prov:type": "prov:Organization"} for name in _everyone(plan)}
    entities: dict[str, Json] = {
        f"unseen:plan/{plan['job']}": {"prov:type": "prov:Plan", "unseen:agreement": plan["agreement"]}
    }
    used: dict[str, Json] = {}
    owners: dict[str, Json] = {}
    for use in objects(plan["uses"]):
        column = f"unseen:column/{use['party']}/{use['dataset']}/{use['column']}"
        entities[column] = {"prov:type": "unseen:Column"}
        used[f"_:used{len(used)}"] = {"prov:activity": run, "prov:entity": column, "unseen:use": use["use"]}
        owners[f"_:owner{len(owners)}"] = {
            "prov:entity": column,
            "prov:agent": f"unseen:institution/{use['party']}",
        }
    generated: dict[str, Json] = {}
    derived: dict[str, Json] = {}
    for flow in objects(plan.get("flows")):
        output = f"unseen:output/{plan['job']}/{flow['output']}"
        entities[output] = {"prov:type": "unseen:Output", "unseen:shape": flow["shape"]}
        generated[f"_:generated{len(generated)}"] = {"prov:entity": output, "prov:activity": run}
        for source in objects(flow["sources"]):
            column = f"unseen:column/{source['party']}/{source['dataset']}/{source['column']}"
            derived[f"_:derived{len(derived)}"] = {"prov:generatedEntity": output, "prov:usedEntity": column}
    for party, digest in results.items():
        result = f"unseen:result/{plan['job']}/{party}"
        entities[result] = {"prov:type": "unseen:Result", "unseen:digest": digest}
        generated[f"_:generated{len(generated)}"] = {"prov:entity": result, "prov:activity": run}
    return {
        "prefix": dict(PREFIX),
        "entity": entities,
        "activity": {run: {"prov:startTime": started, "prov:endTime": ended, "unseen:purpose": plan["purpose"]}},
        "agent": agents,
        "used": used,
        "wasGeneratedBy": generated,
        "wasDerivedFrom": derived,
        "wasAttributedTo": owners,
        "wasAssociatedWith": {
            f"_:associated{number}": {
                "prov:activity": run,
                "prov:agent": agent,
                "prov:plan": f"unseen:plan/{plan['job']}",
            }
            for number, agent in enumerate(agents)
        },
    }


def _everyone(plan: Mapping[str, Json]) -> list[str]:
    parties = plan["parties"]
    named = [str(name) for name in parties] if isinstance(parties, list | tuple) else []
    return named + ([str(plan["dealer"])] if plan.get("dealer") else [])
