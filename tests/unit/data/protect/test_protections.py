"""Tokens, format-preserving encryption, masks and moved dates, each over Arrow columns with missing values."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.protect.cmac import ColumnMac
from unseen.data.protect.coarser import Bins, DateShift, Mask, Suppress, Truncate
from unseen.data.protect.format_preserving import Alphabet, CheckDigit, FormatPreserving
from unseen.data.protect.keyed_hash import KeyedHash
from unseen.data.protect.protection import Reason
from unseen.data.protect.secret import Secret
from unseen.data.protect.text import read
from unseen.data.protect.tokens import KeyedToken, RandomToken
from unseen.data.protect.vault import Vault
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError

SECRET = Secret(bytes(range(32)))
CARDS = ["4111 1111 1111 1111", None, "5500-0000-0000-0004", "340000000000009"]
WORDS = st.lists(st.none() | st.text(max_size=70), max_size=30)


class Records(list[Mapping[str, Json]]):
    """What was put on record."""

    def reason(self) -> Reason:
        return Reason("ann", "court order 7", self.append)


class SealedInMemory:
    """AES-GCM by `cryptography` under one key."""

    def __init__(self) -> None:
        self._aead = AESGCM(bytes(32))

    def seal(self, data: bytes, context: bytes) -> bytes:
        return self._aead.encrypt(hashlib.sha256(context).digest()[:12], data, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        return self._aead.decrypt(hashlib.sha256(context).digest()[:12], sealed, context)


@settings(deadline=None)
@given(WORDS)
def test_macs_of_a_column_are_the_librarys_macs_of_its_values(words: list[str | None]) -> None:
    tags = ColumnMac(bytes(16)).tags(read(pa.array(words, pa.string())))
    for word, tag in zip(words, tags, strict=True):
        oracle = CMAC(algorithms.AES(bytes(16)))
        oracle.update((word or "").encode())
        assert tag.tobytes() == oracle.finalize()


# RFC 4493, section 4, examples 1 to 4: the first bytes of the text and their tag
RFC_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
RFC_TEXT = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
RFC_TAGS = {
    0: "bb1d6929e95937287fa37d129b756746",
    16: "070a16b46b4d4144f79bdd9dd04a287c",
    40: "dfa66747de9ae63030ca32611497c827",
    64: "51f0bebf7e3b9d92fc49741779363cfe",
}


def test_the_macs_of_rfc_4493() -> None:
    from unseen.data.protect.text import Text

    offsets = np.cumsum([0, *RFC_TAGS], dtype=np.int64)
    data = np.frombuffer(b"".join(RFC_TEXT[:length] for length in RFC_TAGS), np.uint8)
    tags = ColumnMac(RFC_KEY).tags(Text(data, offsets, np.ones(len(RFC_TAGS), np.bool_)))
    assert [tag.tobytes().hex() for tag in tags] == list(RFC_TAGS.values())


def test_tokens_are_one_for_a_person_and_purpose_and_differ_between_purposes() -> None:
    people = pa.chunked_array([["ann", "bob"], ["ann", None]])
    tokens = KeyedToken(SECRET, "agreement-1").apply(people).to_pylist()
    assert tokens[0] == tokens[2] != tokens[1]
    assert tokens[3] is None
    assert all(len(token) == 32 for token in tokens[:3])
    assert KeyedToken(SECRET, "agreement-1").apply(pa.array(["ann"])).to_pylist() == [tokens[0]]
    others = KeyedToken(SECRET, "agreement-2").apply(people).to_pylist()
    assert not set(others[:3]) & set(tokens[:3])


def test_a_slice_of_a_column_gets_the_tokens_of_its_rows() -> None:
    whole = KeyedToken(SECRET, "p").apply(pa.array(["a", "bb", None, "dddd", "e" * 40]))
    part = KeyedToken(SECRET, "p").apply(pa.array(["a", "bb", None, "dddd", "e" * 40]).slice(1, 4))
    assert part.to_pylist() == whole.to_pylist()[1:]


def test_random_tokens_come_back_by_the_vault_only_and_on_record(tmp_path: Path) -> None:
    seal, records = SealedInMemory(), Records()
    first = RandomToken(Vault(tmp_path / "v", seal)).apply(pa.array(["ann", "bob", None, "ann"]))
    again = RandomToken(Vault(tmp_path / "v", seal))
    second = again.apply(pa.array(["cid", "ann"]))
    assert first[0] == first[3] == second[1]
    assert first.null_count == 1
    back = again.reverse(pa.concat_arrays([first, second]), records.reason()).to_pylist()
    assert back == ["ann", "bob", None, "ann", "cid", "ann"]
    assert records == [{"protection": "vault-token", "values": 6, "who": "ann", "why": "court order 7"}]
    assert not any(b"ann" in file.read_bytes() for file in (tmp_path / "v").iterdir())


def test_an_erased_value_cannot_be_had_back(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "v", SealedInMemory())
    tokens = RandomToken(vault).apply(pa.array(["ann", "bob"]))
    assert vault.erase("ann")
    assert not vault.erase("ann")
    with pytest.raises(DataError, match="1 tokens are not in the vault"):
        RandomToken(vault).reverse(tokens, Records().reason())


def test_a_vault_with_a_file_missing_is_refused(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "v", SealedInMemory())
    for name in ("ann", "bob"):
        RandomToken(vault).apply(pa.array([name]))
    (tmp_path / "v" / "00000001.sealed").unlink()
    with pytest.raises(MisuseError, match="restore the vault"):
        vault.read()


def test_nothing_is_reversed_that_cannot_be_put_on_record() -> None:
    def full(_: Mapping[str, Json]) -> None:
        raise OSError("disk full")

    protection = FormatPreserving(SECRET, "p")
    with pytest.raises(OSError, match="disk full"):
        protection.reverse(pa.array(["123456"]), Reason("ann", "why not", full))
    with pytest.raises(MisuseError, match="who asks"):
        Reason("ann", " ", full)


@settings(deadline=None)
@given(st.lists(st.none() | st.text("0123456789 -x", max_size=40), max_size=20))
def test_encryption_keeps_the_format_and_comes_back(values: list[str | None]) -> None:
    long = [v for v in values if v is None or sum(c.isdigit() for c in v) >= 6]
    protection = FormatPreserving(SECRET, "p")
    hidden = protection.apply(pa.array(long, pa.string()))
    for before, after in zip(long, hidden.to_pylist(), strict=True):
        assert (before is None) == (after is None)
        if before is not None:
            assert [c if not c.isdigit() else "0" for c in before] == [
                c if not c.isdigit() else "0" for c in after
            ]
    assert protection.reverse(hidden, Records().reason()).to_pylist() == long


def luhn_valid(text: str) -> bool:
    """The textbook's test: from the right, every second digit doubled, the sum a multiple of ten."""
    reversed_digits = [int(c) for c in text if c.isdigit()][::-1]
    return sum(sum(divmod(d * (1 + i % 2), 10)) for i, d in enumerate(reversed_digits)) % 10 == 0


def test_a_card_number_becomes_another_valid_card_number() -> None:
    protection = FormatPreserving(SECRET, "p", check=CheckDigit.LUHN)
    hidden = protection.apply(pa.array(CARDS))
    for before, after in zip(CARDS, hidden.to_pylist(), strict=True):
        assert before is None or (after != before and luhn_valid(before) and luhn_valid(after))
    assert protection.reverse(hidden, Records().reason()).to_pylist() == CARDS


def test_alphanumeric_values_stay_alphanumeric() -> None:
    protection = FormatPreserving(SECRET, "p", Alphabet.ALPHANUMERIC, tweak=b"accounts.number")
    hidden = protection.apply(pa.array(["DE89370400440532013000", "Straße-0815"]))
    assert hidden[0].as_py().isalnum()
    assert hidden[1].as_py()[4] == "ß"
    assert protection.reverse(hidden, Records().reason()).to_pylist() == ["DE89370400440532013000", "Straße-0815"]


def test_short_values_and_wrong_check_digits_are_refused_without_showing_them() -> None:
    with pytest.raises(DataError, match="2 values are too short") as caught:
        FormatPreserving(SECRET, "p").apply(pa.array(["12345", "98-76", "123456"]))
    assert "12345" not in str(caught.value)
    with pytest.raises(DataError, match="1 values end with a check digit"):
        FormatPreserving(SECRET, "p", check=CheckDigit.LUHN).apply(pa.array(["4111111111111112"]))
    with pytest.raises(MisuseError, match="numeric values only"):
        FormatPreserving(SECRET, "p", Alphabet.LOWER, CheckDigit.LUHN)


@settings(deadline=None, max_examples=20)
@given(WORDS, st.binary(min_size=16, max_size=64))
def test_hashes_are_the_standard_librarys(words: list[str | None], key: bytes) -> None:
    hashes = KeyedHash(key).apply(pa.array(words, pa.string())).to_pylist()
    assert hashes == [w if w is None else hmac.digest(key, w.encode(), "sha256").hex() for w in words]


def test_hashes_of_values_of_every_length_side_by_side() -> None:
    """Values of one to four blocks, in all places of a block; more of them than go side by side."""
    words = [("ä" if size % 5 == 0 else "x") * size for size in range(201)]
    key = bytes(range(40))
    hashes = KeyedHash(key).apply(pa.array(words)).to_pylist()
    assert hashes == [hmac.digest(key, word.encode(), "sha256").hex() for word in words]


@given(WORDS, st.integers(0, 4), st.integers(0, 4))
def test_a_mask_shows_ends_only_of_values_that_have_more(words: list[str | None], first: int, last: int) -> None:
    masked = Mask(first, last, "#").apply(pa.array(words, pa.string())).to_pylist()
    for word, shown in zip(words, masked, strict=True):
        if word is None:
            assert shown is None
        elif len(word) <= first + last:
            assert shown == "#" * len(word)
        else:
            assert shown == word[:first] + "#" * (len(word) - first - last) + word[len(word) - last :]


def test_shortened_suppressed_and_binned_values() -> None:
    assert Truncate(3).apply(pa.array(["10115", None, "77"])).to_pylist() == ["101", None, "77"]
    assert Suppress().apply(pa.array([1, 2])).equals(pa.nulls(2, pa.int64()))
    binned = Bins([0, 18, 65]).apply(pa.array([-1, 0, 17.9, 18, 65, None])).to_pylist()
    assert binned == ["< 0", "[0, 18)", "[0, 18)", "[18, 65)", ">= 65", None]
    with pytest.raises(MisuseError, match="rise"):
        Bins([3, 3])
    with pytest.raises(DataError, match="none of numbers"):
        Bins([1]).apply(pa.array(["x"]))


@pytest.mark.parametrize("moment", [date(2020, 2, 29), datetime(2020, 2, 29, 12, 30, 1)])
def test_all_dates_of_a_person_move_together_and_come_back(moment: date) -> None:
    people = pa.array([f"p{number % 5}" for number in range(40)])
    dates = pa.array([moment] * 39 + [None])
    protection = DateShift(SECRET, "study", 30)
    moved = protection.apply(dates, people)
    assert moved.type == dates.type
    shifts = {
        (person, (at - moment).days)
        for person, at in zip(people.to_pylist()[:39], moved.to_pylist(), strict=False)
    }
    assert len(shifts) == 5
    assert all(abs(days) <= 30 for _, days in shifts)
    assert len({days for _, days in shifts}) > 1
    assert protection.reverse(moved, Records().reason(), people).equals(dates)
    with pytest.raises(DataError, match="needs its subject"):
        protection.apply(dates)
