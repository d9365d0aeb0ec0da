"""Nodes that run for all end-to-end tests: a test that stops one starts it again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from neighbourhood import Neighbourhood, running


@pytest.fixture(scope="session")
def session_houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with running(tmp_path_factory.mktemp("houses")) as houses:
        yield houses


@pytest.fixture
def houses(session_houses: Neighbourhood) -> Neighbourhood:
    """A lender, a bureau and a dealer, all nodes running."""
    for institution in session_houses.all:
        if institution.process is None or institution.process.poll() is not None:
            institution.stop()
            institution.start()
    return session_houses
