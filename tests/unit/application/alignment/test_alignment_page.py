"""docs/common-customers.md is true: its requests plan under the template's agreement, its rules are raised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from unseen.application.alignment import ALIGN, OVERLAP
from unseen.computation.intersect.align import FEW
from unseen.computation.intersect.cardinality import MOST_EXACT
from unseen.data.join_keys import MOST_WARNED_SHARE
from unseen.interaction.agreement import from_yaml
from unseen.interaction.application import Request
from unseen.interaction.declared import declared
from unseen.interaction.flow import check_flows
from unseen.interaction.template import read

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "common-customers.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"```yaml (\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("app", "text"), REQUESTS, ids=[app for app, _ in REQUESTS])
def test_every_request_on_the_page_has_a_plan_under_the_templates_agreement(app: str, text: str) -> None:
    application = {"align": ALIGN, "overlap": OVERLAP}[app]
    terms = from_yaml(read("alignment"))
    plan = application.plan(Request("a" * 32, app, terms.id, "bank", "0" * 64, yaml.safe_load(text)), terms)
    check_flows(plan, terms)
    assert declared(plan) == {"bank": 250_000, "insurer": 900_000}
    assert terms.limits.most_identifiers is not None
    assert max(declared(plan).values()) <= terms.limits.most_identifiers


def test_the_rules_and_numbers_of_the_page_are_those_of_the_code() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "unseen").rglob("*.py"))
    rules = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert len(rules) == 5
    for rule in rules:
        assert f'"{rule}"' in code
    assert f"Up to {FEW:,} identifiers" in PAGE
    assert f"exact_up_to: {MOST_EXACT}" in PAGE
    assert f"({MOST_WARNED_SHARE:.0%} each" in PAGE
