"""Tree heads from partners: kept when they continue, an incident when the partner contradicts itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.encoding import Json
from unseen.errors import MisuseError, VerificationError
from unseen.interaction.envelope import seal
from unseen.interaction.heads import Heads
from unseen.interaction.home import Home
from unseen.interaction.ledger import HEAD, Kind, Ledger
from unseen.interaction.store import Store
from unseen.interaction.verify import verify_ledgers


class Pair:
    """A lender who watches the bureau's ledger."""

    def __init__(self, folder: Path) -> None:
        self.lender = Home.create(folder / "lender", "lender", "127.0.0.1:7601")
        self.bureau = Home.create(folder / "bureau", "bureau", "127.0.0.1:7602")
        self.store, self.theirs = self.lender.store(), self.bureau.store()
        self.lender.introduce(self.store, self.bureau.card, self.bureau.card.fingerprint)
        self.heads = Heads(self.lender, self.store)
        self.partner = Heads(self.bureau, self.theirs)

    def ask(self) -> None:
        """What `Heads.ask` does, without the wire."""
        last = self.heads.known("bureau", self.bureau.card)
        self.heads.take(self.bureau.card, last, self.partner.own(last.size if last else 0))

    def kinds(self) -> list[Kind]:
        return [entry.kind for entry in self.lender.ledger.entries()]

    def close(self) -> None:
        for store in (self.store, self.theirs):
            store.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.close()


def test_a_growing_ledger_is_followed_and_its_heads_are_on_record(pair: Pair) -> None:
    for number in range(4):
        pair.ask()
        pair.bureau.ledger.append(Kind.RUN, f"run/{number}", {})
    pair.ask()
    pair.ask()
    known = pair.heads.known("bureau", pair.bureau.card)
    assert known is not None
    assert known.size == 5
    assert pair.kinds().count(Kind.PARTNER_HEAD) == 5
    assert Kind.INCIDENT not in pair.kinds()
    assert verify_ledgers([pair.lender.ledger.folder, pair.bureau.ledger.folder]).sound


def test_a_rewritten_ledger_is_an_incident_at_once(pair: Pair) -> None:
    pair.bureau.ledger.append(Kind.RUN, "run/inconvenient", {})
    pair.ask()
    folder = pair.bureau.ledger.folder
    shutil.rmtree(folder)
    rewritten = Ledger(folder, "bureau", pair.bureau.signing_key)
    rewritten.append(Kind.ADMINISTRATION, "created", {"card": pair.bureau.card.envelope.as_json()})
    for number in range(3):
        rewritten.append(Kind.RUN, f"run/{number}", {})
    pair.bureau.__dict__["ledger"] = rewritten
    with pytest.raises(VerificationError, match="rewritten"):
        pair.ask()
    assert pair.kinds()[-1] is Kind.INCIDENT


def test_a_shorter_ledger_is_an_incident(pair: Pair) -> None:
    for number in range(3):
        pair.bureau.ledger.append(Kind.RUN, f"run/{number}", {})
    pair.ask()
    last = pair.heads.known("bureau", pair.bureau.card)
    root = pair.bureau.ledger.root(2).hex()
    value: Json = {"institution": "bureau", "size": 2, "root": root, "time": "2026-01-01T00:00:00+00:00"}
    shorter = seal(HEAD, value, pair.bureau.signing_key)
    with pytest.raises(VerificationError, match="cut"):
        pair.heads.take(pair.bureau.card, last, {"head": shorter.as_json(), "proof": []})
    assert pair.kinds()[-1] is Kind.INCIDENT


def test_a_head_of_anothers_ledger_is_not_taken(pair: Pair) -> None:
    for value in (
        {"institution": "lender", "size": 1, "root": "00" * 32},
        {"institution": "bureau", "size": True, "root": "00" * 32},
        {"institution": "bureau", "size": 1, "root": "00"},
        {"institution": "bureau"},
    ):
        document = seal(HEAD, value, pair.bureau.signing_key)
        with pytest.raises(VerificationError):
            pair.heads.take(pair.bureau.card, None, {"head": document.as_json(), "proof": []})
    with pytest.raises(MisuseError):
        pair.partner.own(99)
    with pytest.raises(MisuseError):
        pair.partner.own(-1)


Scalars = st.none() | st.booleans() | st.integers(-9, 2**40) | st.text(max_size=20)
Anything = st.recursive(
    Scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({}, optional={"head": Anything, "proof": Anything}) | Anything)
def test_whatever_a_partner_answers_ends_in_one_clear_error(pair: Pair, answer: Json) -> None:
    with pytest.raises(VerificationError):
        pair.heads.take(pair.bureau.card, None, answer)


def test_a_node_that_cannot_be_asked_is_no_incident(pair: Pair) -> None:
    pair.heads.ask_quietly("bureau")
    assert Kind.INCIDENT not in pair.kinds()


def test_the_store_keeps_heads_for_the_next_process(pair: Pair) -> None:
    pair.ask()
    with Store(pair.lender.database) as again:
        assert Heads(pair.lender, again).known("bureau", pair.bureau.card) is not None
