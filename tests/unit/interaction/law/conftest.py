"""A scorecard between a lender and a bureau, with all that the EU and US packs ask for on record."""

from __future__ import annotations

import pytest
import yaml

from unseen.data.catalogue import Use
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape


@pytest.fixture
def agreement() -> Agreement:
    evidence = ["privacy-notice", "processing-record", "impact-assessment", "human-review", "permissible-purpose"]
    evidence += ["security-program", "accuracy-policy", "glba-exception", "adverse-action-notice"]
    evidence += ["adverse-action-reasons"]
    held = dict.fromkeys(evidence, "reference 1, 2026-01-01")
    text = f"""
agreement: Joint default scorecard
parties:
  lender: {{role: controller, jurisdiction: EU}}
  bureau: {{role: controller, jurisdiction: EU}}
  dealer: {{role: dealer}}
purpose: dpv:CreditChecking
legal_basis: {{lender: "contract: loan", bureau: {{EU: "contract: reporting", US: "none needed"}}}}
subjects: {{jurisdictions: [EU, US]}}
evidence: {yaml.safe_dump({"lender": held, "bureau": held}, default_flow_style=True, width=10000).strip()}
valid: {{from: 2026-01-01, until: 2027-12-31}}
columns:
  lender: {{loans: {{id: [join], bad: [label]}}}}
  bureau: {{file: {{id: [join], inquiries: [feature]}}}}
computations: [credit]
recipients: {{scores: [lender]}}
"""
    return from_yaml(text)


@pytest.fixture
def plan(agreement: Agreement) -> Plan:
    uses = (
        ColumnUse("lender", "loans", "id", Use.JOIN),
        ColumnUse("bureau", "file", "id", Use.JOIN),
        ColumnUse("lender", "loans", "bad", Use.LABEL),
        ColumnUse("bureau", "file", "inquiries", Use.FEATURE),
    )
    return Plan(
        job="1" * 32,
        agreement=agreement.id,
        application="credit",
        application_version="1",
        purpose=agreement.purpose,
        parties=("bureau", "lender"),
        dealer="dealer",
        uses=uses,
        steps=(),
        outputs={"lender": ("scores",), "bureau": ("own",)},
        parameters={},
        seed="0" * 64,
        flows=(Flow("scores", Shape.PERSON, uses[3:]), Flow("own", Shape.MODEL, uses[2:])),
    )
