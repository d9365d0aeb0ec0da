"""The same table in DuckDB and in PostgreSQL, for the commands of a steward."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from unseen.cli import main
from unseen.interaction.home import Home

sys.path.append(str(Path(__file__).parents[1] / "data"))
from postgres import Server, running_server

ROWS = 300
TABLE = f"""
    create table loans as
    select 'c' || n as customer_id, 'person' || n || '@example.org' as mail, n * 1.5 as amount,
           date '2015-01-01' + (n % 3000)::int as closed, 'planted' || n as remark
    from generate_series(1, {ROWS}) as series(n)
"""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.execute(TABLE)
        yield running


@pytest.fixture(params=["duckdb", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> str:
    """The same table in both engines."""
    if request.param == "postgresql":
        return server.url("loans", sslmode="verify-full", password_file=server.password_file())
    with duckdb.connect(str(tmp_path / "core.duckdb")) as connection:
        connection.execute(TABLE)
    return f"{tmp_path / 'core.duckdb'}#loans"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path / "lender"))
    return Home.create(tmp_path / "lender", "lender", "127.0.0.1:7601")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that must succeed (or fail); gives its JSON (or its error's message)."""

    def tell(*words: str, fails: bool = False) -> Any:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([*words, "--json"])
        printed = capsys.readouterr()
        assert bool(caught.value.code) == fails, printed.out + printed.err
        value = json.loads(printed.out)
        return value["error"]["message"] if fails else value

    return tell
