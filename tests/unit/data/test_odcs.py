"""Data contracts: what is written is valid by the standard's own schema and comes back without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from open_data_contract_standard.model import OpenDataContractStandard
from test_dataset import DATASET

from unseen.data.dataset import Column, Dataset, Level, Retention, Use
from unseen.data.odcs import from_odcs, to_odcs
from unseen.errors import MisuseError

SCHEMA = (files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft201909Validator(json.loads(SCHEMA))
LOANS = Dataset(
    "loans",
    "/data/loans.parquet",
    "customer_id",
    (
        Column("customer_id", "string", "user.unique_id.pseudonymous", uses=(Use.JOIN,), nulls=0.0, distinct=10),
        Column("amount", "decimal(12, 2)", "user.financial", Level.HIGHLY_SENSITIVE, description="of the loan"),
    ),
    10,
    3,
    "2026-01-01T00:00:00+00:00",
    "retail lending",
    Retention(3650, "closed"),
    ("EU",),
)


@settings(max_examples=60, deadline=None)
@given(DATASET)
def test_every_entry_is_a_valid_contract_and_comes_back_as_it_was(dataset: Dataset) -> None:
    dataset = replace(dataset, subject=dataset.subject or "id", source=dataset.source or "s.csv")
    text = to_odcs(dataset)
    VALIDATOR.validate(yaml.safe_load(text))
    OpenDataContractStandard.from_string(text)
    assert from_odcs(text) == dataset


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("/data/loans.parquet", "local"),
        ("/data/loans.csv.gz", "local"),
        ("/data/bank.duckdb#loans", "duckdb"),
        ("postgresql://reader@db:5433/core?table=loans", "postgresql"),
        ("trino://reader@lake/hive?table=loans", "custom"),
    ],
)
def test_every_kind_of_source_has_its_server_in_the_standards_words(source: str, kind: str) -> None:
    contract = yaml.safe_load(to_odcs(replace(LOANS, source=source)))
    VALIDATOR.validate(contract)
    assert contract["servers"][0]["type"] == kind


def test_the_standards_own_fields_say_what_they_can() -> None:
    contract = yaml.safe_load(to_odcs(LOANS))
    assert contract["team"]["members"] == [{"username": "retail lending", "role": "owner"}]
    assert contract["slaProperties"] == [
        {"property": "retention", "value": 3650, "unit": "d", "element": "loans.closed"}
    ]
    key, amount = contract["schema"][0]["properties"]
    assert (key["primaryKey"], key["required"], key["logicalType"]) == (True, True, "string")
    assert (amount["classification"], amount["logicalType"], amount["required"]) == ("4", "number", False)


def test_a_contract_of_another_tool_becomes_an_entry_that_offers_nothing_yet() -> None:
    text = """
    apiVersion: v3.0.2
    kind: DataContract
    id: 53581432
    version: 1.1.0
    status: active
    servers: [{server: here, type: local, path: loans.csv, format: csv}]
    team: [{username: ann, role: owner}]
    slaProperties: [{property: retention, value: 3, unit: y, element: loans.closed}]
    schema:
      - name: loans
        properties:
          - {name: customer_id, logicalType: string, primaryKey: true, classification: confidential}
          - {name: amount, logicalType: number, physicalType: "decimal(12,2)"}
    """
    dataset = from_odcs(text)
    assert (dataset.name, dataset.subject, dataset.source, dataset.owner) == (
        "loans",
        "customer_id",
        "loans.csv",
        "ann",
    )
    assert dataset.retention == Retention(1095, "closed")
    assert not any(column.classified or column.uses for column in dataset.columns)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no YAML"),
        ("- 1", "kind: DataContract"),
        ("kind: DataContract", "version 3"),
        ("{kind: DataContract, apiVersion: v3.1.0}", "schema"),
        ("{kind: DataContract, apiVersion: v3.1.0, schema: [{name: a}, {name: b}]}", "several schemas"),
        ("{kind: DataContract, apiVersion: v3.1.0, schema: [{name: a, properties: []}]}", "names no subject"),
        ("{kind: DataContract, apiVersion: v3.1.0, schema: 7}", "wrong one"),
    ],
)
def test_what_is_no_contract_is_refused_with_what_it_lacks(text: str, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        from_odcs(text)


def test_a_contract_whose_own_fields_were_damaged_is_refused() -> None:
    with pytest.raises(MisuseError, match=r"damaged|wrong one"):
        from_odcs(to_odcs(LOANS).replace("value: user.financial", "value: [1]").replace("- join", "- steal"))
