"""Agreements: read from YAML, refused by field, effective under all signatures."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from unseen.data.catalogue import Use
from unseen.encoding import canonical
from unseen.errors import MisuseError, RefusedError
from unseen.interaction.agreement import Agreement, from_yaml, missing_signatures, propose, read_agreement
from unseen.interaction.envelope import parse
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.terms import Approvals, Limits, Party, Retention, Security, SubjectClauses

People = dict[str, tuple[SigningKey, Card]]


def test_an_agreement_is_effective_only_under_all_signatures(people: People, terms: str) -> None:
    cards = {name: card for name, (_, card) in people.items()}
    agreement = from_yaml(terms).with_keys(cards)
    assert agreement.computing == ("bureau", "lender")
    assert agreement.dealer == "dealer"
    assert agreement.uses("bureau", "file", "inquiries") == (Use.FEATURE,)
    envelope = propose(agreement, people["lender"][0])
    assert missing_signatures(envelope, cards) == ("bureau", "dealer")
    for name in ("bureau", "dealer"):
        envelope = envelope.merged(envelope.signed_by(people[name][0]))
    assert missing_signatures(envelope, cards) == ()
    assert read_agreement(parse(canonical(envelope.as_json()))).id == agreement.id


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("role: dealer", "role: controller", None),
        ("lender: {loans", "stranger: {loans", "stranger is no party"),
        ("until: 2027-12-31", "until: 2025-12-31", "ends before it begins"),
        ("[feature]", "[everything]", "columns"),
        ("purpose: dpv", "porpose: dpv", "porpose"),
        ("dpv:CreditChecking", "dpv:CreditCheking", "like it: dpv:CreditChecking"),
        ("dpv:CreditChecking", "whatever we like", "unseen law terms"),
        (
            "purpose: dpv:CreditChecking",
            "purpose: dpv:Marketing\nsubjects: {categories: ['pd:Incme']}",
            "pd:Income",
        ),
        ("dealer: {role: dealer}", "dealer: {role: dealer}\n  other: {role: dealer}", "one dealer only"),
        ("bureau: {file:", "dealer: {file:", "the dealer must bring no data"),
        ("  bureau: {role: controller}\n", "", "bureau is no party"),
        ("{from:", "{from", "no YAML|valid"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_by_field(old: str, new: str, words: str | None, terms: str) -> None:
    text = terms.replace(old, new)
    if words is None:
        assert from_yaml(text).dealer is None
        return
    with pytest.raises(MisuseError, match=words):
        from_yaml(text)


def test_an_expired_agreement_names_its_dates(terms: str) -> None:
    with pytest.raises(RefusedError, match="agreement-dates"):
        from_yaml(terms).require_valid_on(date(2028, 1, 1))


def test_the_page_on_agreements_names_every_clause() -> None:
    page = (Path(__file__).parents[3] / "docs" / "agreements.md").read_text(encoding="utf-8")
    clauses = set(re.findall(r"`([a-z_]+)`", page))
    for model in (Agreement, Limits, Party, SubjectClauses, Approvals, Security, Retention):
        fields = {field.alias or name for name, field in model.model_fields.items()}
        assert fields <= clauses, model.__name__
