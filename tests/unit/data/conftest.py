"""A PostgreSQL server for a whole run of the tests, and a catalogue for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sql
from postgres import Server, running_server

from unseen.data.catalogue import Catalogue


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(sql.create_engine(f"sqlite:///{tmp_path / 'state.db'}"))
