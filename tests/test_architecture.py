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


READERS = {"read_csv", "read_parquet", "read_table", "read_sql", "read_feather", "ParquetFile", "ParquetDataset"}
"""Functions of Ibis, DuckDB, pandas and Arrow that read tables."""
LOOKERS = {"cli/protection.py"}
"""Files that show a steward their own rows: the risk of being found again, and copies that came back."""


def _ways_past_the_door(text: str, file: str) -> set[str]:
    """What in a module's text reads a source by another way than `release`."""
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {alias.name for node in imports for alias in node.names}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {ast.unparse(call.func) for call in calls if call.args or call.keywords}  # without: DuckDB in memory
    called |= {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    modules = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in imports}
    stem, inside = Path(file).stem, file.startswith("data/")
    found = set()
    if "open_source" in named and not (inside and stem in OPENERS | {"source"}):
        found.add("open_source")
    if "connected" in named and file not in ("data/engine.py", "data/source.py"):
        found.add("connected")
    if not inside and modules & {"unseen.data.source", "unseen.data.engine"}:
        found.add("the engine")
    if "unseen.data.look" in modules and file not in LOOKERS:
        found.add("look")
    if file not in CONNECTORS:
        found |= {"duckdb.connect", "ibis.connect", "psycopg.connect"} & called
    if file != "data/engine.py" and not file.startswith("cli/bench/"):
        found |= READERS & named
    return found


@pytest.mark.parametrize("path", FILES, ids=_names)
def test_rows_leave_a_source_by_one_door(path: Path) -> None:
    """Only `data` opens sources, no file but the engine's connects to one, and nothing else reads a table."""
    assert not _ways_past_the_door(path.read_text(encoding="utf-8"), path.relative_to(SOURCE).as_posix())


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("from unseen.data.source import open_source as o\no('x')", "interaction/door.py"),
        ("import unseen.data.source as s\ns.open_source('x')", "application/credit/job.py"),
        ("from unseen.data.source import open_source", "data/passage.py"),
        ("from unseen.data.engine import connected", "data/passage.py"),
        ("from unseen.data.engine import connected", "interaction/worker.py"),
        ("from unseen.data.look import columns_of", "application/credit/job.py"),
        ("from unseen.data import look", "interaction/worker.py"),
        ("import duckdb\nduckdb.connect('core.duckdb')", "interaction/worker.py"),
        ("from duckdb import connect\nconnect('core.duckdb')", "interaction/worker.py"),
        ("import psycopg\npsycopg.connect('host=core')", "data/passage.py"),
        ("import pandas\npandas.read_parquet('x')", "application/credit/job.py"),
        ("from pyarrow.parquet import read_table\nread_table('x')", "data/passage.py"),
    ],
)
def test_another_door_would_be_found(text: str, file: str) -> None:
    assert _ways_past_the_door(text, file)
