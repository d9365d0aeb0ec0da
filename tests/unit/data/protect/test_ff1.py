"""FF1 against NIST's published samples, and against the algorithm written plainly with Python's integers."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.protect.ff1 import FF1, large_enough
from unseen.errors import MisuseError

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
TWEAK = "39383736353433323130"
LONG_TWEAK = "3737373770717273373737"

# NIST, "FF1 Method for Format-Preserving Encryption, Examples with Intermediate Values", samples 1 to 9
SAMPLES = [
    (16, 10, "", "0123456789", "2433477484"),
    (16, 10, TWEAK, "0123456789", "6124200773"),
    (16, 36, LONG_TWEAK, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (24, 10, "", "0123456789", "2830668132"),
    (24, 10, TWEAK, "0123456789", "2496655549"),
    (24, 36, LONG_TWEAK, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (32, 10, "", "0123456789", "6657667009"),
    (32, 10, TWEAK, "0123456789", "1001623463"),
    (32, 36, LONG_TWEAK, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


def digits(text: str) -> np.ndarray:
    return np.array([[LETTERS.index(letter) for letter in text]], np.uint8)


def letters(row: np.ndarray) -> str:
    return "".join(LETTERS[digit] for digit in row)


@pytest.mark.parametrize(("key_bytes", "radix", "tweak", "plain", "cipher"), SAMPLES)
def test_the_published_samples(key_bytes: int, radix: int, tweak: str, plain: str, cipher: str) -> None:
    ff1 = FF1(KEY[:key_bytes])
    assert letters(ff1.encrypt(digits(plain), radix, bytes.fromhex(tweak))[0]) == cipher
    assert letters(ff1.decrypt(digits(cipher), radix, bytes.fromhex(tweak))[0]) == plain


def plainly(key: bytes, radix: int, tweak: bytes, plain: list[int]) -> list[int]:
    """SP 800-38G, algorithm 7, one value at a time, step by step."""

    def number(part: list[int]) -> int:
        total = 0
        for digit in part:
            total = total * radix + digit
        return total

    def aes(block: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

    n, t = len(plain), len(tweak)
    u = n // 2
    v = n - u
    a, b = plain[:u], plain[u:]
    width = -(-((radix**v - 1).bit_length()) // 8)
    d = 4 * -(-width // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big")
    p += t.to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-t - width - 1) % 16) + bytes([i]) + number(b).to_bytes(width, "big")
        r = bytes(16)
        for start in range(0, len(p + q), 16):
            r = aes(bytes(x ^ y for x, y in zip(r, (p + q)[start : start + 16], strict=True)))
        s = r
        for j in range(1, -(-d // 16)):
            s += aes(bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"), strict=True)))
        m = u if i % 2 == 0 else v
        c = (number(a) + int.from_bytes(s[:d], "big")) % radix**m
        a, b = b, [c // radix ** (m - 1 - place) % radix for place in range(m)]
    return a + b


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_base_length_and_tweak_as_the_algorithm_is_written(data: st.DataObject) -> None:
    radix = data.draw(st.integers(2, 256))
    least = next(length for length in range(2, 64) if large_enough(radix, length))
    length = data.draw(st.integers(least, 90))
    rows = data.draw(st.integers(1, 3))
    tweak = data.draw(st.binary(max_size=40))
    seed = data.draw(st.integers(0, 2**32 - 1))
    plain = np.random.default_rng(seed).integers(0, radix, (rows, length)).astype(np.uint8)
    cipher = FF1(KEY).encrypt(plain, radix, tweak)
    assert cipher.tolist() == [plainly(KEY, radix, tweak, row.tolist()) for row in plain]
    assert (FF1(KEY).decrypt(cipher, radix, tweak) == plain).all()


def test_the_input_stays_as_it_is() -> None:
    plain = digits("0123456789")
    FF1(KEY).encrypt(plain, 10)
    assert letters(plain[0]) == "0123456789"


@pytest.mark.parametrize("text", ["12345", "1"])
def test_a_domain_that_could_be_listed_is_refused(text: str) -> None:
    with pytest.raises(MisuseError, match="1000000 possible values"):
        FF1(KEY).encrypt(digits(text), 10)


def test_a_key_is_never_shown() -> None:
    assert repr(FF1(KEY)) == "FF1(key hidden)"
