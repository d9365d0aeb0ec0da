"""Three institutions with keys and cards, and the terms they agree on, for the tests of this folder."""

from __future__ import annotations

import pytest

from unseen.interaction.identity import Card, SigningKey, create_keys, load_signing_key, make_card

People = dict[str, tuple[SigningKey, Card]]

TERMS = """
agreement: Joint default scorecard
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2026-01-01, until: 2027-12-31}
columns:
  lender: {loans: {id: [join], amount: [feature], bad: [label]}}
  bureau: {file: {id: [join], inquiries: [feature]}}
computations: [credit]
recipients: {scores: [lender]}
"""


@pytest.fixture(scope="session")
def terms() -> str:
    """An agreement as a person writes it."""
    return TERMS


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    found = {}
    for name in ("lender", "bureau", "dealer"):
        folder = tmp_path_factory.mktemp(name) / "keys"
        create_keys(folder, name)
        key = load_signing_key(folder)
        found[name] = (key, make_card(name, "127.0.0.1:7000", key, (folder / "root.crt").read_text()))
    return found
