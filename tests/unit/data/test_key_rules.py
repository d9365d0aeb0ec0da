"""Rules by which keys are written, against phonenumbers, python-stdnum and Python's own dates."""

from __future__ import annotations

import datetime
import importlib
from pathlib import Path

import pandas as pd
import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.catalogue import Catalogue
from unseen.data.key_check import column_report, parse_keys
from unseen.data.key_rules import SCHEMES, KeyForm, Rule, form_of, require_same
from unseen.data.phone import REGIONS
from unseen.errors import DataError, MisuseError


def written(rule: str, *values: object) -> list[str | None]:
    kept: list[str | None] = form_of(rule).written(pa.array(values)).to_pylist()
    return kept


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_telephone_numbers_are_written_as_phonenumbers_writes_them(region: str) -> None:
    formats = phonenumbers.PhoneNumberFormat
    kinds = phonenumbers.PhoneNumberType
    examples = [
        number
        for kind in (kinds.MOBILE, kinds.FIXED_LINE)
        if (number := phonenumbers.example_number_for_type(region, kind))
    ]
    assert examples
    for number in examples:
        wanted = phonenumbers.format_number(number, formats.E164)
        forms = [
            phonenumbers.format_number(number, form)
            for form in (formats.E164, formats.INTERNATIONAL, formats.RFC3966, formats.NATIONAL)
        ]
        assert set(written(f"unseen-phone/1:{region}", *forms)) == {wanted}
        assert set(written("unseen-phone/1", *forms[:3])) == {wanted}
        caller = "ES" if region == "FR" else "FR"
        abroad = phonenumbers.format_out_of_country_calling_number(number, caller)
        assert written(f"unseen-phone/1:{caller}", abroad) == [wanted]


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_calling_codes_are_those_of_phonenumbers(region: str) -> None:
    assert REGIONS[region].code == str(phonenumbers.country_code_for_region(region))


def test_a_telephone_number_has_one_form_however_it_is_typed() -> None:
    typed = (
        "0170 / 123-4567",
        "+49 (0)170 1234567",
        "0049170 1234567",
        "(0170) 1234567",
        "０１７０ 1234567",
        "tel:+49-170-1234567",
    )
    assert set(written("unseen-phone/1:DE", *typed)) == {"+491701234567"}
    assert written("unseen-phone/1:US", "(202) 555-0143", "1 202 555 0143", "011 49 170 1234567") == [
        "+12025550143",
        "+12025550143",
        "+491701234567",
    ]
    assert written("unseen-phone/1:IT", "06 1234567", "+39 06 1234567") == ["+39061234567"] * 2


def test_what_is_no_telephone_number_gives_no_key() -> None:
    bad = ("unknown", "", None, "0", "+49 170 1234567 ext. 5", "+0123456789", "+4912345678901234", "a@b.de")
    assert written("unseen-phone/1:DE", *bad) == [None] * len(bad)
    assert written("unseen-phone/1", "0170 1234567") == [None]


def test_documents_lose_their_separators_and_case_and_placeholders_give_no_key() -> None:
    assert written("unseen-document/1", "de 123.456-789", "DE123456789", "京a-12345", "7") == [
        "DE123456789",
        "DE123456789",
        "京A12345",
        "7",
    ]
    bad = ("N/A", "unknown", "-", "0000000", "99999", "a" * 65 + "1", None, "1€2")
    assert written("unseen-document/1", *bad) == [None] * len(bad)


NUMBERS = {
    "de-tax-id": ("de.idnr", "36 574 261 809"),
    "fr-nir": ("fr.nir", "2 95 10 99 126 111 93"),
    "es-dni-nie": ("es.dni", "54362315-k"),
    "it-codice-fiscale": ("it.codicefiscale", "rccmnl83s18d969h"),
    "nl-bsn": ("nl.bsn", "1112.22.333"),
    "be-register": ("be.nn", "85.07.30-033.28"),
    "pl-pesel": ("pl.pesel", "44051401359"),
    "au-tfn": ("au.tfn", "123 456 782"),
    "ro-cnp": ("ro.cnp", "1630615123457"),
    "cn-resident-id": ("cn.ric", "360426199101010071"),
}


@pytest.mark.parametrize("scheme", sorted(NUMBERS))
def test_check_digits_decide_where_a_scheme_is_named(scheme: str) -> None:
    module, typed = NUMBERS[scheme]
    oracle = importlib.import_module(f"stdnum.{module}")
    key = written(f"unseen-document/1:{scheme}", typed)[0]
    assert key is not None
    assert key == oracle.compact(typed).upper()
    assert oracle.is_valid(key)
    place = 3
    wrong = key[:place] + str((int(key[place], 36) + 1) % 10) + key[place + 1 :]
    assert written(f"unseen-document/1:{scheme}", wrong) == [wrong if oracle.is_valid(wrong) else None]


def test_every_scheme_takes_columns_of_anything() -> None:
    for scheme in SCHEMES:
        assert written(f"unseen-document/1:{scheme}", None, "", "ab", "é1") == [None] * 4


def test_addresses_are_folded_whole() -> None:
    assert written("unseen-email/1", " A.B@Example.COM ", "ａ@b.de", "ä+x@sub.example.org") == [
        "a.b@example.com",
        "a@b.de",
        "ä+x@sub.example.org",
    ]
    bad = ("none", "a@b", "a b@c.de", "a@b.de, c@d.de", "@b.de", "a@.de", "a@b.", None)
    assert written("unseen-email/1", *bad) == [None] * len(bad)


@given(st.dates(datetime.date(1850, 1, 1), datetime.date(2150, 12, 31)))
def test_every_day_is_written_alike_from_every_form(day: datetime.date) -> None:
    assert (
        written("unseen-date/1", day.isoformat(), day.strftime("%Y%m%d"), f"{day.isoformat()}T23:59:00Z")
        == [day.isoformat()] * 3
    )
    assert written("unseen-date/1:DMY", f"{day.day}.{day.month}.{day.year}") == [day.isoformat()]
    assert written("unseen-date/1:MDY", f"{day.month}/{day.day}/{day.year}") == [day.isoformat()]
    assert written("unseen-date/1", day) == [day.isoformat()]
    assert written("unseen-date/1:DMY", datetime.datetime(day.year, day.month, day.day, 23, 59)) == [
        day.isoformat()
    ]


@given(st.integers(1, 2200), st.integers(0, 13), st.integers(0, 32))
def test_no_other_day_is_written(year: int, month: int, day: int) -> None:
    try:
        found = datetime.date(year, month, day)
    except ValueError:
        found = datetime.date(1, 1, 1)
    wanted = found.isoformat() if 1850 <= found.year <= 2150 else None
    assert written("unseen-date/1", f"{year:04}-{month:02}-{day:02}") == [wanted]
    assert written("unseen-date/1:DMY", f"{day:02}.{month:02}.{year:04}") == [wanted]


@pytest.mark.parametrize("rule", [*Rule, "unseen-phone/1:GB", "unseen-date/1:DMY"])
@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=20))
def test_any_text_is_written_or_gives_no_key_and_writing_twice_changes_nothing(
    rule: str, values: list[str | None]
) -> None:
    form = form_of(rule)
    once = form.written(pa.array(values, pa.string()))
    assert len(once) == len(values)
    assert "" not in once.to_pylist()
    assert KeyForm(form.rule).written(once).to_pylist() == once.to_pylist()


def test_numbers_stored_as_fractions_are_whole_or_refused() -> None:
    assert written("unseen-document/1", 4917.0, None) == ["4917", None]
    with pytest.raises(DataError, match="fractions"):
        written("unseen-key/1", 1.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unseen-phone/2", "no key rule"),
        ("phone", "no key rule"),
        ("unseen-phone/1:XX", "no telephone region"),
        ("unseen-document/1:none", "de-tax-id"),
        ("unseen-date/1:YDM", "DMY, MDY"),
        ("unseen-key/1:x", "there are: none"),
    ],
)
def test_an_unknown_rule_names_those_there_are(text: str, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        form_of(text)


def test_both_sides_name_one_rule_and_each_its_own_reading() -> None:
    require_same({"bank": form_of("unseen-phone/1:DE"), "bureau": form_of("unseen-phone/1:CH")})
    with pytest.raises(MisuseError, match="bank unseen-key/1, bureau unseen-phone/1"):
        require_same({"bank": form_of("unseen-key/1"), "bureau": form_of("unseen-phone/1")})
    assert str(form_of("unseen-phone/1:DE")) == "unseen-phone/1:DE"


def test_columns_are_checked_as_the_keys_that_they_become(catalogue: Catalogue, tmp_path: Path) -> None:
    phones = (
        [f"0170 {1_000_000 + i}" for i in range(70)] + ["0170 1234567"] * 20 + ["+49 170 1000001", "x", "", None]
    )
    frame = pd.DataFrame({"id": range(len(phones)), "phone": phones})
    frame.to_parquet(tmp_path / "people.parquet", index=False)
    catalogue.add("people", str(tmp_path / "people.parquet"), "id")
    ((column, form),) = parse_keys(["phone=unseen-phone/1:DE"]).items()
    report = column_report(catalogue, "people", column, form)
    assert (report["empty"], report["duplicate"], report["malformed"]) == (2 / 94, 20 / 94, 1 / 94)
    assert report["normalisation"] == "unseen-phone/1:DE"
    assert report["warnings"] == [
        "2.13% of the keys are empty",
        "21.28% of the keys are repeated",
        "1.06% of the keys are malformed",
        "one value stands in 20 rows: is it a placeholder?",
    ]
    with pytest.raises(MisuseError, match="COLUMN=RULE"):
        parse_keys(["phone"])
