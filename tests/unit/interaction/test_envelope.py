"""Signed documents: the bytes that are signed, and what happens to altered ones."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from unseen.encoding import canonical
from unseen.errors import MisuseError, VerificationError
from unseen.interaction.envelope import authenticated_bytes, parse, seal
from unseen.interaction.identity import SigningKey


def test_the_signed_bytes_are_those_of_the_dsse_specification() -> None:
    assert authenticated_bytes("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_under_another_kind_or_with_one_changed_byte_is_refused() -> None:
    key = SigningKey(Ed25519PrivateKey.generate())
    envelope = seal("kind/a", {"x": 1}, key)
    assert envelope.verify("kind/a", [key.public]) == {"x": 1}
    with pytest.raises(VerificationError, match="not a kind/b"):
        envelope.verify("kind/b", [key.public])
    for position in range(len(envelope.payload)):
        payload = bytearray(envelope.payload)
        payload[position] ^= 1
        with pytest.raises(VerificationError, match="altered"):
            type(envelope)("kind/a", bytes(payload), envelope.signatures).verify("kind/a", [key.public])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_envelope_and_end_in_a_clear_error(data: bytes) -> None:
    with pytest.raises(MisuseError):
        parse(data)


def test_several_signatures_stand_side_by_side_and_each_is_demanded_by_key() -> None:
    one, two, three = (SigningKey(Ed25519PrivateKey.generate()) for _ in range(3))
    first = seal("kind/a", {"x": 1}, one)
    both = parse(canonical(first.merged(first.signed_by(two)).as_json()))
    assert both.verify("kind/a", [one.public, two.public]) == {"x": 1}
    with pytest.raises(VerificationError, match="not signed by the key"):
        both.verify("kind/a", [one.public, three.public])
    with pytest.raises(VerificationError, match="another document"):
        first.merged(seal("kind/a", {"x": 2}, two))
