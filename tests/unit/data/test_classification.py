"""Classification: right on labelled columns, sampled inside the engine, and without a value in what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faker import Faker
from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from personal_columns import PATTERNS, Labelled, generated, measured, of_faker_bank, of_name_generator
from postgres import Server

from unseen.data.catalogue import Catalogue
from unseen.data.classify.category import CATEGORIES, GENERAL
from unseen.data.classify.column import classify_column
from unseen.data.classify.dataset import SAMPLE_ROWS, classify, declared, sampled
from unseen.data.classify.vocabulary import VOCABULARY, plain_name
from unseen.data.dataset import Classified, FinancialClass, Level
from unseen.errors import MisuseError

IDENTITIES = Path(__file__).parents[4] / "shared" / "data" / "pii_identities"
labelled_data = pytest.mark.skipif(not IDENTITIES.is_dir(), reason=f"no labelled data in {IDENTITIES}")


def classified(name: str, values: list[object]) -> Classified:
    return classify_column(name, sampled(pa.array(values)))


def test_every_category_is_the_taxonomys() -> None:
    assert {category.fides_key for category in DEFAULT_TAXONOMY.data_category} >= set(CATEGORIES)
    assert {word.category for word in VOCABULARY} <= set(CATEGORIES)


def test_pattern_identifiers_are_found_among_two_hundred_columns() -> None:
    columns = generated()
    assert len(columns) == 200
    scores, wrong = measured(columns)
    for category in PATTERNS:
        assert scores[category].there >= 2
        assert scores[category].precision >= 0.95, wrong
        assert scores[category].recall >= 0.95, wrong
    assert len(wrong) <= 10, wrong


@labelled_data
def test_labelled_columns_of_others_are_told_apart() -> None:
    for columns in (
        of_faker_bank(IDENTITIES),
        of_name_generator(IDENTITIES, "fakenamegenerator_100.csv.gz"),
        of_name_generator(IDENTITIES, "fakenamegenerator_3000.csv.gz"),
    ):
        scores, wrong = measured(columns)
        assert all(scores[category].precision >= 0.95 for category in PATTERNS if category in scores), wrong
        assert all(scores[category].recall >= 0.95 for category in PATTERNS if category in scores), wrong


@labelled_data
def test_without_names_the_values_alone_tell_the_identifiers() -> None:
    bare = [Labelled("x", column.values, column.category) for column in of_faker_bank(IDENTITIES)]
    scores, wrong = measured(bare)
    for category in ("user.contact.email", "user.contact.phone_number", "user.device.ip_address", PATTERNS[4]):
        assert scores[category].recall == scores[category].precision == 1.0, wrong
    found = classified(
        "x", next(column.values for column in bare if column.category == "user.financial.credit_card")
    )
    assert (found.category, found.evidence[0].rule) == ("user.financial.credit_card", "card-luhn")


@pytest.mark.parametrize(
    ("name", "values", "category", "level", "financial", "special"),
    [
        (
            "cvv",
            ["123", "456"],
            "user.authorization.credentials",
            Level.HIGHLY_SENSITIVE,
            FinancialClass.C3,
            False,
        ),
        ("Konfession", ["rk", "ev"], "user.demographic.religious_belief", Level("4"), FinancialClass.C2, True),
        ("trade_union", ["yes", "no"], "user.demographic.profile", Level("4"), FinancialClass.C2, True),
        ("指纹", ["a", "b"], "user.biometric", Level("4"), FinancialClass.C3, True),
        ("病史", ["a", "b"], "user.health_and_medical", Level("4"), FinancialClass.C2, True),
        ("AnnualIncome", ["1000", "2000.5"], "user.financial", Level.SENSITIVE, FinancialClass.C2, False),
        ("生年月日", ["1980-01-02"], "user.demographic.date_of_birth", Level.SENSITIVE, FinancialClass.C2, False),
        ("branch", ["a", "b"], GENERAL, Level.INTERNAL, FinancialClass.C1, False),
    ],
)
def test_a_category_brings_its_level_class_and_special_flag(
    name: str, values: list[object], category: str, level: Level, financial: FinancialClass, special: bool
) -> None:
    found = classified(name, values)
    assert (found.category, found.level, found.financial, found.special) == (category, level, financial, special)


def test_a_name_is_not_believed_where_the_values_cannot_be_it() -> None:
    assert classified("email", ["yes", "no", "yes"]).category == GENERAL
    assert classified("card_network", ["visa", "amex"]).category == GENERAL
    assert classified("WesternUnionMTCN", ["694511624", "739899839"]).category == GENERAL


def test_random_digits_are_no_cards_however_long_the_column() -> None:
    """One random number in ten passes Luhn's check: the decoy of the labelled data."""
    draw = np.random.default_rng(5)
    digits = [f"4{number:015d}" for number in draw.integers(0, 10**15, 2000)]
    assert classified("x", list(digits)).category == GENERAL
    assert classified("bank_account_no", list(digits)).category == "user.financial.bank_account"


@pytest.mark.parametrize("values", [[], [None, None], ["", "  "], [[1], [2]], [b"\xff"]])
def test_a_column_without_values_to_look_at_is_said_to_be_one(values: list[object]) -> None:
    found = classified("anything", values)
    assert (found.category, found.confidence) == (GENERAL, 0.0)


def test_types_that_are_no_text_are_looked_at_too() -> None:
    born = pa.array(pd.to_datetime(["1960-05-06", "1985-01-01"] * 20).date)
    assert classify_column("born_on", sampled(born)).category == "user.demographic.date_of_birth"
    numbers = pa.array([4111111111111111, 5500005555555559] * 20)
    assert classify_column("n", sampled(numbers)).category == "user.financial.credit_card"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("CCNumber", "cc_number"),
        ("dateOfBirth", "date_of_birth"),
        ("cc-number ", "cc_number"),
        ("LIMIT_BAL", "limit_bal"),
        ("IBANCode", "iban_code"),
    ],
)
def test_a_columns_name_is_read_however_it_is_written(written: str, plain: str) -> None:
    assert plain_name(written) == plain


def test_no_value_stands_in_what_is_found(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "people.parquet"
    emails = [f"planted{n}@example.org" for n in range(50)]
    pq.write_table(pa.table({"id": [f"c{n}" for n in range(50)], "m": emails, "n": emails}), path)
    entry = catalogue.add("people", str(path), "id")
    found = classify(catalogue, "people")
    assert found["m"].category == "user.contact.email"
    assert found["m"].evidence[0].matched == found["m"].evidence[0].sampled == 50
    assert "planted" not in repr(found)
    assert catalogue.get("people") == entry, "nothing is recorded before a person has confirmed"
    kept = catalogue.classify("people", found)
    assert kept.column("m").category == "user.contact.email"
    assert "planted" not in str(kept.as_json())


def test_rows_are_drawn_inside_the_server(server: Server, catalogue: Catalogue) -> None:
    server.execute(
        "create table many (id text, tel text)",
        "insert into many select 'c'||n, '+49 30 '||(1000000+n) from generate_series(1, 40000) n",
        "analyze many",
    )
    location = server.url("many", sslmode="verify-full", password_file=server.password_file())
    catalogue.add("many", location, "id")
    before = len(server.log())
    found = classify(catalogue, "many")
    asked = server.log()[before:]
    assert found["tel"].category == "user.contact.phone_number"
    assert found["tel"].evidence[0].sampled <= SAMPLE_ROWS
    assert "TABLESAMPLE" in asked
    assert f"LIMIT {SAMPLE_ROWS}" in asked


def test_a_steward_can_say_what_a_column_holds() -> None:
    assert declared("user.health_and_medical").special
    assert declared("user.financial").evidence[0].rule == "declared"
    with pytest.raises(MisuseError, match=r"no category that is known here; use one of .*user\.financial"):
        declared("user.shoe_size")


def test_presidio_speaks_for_identifiers_that_ours_do_not_know() -> None:
    """Türkiye's identity number, by its check digits; ours have none for it."""
    pytest.importorskip("presidio_analyzer", reason="the extra unseen[classify] is not installed")
    fake = Faker("tr_TR")
    fake.seed_instance(1)
    found = classified("reference", [fake.ssn() for _ in range(40)])
    assert (found.category, found.evidence[0].rule) == (PATTERNS[4], "presidio-tr_national_id")
