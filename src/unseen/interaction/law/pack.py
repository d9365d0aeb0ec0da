"""A law pack: its rules as Cedar policies, loaded, validated against the schema, and asked about one act.

Cedar decides: an act is permitted if a policy permits it and none forbids it; an error in a policy forbids.
Source: Cutler et al., Cedar (OOPSLA 2024); https://docs.cedarpolicy.com.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import yaml

from unseen.errors import MisuseError
from unseen.interaction.law.act import Act
from unseen.interaction.terms import Jurisdiction

_ANNOTATIONS: Final = ("id", "article", "reason", "evidence", "mend")
PACKAGE: Final = "unseen.interaction.law"


@dataclass(frozen=True)
class Rule:
    """One rule: its name, article, reason, the kinds of evidence any one of which satisfies it, and the mend."""

    id: str
    article: str
    reason: str
    evidence: tuple[str, ...]
    mend: str
    forbids: bool
    looks_at: tuple[str, ...]
    """The facts that its policy reads, by their names in the schema."""


@dataclass(frozen=True)
class Objection:
    """A rule that stands against an act."""

    pack: str
    rule: Rule
    act: Act

    @property
    def missing(self) -> tuple[str, ...]:
        """The evidence that would satisfy the rule, any one of these; empty where none does."""
        return self.rule.evidence

    @property
    def words(self) -> str:
        """The objection in a sentence a person can act on."""
        asked = f" Missing evidence: {' or '.join(self.missing)}." if self.missing else ""
        return f"{self.rule.article}: {self.act.words}. {self.rule.reason}{asked} To mend: {self.rule.mend}"


@dataclass(frozen=True)
class Pack:
    """One jurisdiction's rules; an institution's own have none (see `own`)."""

    id: str
    jurisdiction: Jurisdiction | None
    name: str
    law: str
    as_of: date
    rules: Mapping[str, Rule]
    _policies: str = field(repr=False)
    _ids: Mapping[str, str] = field(repr=False)

    def objections(self, act: Act) -> list[Objection]:
        """All rules that forbid this act, in the pack's order; none: permitted."""
        import cedarpy

        request = {
            "principal": _entity("Party", act.party),
            "action": _entity("Action", act.doing.value),
            "resource": _entity("Data", "data"),
            "context": _context(act),
        }
        result = cedarpy.is_authorized(request, self._policies, _entities(act), _schema())
        if result.diagnostics.errors:
            raise MisuseError(f"the law pack {self.id!r} cannot judge this act: {result.diagnostics.errors[0]}")
        if result.allowed:
            return []
        against = {self._ids[reason] for reason in result.diagnostics.reasons}
        found = [
            Objection(self.id, rule, act) for name, rule in self.rules.items() if name in against and rule.forbids
        ]
        if not found:  # no policy permits either: a pack without its permit
            raise MisuseError(f"the law pack {self.id!r} permits nothing; it needs a permit policy")
        return found


def _entity(kind: str, name: str) -> str:
    return f"{kind}::{json.dumps(name)}"


def _entities(act: Act) -> list[dict[str, Any]]:
    return [
        {
            "uid": {"type": "Party", "id": act.party},
            "attrs": {"jurisdiction": act.jurisdiction, "part": act.part},
            "parents": [],
        },
        {
            "uid": {"type": "Data", "id": "data"},
            "attrs": {
                "categories": sorted(act.categories),
                "sensitive": act.sensitive,
                "children": act.children,
                "level": act.level,
            },
            "parents": [],
        },
    ]


def _context(act: Act) -> dict[str, Any]:
    return {
        "purpose": act.purpose,
        "field": act.field.value,
        "basis": act.basis,
        "evidence": sorted(act.evidence),
        "shape": act.shape,
        "noised": act.noised,
        "recipient": act.recipient,
        "recipientJurisdiction": act.recipient_jurisdiction,
        "retentionDays": act.retention_days,
        "smallestGroup": act.smallest_group,
    }


@cache
def _schema() -> str:
    return (files(PACKAGE) / "schema.cedarschema").read_text(encoding="utf-8")


@cache
def packs() -> dict[Jurisdiction, Pack]:
    """All packs of this installation, by jurisdiction. Raises MisuseError for one that does not validate."""
    folders = sorted((files(PACKAGE) / "packs").iterdir(), key=lambda folder: folder.name)
    loaded = [load(folder) for folder in folders if (folder / "pack.yaml").is_file()]
    return {pack.jurisdiction: pack for pack in loaded if pack.jurisdiction is not None}


def load(folder: Traversable) -> Pack:
    """Read a pack's folder, and validate its policies against the schema. Raises MisuseError."""
    import cedarpy

    about = yaml.safe_load((folder / "pack.yaml").read_text(encoding="utf-8"))
    policies = (folder / "policies.cedar").read_text(encoding="utf-8")
    outcome = cedarpy.validate_policies(policies, _schema())
    if not outcome.validation_passed:
        raise MisuseError(f"the law pack {folder.name!r} does not validate: {outcome.errors[0]}")
    parsed = json.loads(cedarpy.policies_to_json_str(policies))["staticPolicies"]
    numbered = sorted(parsed.items(), key=lambda item: int(re.sub(r"\D", "", item[0])))
    rules = [_rule(folder.name, policy) for _, policy in numbered]
    if len({rule.id for rule in rules}) < len(rules):
        raise MisuseError(f"the law pack {folder.name!r} uses a rule's name twice")
    return Pack(
        str(about["id"]),
        Jurisdiction(about["jurisdiction"]) if "jurisdiction" in about else None,
        str(about["name"]),
        str(about["law"]),
        about["as_of"],
        {rule.id: rule for rule in rules},
        policies,
        {number: rule.id for (number, _), rule in zip(numbered, rules, strict=True)},
    )


def _rule(pack: str, policy: Mapping[str, Any]) -> Rule:
    notes: Mapping[str, str] = policy.get("annotations", {})
    if missing := [name for name in _ANNOTATIONS if name not in notes]:
        raise MisuseError(f"a policy of the law pack {pack!r} lacks @{missing[0]}")
    evidence = tuple(kind.strip() for kind in notes["evidence"].split("|") if kind.strip())
    forbids = policy["effect"] == "forbid"
    looks_at = tuple(dict.fromkeys([*_actions(policy["action"]), *_attributes(policy["conditions"])]))
    return Rule(notes["id"], notes["article"], notes["reason"], evidence, notes["mend"], forbids, looks_at)


def _actions(scope: Mapping[str, Any]) -> list[str]:
    """The acts that a policy is about; none named: all."""
    entities = scope.get("entities", [scope["entity"]] if "entity" in scope else [])
    return [str(entity["id"]) for entity in entities]


def _attributes(node: Any) -> Iterator[str]:
    """Every attribute of principal, resource or context that an expression reads."""
    if isinstance(node, Mapping):
        access = node.get(".")
        if isinstance(access, Mapping) and "attr" in access:
            yield str(access["attr"])
        for inner in node.values():
            yield from _attributes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _attributes(inner)
