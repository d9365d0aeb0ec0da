"""docs/joins.md says what the code does: its requests make plans, its rules and files are those there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from unseen.application.alignment import ALIGN
from unseen.application.alignment.joining import FILES
from unseen.data.key_rules import Rule, form_of
from unseen.interaction.agreement import from_yaml
from unseen.interaction.application import Request
from unseen.interaction.template import read

PAGE = (Path(__file__).parents[4] / "docs" / "joins.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", REQUESTS, ids=["one key", "several"])
def test_every_request_on_the_page_makes_a_plan(text: str) -> None:
    agreement = from_yaml(read("alignment"))
    asked = Request("a" * 32, "align", agreement.id, "bank", "0" * 64, yaml.safe_load(text))
    assert ALIGN.plan(asked, agreement).disclosures()["insurer"]


def test_the_page_names_every_rule_and_every_kind_with_its_file() -> None:
    rules = re.findall(r"^\| `(unseen-[a-z]+/\d+)` \|", PAGE, re.MULTILINE)
    assert rules == [str(rule) for rule in Rule]
    for rule in re.findall(r"unseen-[a-z]+/\d+(?::[A-Za-z-]+)?", PAGE):
        form_of(rule)
    for kind, file in FILES.items():
        assert re.search(rf"^\| `{kind}` \|.*`{file}`", PAGE, re.MULTILINE)
