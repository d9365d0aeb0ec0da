"""A table of a local Spark as a source: released like any other; needs Java and the extra `spark`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Use
from unseen.data.release import release

if shutil.which("java") is None:
    pytest.skip("Spark needs Java, which is not on this machine", allow_module_level=True)
pyspark_sql = pytest.importorskip("pyspark.sql", reason="the extra `spark` is not installed")


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a table that later sessions find again: warehouse and metastore lie in a folder."""
    settings = {
        "spark.master": "local[1]",
        "spark.ui.enabled": "false",
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": tmp_path / "warehouse",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={tmp_path}/store;create=true",
    }
    (tmp_path / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.chdir(tmp_path)  # the metastore writes its log where it stands
    session = pyspark_sql.SparkSession.builder.getOrCreate()
    frame = session.createDataFrame([(f"p{n}", float(n), n % 7) for n in range(500)], ["id", "amount", "branch"])
    frame.write.saveAsTable("loans")
    session.stop()
    return "pyspark://?table=loans"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_spark_table_is_registered_and_released_with_no_unneeded_column(
    loans: str, catalogue: Catalogue
) -> None:
    catalogue.add("loans", loans, "id", {"amount": (Use.FEATURE,)})
    out = release(catalogue, "loans", {"id": (Use.JOIN,), "amount": (Use.FEATURE,)})
    assert out.table.column_names == ["id", "amount"]
    assert out.record.rows == 500
    assert sorted(out.table["id"].to_pylist())[:2] == ["p0", "p1"]
    assert sum(out.table["amount"].to_pylist()) == sum(range(500))
