"""Canonical JSON (RFC 8785): what is read can be written again, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.encoding import canonical, parse_json
from unseen.errors import MisuseError


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    )
)
def test_what_is_written_is_read_and_written_the_same(value: object) -> None:
    data = canonical(value)  # type: ignore[arg-type]
    assert canonical(parse_json(data)) == data


@pytest.mark.parametrize(
    "text", [b"885555555558e8", b"88555555555800000000", b"-12345678901234567890123", b"1e300"]
)
def test_numbers_beyond_2_to_the_53_are_the_doubles_that_they_are_written_as(text: bytes) -> None:
    """Found by `fuzz/readers.py json`: a double without a fraction is written as digits."""
    assert parse_json(canonical(parse_json(text))) == parse_json(text)


@pytest.mark.parametrize("text", [b"1e999", b"-1e999", b"9" * 400, b"NaN", b"Infinity"])
def test_numbers_that_no_double_holds_are_refused(text: bytes) -> None:
    with pytest.raises(MisuseError, match="not valid JSON"):
        parse_json(text)
