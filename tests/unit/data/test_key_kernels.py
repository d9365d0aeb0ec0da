"""Keys of ASCII at native speed against the rules themselves: regular expressions and Python's Unicode tables."""

from __future__ import annotations

import datetime
import decimal
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data import phone
from unseen.data.catalogue import Catalogue, Use
from unseen.data.contract import normalised, whole
from unseen.data.key_rules import SCHEMES, KeyForm, Rule, document_signs
from unseen.data.release import release
from unseen.errors import DataError

signs = st.one_of(
    st.sampled_from(list("\t\n\v\f\r\x1c\x1d\x1e\x1f\x00 aZ09_-.,/'’·:()+@é ﬁ\u2003\u0301\ufdd0ẞİ京")),
    st.characters(codec="utf-8"),
)
texts = st.one_of(
    st.none(),
    st.text(signs, max_size=12),
    st.text(st.characters(max_codepoint=127), max_size=12),
    st.from_regex(
        r"(tel: ?)?(\+|00|0011|011|810|010)?[ (]?(49|39|1|7|370)?\)?( ?\(0\))?[0-9 /().\-]{1,14}", fullmatch=True
    ),
    st.from_regex(r"[0-9]{1,12}|0{1,9}|9{1,9}|[a-z]{0,3}[0-9 .\-]{0,70}", fullmatch=True),
)
columns = st.lists(texts, min_size=1, max_size=40)


def slowly(text: str | None) -> str | None:
    """Version 1 of the rule for any text, value by value."""
    if text is None:
        return None
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    found: str = pc.replace_substring_regex(pc.utf8_trim_whitespace(pa.array([folded])), r"\s+", " ")[0].as_py()
    return found


@settings(deadline=None)
@given(columns, st.integers(0, 3))
def test_any_text_is_normalised_as_text_by_text(values: list[str | None], skipped: int) -> None:
    for kind in (pa.string(), pa.large_string()):
        found = normalised(pa.array(values, kind).slice(min(skipped, len(values) - 1)))
        assert found.type == pa.string()
        assert found.to_pylist() == [slowly(value) for value in values[min(skipped, len(values) - 1) :]]


def test_every_sign_at_every_place_is_normalised_as_by_itself() -> None:
    marks = [chr(code) for code in range(0x300)] + list("\u1680\u2000\u2028\u2029\u202f\u205f\u3000\ufeff\ufdd0")
    values = [form.format(mark) for mark in marks for form in ("{0}", "{0}A", "b{0}C", "d{0}", "{0}{0}e {0} F")]
    assert normalised(pa.array(values)).to_pylist() == [slowly(value) for value in values]


def test_bytes_under_a_missing_value_are_nothing() -> None:
    data = pa.py_buffer("é A".encode())
    offsets, valid = pa.py_buffer(np.array([0, 3, 4], np.int32)), pa.py_buffer(b"\x02")
    column = pa.Array.from_buffers(pa.string(), 2, [valid, offsets, data])
    assert normalised(column).to_pylist() == [None, "a"]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["", *sorted(phone.REGIONS)]), columns)
def test_telephone_numbers_are_written_as_by_the_rule(region: str, values: list[str | None]) -> None:
    column = normalised(pa.array(values, pa.string()))
    found = KeyForm(Rule.PHONE, region).written(column)
    assert found.to_pylist() == phone.international(normalised(column), region).to_pylist()


@settings(deadline=None)
@given(columns)
def test_document_numbers_are_written_as_by_the_rule(values: list[str | None]) -> None:
    column = normalised(pa.array(values, pa.string()))
    assert KeyForm(Rule.DOCUMENT).written(column).to_pylist() == document_signs(normalised(column)).to_pylist()


@settings(deadline=None)
@given(
    st.sampled_from(sorted(SCHEMES)),
    st.lists(st.from_regex(r"[0-9A-Z]{7,18}", fullmatch=True), min_size=1, max_size=20),
)
def test_a_scheme_keeps_what_has_right_check_digits(scheme: str, values: list[str]) -> None:
    rule = document_signs(normalised(pa.array(values)))
    right = SCHEMES[scheme].matches(rule.fill_null(""))
    wanted = [sign if fine else None for sign, fine in zip(rule.to_pylist(), right, strict=True)]
    assert KeyForm(Rule.DOCUMENT, scheme).written(pa.array(values)).to_pylist() == wanted


def test_values_of_any_type_are_texts() -> None:
    day = datetime.date(2020, 2, 1)
    for values, wanted in (
        (pa.array([7, None]), ["7", None]),
        (pa.array([True]), ["true"]),
        (pa.array([day]), ["2020-02-01"]),
        (pa.array(["B ", "b"]).dictionary_encode(), ["b", "b"]),
        (pa.chunked_array([["A"], ["B"]]), ["a", "b"]),
        (pa.array([None, None]), [None, None]),
        (pa.array([], pa.string()), []),
    ):
        assert normalised(values).to_pylist() == wanted
    with pytest.raises(DataError, match="single values"):
        normalised(pa.array([[1]]))


def test_whole_numbers_stored_as_fractions_are_whole_however_large_and_no_number_is_no_key() -> None:
    large = pa.array([12345678901.0, float("nan"), None, 1e15])
    assert normalised(whole(large)).to_pylist() == ["12345678901", None, None, "1000000000000000"]
    exact = pa.array([decimal.Decimal("123456789012345678901234567890.00")], pa.decimal128(38, 2))
    assert normalised(whole(exact)).to_pylist() == ["123456789012345678901234567890"]
    for broken in (pa.array([1.5]), pa.array([decimal.Decimal("1.50")])):
        with pytest.raises(DataError, match="fractions"):
            whole(broken)


def test_a_key_that_a_file_holds_as_a_fraction_leaves_it_as_a_whole_number(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """As pandas stores whole numbers of which one is missing."""
    numbers = pa.table({"id": [1.0, 2.0, 3.0], "tax": [12345678901.0, None, 4.0], "share": [0.5, 1.0, 2.0]})
    pq.write_table(numbers, tmp_path / "people.parquet")
    catalogue.add("people", str(tmp_path / "people.parquet"), "id", {"tax": [Use.JOIN], "share": [Use.JOIN]})
    released = release(catalogue, "people", {"id": [Use.JOIN], "tax": [Use.JOIN]}).table.to_pydict()
    assert released == {"id": ["1", "2", "3"], "tax": ["12345678901", None, "4"]}
    with pytest.raises(DataError, match="fractions"):
        release(catalogue, "people", {"share": [Use.JOIN]})
