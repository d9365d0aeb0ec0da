"""Whatever a partner signs and sends, reading it ends in the document or in one clear error, never in a bug."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.encoding import Json, canonical
from unseen.errors import UnseenError
from unseen.interaction import agreement as agreements
from unseen.interaction import envelope as envelopes
from unseen.interaction.agreement import from_yaml, missing_signatures, read_agreement
from unseen.interaction.approval import APPROVAL, read_approval
from unseen.interaction.checks import GRANT, REFUSAL, require_grant
from unseen.interaction.envelope import Envelope, seal
from unseen.interaction.heads import read_head
from unseen.interaction.identity import CARD, Card, SigningKey, read_card
from unseen.interaction.ledger import HEAD, read_line
from unseen.interaction.lifecycle import NOTICE, read_notice
from unseen.interaction.people import ENROLMENT, enrolled_key, people
from unseen.interaction.receipt import RECEIPT, read_statement, require_receipt

People = dict[str, tuple[SigningKey, Card]]
NOW = datetime(2026, 6, 1, tzinfo=UTC)

Scalar = (
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
)
Value = st.recursive(
    Scalar | st.just("a" * 64) | st.just("2026-01-01"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
FIELDS = [
    "plan",
    "job",
    "party",
    "expires",
    "rule",
    "reason",
    "mend",
    "time",
    "institution",
    "size",
    "root",
    "name",
    "address",
    "signing_key",
    "root_certificate",
    "agreement",
    "version",
    "parties",
    "purpose",
    "valid",
    "columns",
    "computations",
    "recipients",
    "limits",
    "number",
    "step",
    "revoked_keys",
    "withdrawn_jobs",
    "person",
    "key",
    "roles",
    "scope",
    "quota",
    "application",
    "grants",
    "disclosures",
    "accounts",
]
Document = st.dictionaries(st.sampled_from(FIELDS), Value, max_size=len(FIELDS)) | Value

Reader = Callable[[Envelope, People, str], Any]


def cards(people: People) -> dict[str, Card]:
    return {name: card for name, (_, card) in people.items()}


READERS: dict[str, tuple[str, Reader]] = {
    "card": (CARD, lambda e, p, t: read_card(e)),
    "agreement": (agreements.KIND, lambda e, p, t: read_agreement(e)),
    "signatures": (agreements.KIND, lambda e, p, t: missing_signatures(e, cards(p))),
    "grant": (GRANT, lambda e, p, t: require_grant(e, "a" * 64, p["lender"][1], NOW)),
    "refusal": (REFUSAL, lambda e, p, t: require_grant(e, "a" * 64, p["lender"][1], NOW)),
    "notice": (NOTICE, lambda e, p, t: read_notice(e, from_yaml(t), cards(p))),
    "approval": (APPROVAL, lambda e, p, t: read_approval(e, {})),
    "enrolment": (ENROLMENT, lambda e, p, t: people_of(e, p)),
    "enrolled": (ENROLMENT, lambda e, p, t: enrolled_key(e.read())),
    "head": (HEAD, lambda e, p, t: read_head(e, p["lender"][1])),
    "statement": (RECEIPT, lambda e, p, t: read_statement(e.read())),
    "receipt": (RECEIPT, lambda e, p, t: require_receipt(e, {"lender": p["lender"][1]})),
}


def people_of(envelope: Envelope, staff: People) -> object:
    return people([envelope], "lender", staff["lender"][0].public)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=Document)
def test_any_signed_payload_is_read_or_refused(people: People, terms: str, name: str, value: Json) -> None:
    kind, reader = READERS[name]
    try:
        reader(seal(kind, value, people["lender"][0]), people, terms)
    except UnseenError:
        return


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=60))
def test_any_payload_bytes_are_refused(people: People, terms: str, name: str, payload: bytes) -> None:
    kind, reader = READERS[name]
    document = Envelope(kind, payload, {}).signed_by(people["lender"][0])
    try:
        reader(document, people, terms)
    except UnseenError:
        return


@settings(max_examples=80, deadline=None)
@given(
    st.fixed_dictionaries({"payloadType": Value, "payload": Value, "signatures": Value})
    | st.fixed_dictionaries(
        {
            "payloadType": st.just("k"),
            "payload": st.just("e30="),
            "signatures": st.lists(st.dictionaries(st.sampled_from(["keyid", "sig", "x"]), Value), max_size=3),
        }
    )
    | Value
)
def test_any_json_is_an_envelope_or_refused(value: Json) -> None:
    try:
        found = envelopes.from_json(value)
    except UnseenError:
        return
    assert envelopes.from_json(found.as_json()) == found


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_arbitrary_text_is_no_agreement_and_is_told_so_in_words(text: str) -> None:
    with pytest.raises(UnseenError, match="agreement"):
        from_yaml(text)


@settings(max_examples=30, deadline=None)
@given(Value, st.integers(-1, 3))
def test_any_entry_of_a_ledger_is_read_or_refused(value: Json, number: int) -> None:
    from unseen.interaction.merkle import leaf_hash

    data = canonical(value)
    line = b'{"digest":"' + leaf_hash(data).hex().encode() + b'","entry":' + data + b"}\n"
    try:
        read_line(line, number)
    except UnseenError:
        return


YAML_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


def test_a_yaml_of_aliases_within_aliases_is_refused_before_it_grows() -> None:
    with pytest.raises(UnseenError):
        from_yaml(YAML_BOMB)
