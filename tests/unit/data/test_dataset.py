"""What the catalogue keeps of a data set: nothing is lost on the way to JSON and back, and versions stay."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sql
from hypothesis import given
from hypothesis import strategies as st

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import (
    Classified,
    Column,
    Dataset,
    Evidence,
    FinancialClass,
    Level,
    Protection,
    Retention,
    Use,
    dataset_from_json,
)
from unseen.encoding import canonical, parse_json
from unseen.errors import DataError

EVIDENCE = st.builds(Evidence, st.text(max_size=8), st.integers(0, 1000), st.integers(0, 1000))
PROTECTION = st.builds(Protection, st.text(max_size=8), st.dictionaries(st.text(max_size=4), st.integers(0, 9)))
COLUMN = st.builds(
    Column,
    name=st.text(min_size=1, max_size=8),
    type=st.sampled_from(["string", "int64", "decimal(12, 2)"]),
    category=st.sampled_from(["unclassified", "user", "user.financial"]),
    level=st.sampled_from(Level),
    uses=st.lists(st.sampled_from(Use), unique=True).map(tuple),
    description=st.text(max_size=8),
    nulls=st.none() | st.floats(0, 1),
    distinct=st.none() | st.integers(0, 1 << 40),
    financial=st.sampled_from(FinancialClass),
    special=st.booleans(),
    confidence=st.floats(0, 1),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
    protection=st.none() | PROTECTION,
)
DATASET = st.builds(
    Dataset,
    name=st.just("loans"),
    source=st.text(max_size=8),
    subject=st.text(max_size=8),
    columns=st.lists(COLUMN, max_size=3).map(tuple),
    rows=st.integers(1, 1 << 40),
    version=st.integers(1, 99),
    registered=st.just("2026-01-01T00:00:00+00:00"),
    owner=st.text(max_size=8),
    retention=st.none() | st.builds(Retention, st.integers(1, 9999), st.text(max_size=4)),
    jurisdictions=st.lists(st.sampled_from(["EU", "US", "JP", "AU", "CN"]), unique=True).map(tuple),
)


@given(DATASET)
def test_an_entry_comes_back_from_its_json_as_it_was(dataset: Dataset) -> None:
    assert dataset_from_json(parse_json(canonical(dataset.as_json()))) == dataset


def test_an_entry_of_before_owners_and_categories_can_still_be_read() -> None:
    column = {
        "name": "id",
        "type": "string",
        "category": "unclassified",
        "level": "3",
        "uses": ["join"],
        "description": "",
    }
    entry = {"name": "d", "source": "s", "subject": "id", "columns": [column], "rows": 1, "version": 1}
    dataset = dataset_from_json({**entry, "registered": "2026-01-01T00:00:00+00:00"})
    assert dataset.column("id") == Column("id", "string", uses=(Use.JOIN,))
    assert not dataset.column("id").classified


@pytest.mark.parametrize(
    "value", [None, [], {"name": "x"}, {"surprise": 1}, {"columns": [{"name": "a", "type": "t", "level": "9"}]}]
)
def test_a_damaged_entry_is_said_to_be_one(value: object) -> None:
    with pytest.raises(DataError, match="damaged"):
        dataset_from_json(value)  # type: ignore[arg-type]


def test_every_change_is_a_version_and_the_earlier_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    pd.DataFrame({"id": ["a", "b", "b", None], "born": ["1980-01-01"] * 4}).to_parquet(path, index=False)
    catalogue = Catalogue(sql.create_engine(f"sqlite:///{tmp_path / 'state.db'}"))
    first = catalogue.add("people", str(path), "id")
    assert (first.rows, first.column("id").nulls, first.column("id").distinct) == (4, 0.25, 2)
    second = catalogue.steward(
        "people", owner="retail", retention=Retention(3650, "born"), jurisdictions=["EU", "US"]
    )
    assert (second.version, second.owner, second.jurisdictions) == (2, "retail", ("EU", "US"))
    held = Classified(
        "user.demographic.date_of_birth", Level.SENSITIVE, FinancialClass.C2, evidence=(Evidence("x"),)
    )
    third = catalogue.classify("people", {"born": held})
    assert third.column("born").category == "user.demographic.date_of_birth"
    assert third.column("born").evidence == (Evidence("x"),)
    fourth = catalogue.protect("people", {"id": Protection("token", {"purpose": "credit"})})
    assert fourth.column("id").protection == Protection("token", {"purpose": "credit"})
    assert fourth.column("born").classified
    assert fourth.owner == "retail"
    assert catalogue.protect("people", {"id": None}).column("id").protection is None
    assert catalogue.get("people", version=1) == first
    with pytest.raises(DataError, match="no column 'age'"):
        catalogue.steward("people", retention=Retention(1, "age"))
