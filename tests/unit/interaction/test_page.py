"""What people read: templates, the page of a plan, lineage, and drafts for the register."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import yaml

from unseen.computation.profile import Disclosure, Profile, Role
from unseen.data.catalogue import Use
from unseen.errors import MisuseError
from unseen.interaction import template
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.law.verdict import judge
from unseen.interaction.lineage import lineage
from unseen.interaction.page import as_html, as_text, sections
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step
from unseen.interaction.register import TO_DO, impact_assessment, processing_record


@pytest.fixture
def agreement() -> Agreement:
    return from_yaml(template.read("credit"))


@pytest.fixture
def plan(agreement: Agreement) -> Plan:
    profile = Profile("t", "A step", "none", reveals=(Disclosure(Role.EACH, "how many <are> common"),))
    feature = ColumnUse("bureau", "file", "INQUIRIES", Use.FEATURE)
    return Plan(
        job="1" * 32,
        agreement=agreement.id,
        application="credit",
        application_version="1",
        purpose=agreement.purpose,
        parties=agreement.computing,
        dealer="dealer",
        uses=(ColumnUse("bureau", "file", "person_id", Use.JOIN), feature),
        steps=(Step("align", profile, {Role.EACH: agreement.computing}, {}),),
        outputs={"lender": ("scores",)},
        parameters={},
        seed="0" * 64,
        flows=(Flow("scores", Shape.PERSON, (feature,)),),
    )


@pytest.mark.parametrize("name", template.names())
def test_every_template_is_an_agreement_that_its_law_packs_do_not_refuse_for_facts(name: str) -> None:
    text = template.read(name)
    assert from_yaml(text).computing
    assert "unseen agree propose" in text
    assert yaml.safe_load(text)["approvals"]


def test_there_is_a_template_for_each_thing_a_bank_does() -> None:
    assert template.names() == ["alignment", "blacklist", "credit", "exposure", "query", "telemetry"]
    with pytest.raises(MisuseError, match="there are: alignment, blacklist"):
        template.read("everything")


def test_the_page_says_what_a_lawyer_asks(plan: Plan, agreement: Agreement) -> None:
    text = as_text("Plan", sections(plan, agreement, judge(plan, agreement)))
    for words in (
        "bureau and lender compute",
        "Purpose: dpv:CreditChecking",
        "bureau's “file”: INQUIRIES — as an input of the model",
        "lender receives “scores”: one figure for each person",
        "lender: how many <are> common",
        "at least 1000 customers",
        "European Union",
        "does not replace it",
        plan.hash[:40],
    ):
        assert words in " ".join(text.split())


class Tags(HTMLParser):
    """Counts tags, and fails on none: what is left open shows in the balance."""

    def __init__(self) -> None:
        super().__init__()
        self.balance: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.balance[tag] = self.balance.get(tag, 0) + (tag != "meta")

    def handle_endtag(self, tag: str) -> None:
        self.balance[tag] -= 1


def test_the_html_page_is_one_file_and_shows_outside_words_as_words(plan: Plan, agreement: Agreement) -> None:
    page = as_html("A <b>plan</b>", sections(plan, agreement, judge(plan, agreement)))
    assert "how many &lt;are&gt; common" in page
    assert "<b>" not in page
    assert "http" not in page.replace("http-equiv", "")
    tags = Tags()
    tags.feed(page)
    assert not any(tags.balance.values())


def test_lineage_leads_from_each_output_to_its_columns_and_institutions(plan: Plan) -> None:
    value = plan.as_json()
    assert isinstance(value, dict)
    found = lineage(value, "2026-06-01T00:00:00+00:00", "2026-06-01T00:01:00+00:00", {"lender": "d" * 64})
    assert isinstance(found, dict)
    column = "unseen:column/bureau/file/INQUIRIES"
    assert {"prov:generatedEntity": f"unseen:output/{plan.job}/scores", "prov:usedEntity": column} in list(
        found["wasDerivedFrom"].values()  # type: ignore[union-attr]
    )
    entities, agents = found["entity"], found["agent"]
    assert isinstance(entities, dict)
    assert isinstance(agents, dict)
    for relation, name, kind in (
        ("used", "prov:entity", entities),
        ("wasGeneratedBy", "prov:entity", entities),
        ("wasAttributedTo", "prov:agent", agents),
        ("wasAssociatedWith", "prov:agent", agents),
    ):
        related = found[relation]
        assert isinstance(related, dict)
        assert all(item[name] in kind for item in related.values())  # type: ignore[index,call-overload]


def test_the_record_of_processing_has_every_letter_of_article_30(agreement: Agreement) -> None:
    record = processing_record("lender", [agreement])
    assert isinstance(record, dict)
    (activity,) = record["activities"]  # type: ignore[misc]
    letters = {name[:2] for name in activity if name[1] == "_"}  # type: ignore[union-attr]
    assert letters == {f"{letter}_" for letter in "abcdefg"}
    assert processing_record("stranger", [agreement])["activities"] == []  # type: ignore[index,call-overload]


def test_the_draft_assessment_fills_in_what_is_known_and_marks_what_is_not(
    plan: Plan, agreement: Agreement
) -> None:
    draft = impact_assessment(plan, agreement, judge(plan, agreement))
    assert isinstance(draft, dict)
    assert draft["advice_of_the_data_protection_officer"] == TO_DO
    risks = draft["c_risks"]
    assert isinstance(risks, dict)
    assert risks["what_each_party_learns"]["lender"] == ["how many <are> common"]  # type: ignore[index,call-overload]
