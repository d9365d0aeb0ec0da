"""The shape of the code, held by a test: what may import what is import-linter's, sizes and purity are here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "unseen"
FILES = sorted(SOURCE.rglob("*.py"))
MOST_LINES = 400
FORBIDDEN_NAMES = {"utils", "common", "base", "manager", "helpers", "misc"}
IMPURE = {"socket", "ssl", "time", "pathlib", "os", "sqlite3", "sqlalchemy", "ibis", "subprocess", "asyncio"}


def _names(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=_names)
def test_a_file_is_one_concept_of_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", sorted((SOURCE / "computation").rglob("*.py")), ids=_names)
def test_computation_knows_no_file_no_clock_and_no_network(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    called = {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not imported & IMPURE
    assert "open" not in called


@pytest.mark.parametrize("path", FILES, ids=_names)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", FILES, ids=_names)
def test_nothing_is_unpickled_or_evaluated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not names & {"eval", "exec"}
    assert not modules & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


OPENERS = {"catalogue", "dataset", "freshness", "release", "key_check", "holding", "look", "purge"}
"""Modules of the data layer that open a source: to count and classify, and to release."""
CONNECTORS = {"data/engine.py", "data/subject/book.py", "data/purge.py"}
"""Files that connect to a database file: the engine that reads sources, the book of persons, the purge."""


@pytest.mark.parametrize("path", FILES, ids=_names)
def test_rows_leave_a_source_by_one_door(path: Path) -> None:
    """Only `data` opens sources, and no file but the engine's connects to one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {ast.unparse(call.func) for call in calls if call.args or call.keywords}  # without: DuckDB in memory
    if "open_source" in named:
        assert "data" in path.relative_to(SOURCE).parts
        assert path.stem in OPENERS | {"source"}
    if path.relative_to(SOURCE).as_posix() not in CONNECTORS:
        assert not {"duckdb.connect", "ibis.connect", "ibis.read_csv", "ibis.read_parquet"} & called
