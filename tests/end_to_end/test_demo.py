"""The demo as a person runs it: one command, three node processes, a report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIMIT = 400
pytestmark = pytest.mark.timeout(LIMIT + 20)


def unseen(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unseen", *words], capture_output=True, text=True, timeout=LIMIT, check=False
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo") / "homes"
    done = unseen("demo", "--home", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_the_joint_model_beats_the_lender_alone_on_the_same_held_out_rows(
    demo: tuple[Path, dict[str, Any]],
) -> None:
    _, outcome = demo
    assert set(outcome) == {
        "alone",
        "joint",
        "rows_aligned",
        "seconds",
        "bytes",
        "disclosures",
        "law",
        "ledgers_verified",
        "report",
    }
    assert outcome["joint"]["auc"] > outcome["alone"]["auc"] + 0.03
    assert 0.58 < outcome["alone"]["auc"] < 0.66
    assert 0.65 < outcome["joint"]["auc"] < 0.72
    assert outcome["rows_aligned"] == 9857 - 985 - 1  # who objected is left out
    assert outcome["ledgers_verified"] is True
    assert {"align", "bin", "train", "evaluate"} <= set(outcome["seconds"])
    assert set(outcome["disclosures"]) == {"lender", "bureau", "dealer"}
    assert outcome["law"]["permitted"] is True
    assert {pack["id"] for pack in outcome["law"]["packs"]} == {"eu", "us"}


def test_the_report_is_one_page_with_plots_that_loads_nothing(demo: tuple[Path, dict[str, Any]]) -> None:
    page = Path(demo[1]["report"]).read_text(encoding="utf-8")
    assert page.count("<svg") >= 4 + 10
    assert "all ledgers verify" in page
    for outside in ('src="', "@import", "<script", "<link"):
        assert outside not in page


def test_no_row_of_the_bureau_is_in_the_lenders_home_nor_the_other_way(demo: tuple[Path, dict[str, Any]]) -> None:
    """Identifiers of customers that are not common, and column names of values, planted by the data itself."""
    folder, _ = demo
    theirs = re.compile(rb"(?i)XB-[0-9]{4}")  # three letters alone are in any ciphertext of some length
    for name in ("lender", "dealer"):
        for file in (folder / name).rglob("*"):
            if file.is_file():
                assert not theirs.search(file.read_bytes()), file
    for file in (folder / "dealer").rglob("*"):
        if file.is_file():
            assert not re.search(rb"LC-[0-9]{4}", file.read_bytes()), file


@pytest.mark.parametrize(
    ("name", "source", "key"), [("lender", "loans", "member_id"), ("bureau", "file", "person_id")]
)
def test_after_a_full_job_no_row_lies_in_the_clear_in_a_home(
    demo: tuple[Path, dict[str, Any]], tmp_path: Path, name: str, source: str, key: str
) -> None:
    """Neither identifiers nor values, neither as text nor as the bytes of numbers nor inside Parquet."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    home = demo[0] / name
    rows = pq.read_table(home / f"{source}.parquet")
    planted = [each.encode() for each in rows.column(key).cast("string").to_pylist()[:300]]
    for column in rows.columns:
        if pa.types.is_floating(column.type):
            values = np.unique(column.drop_null().to_numpy().astype(np.float64))
            planted += [value.tobytes() for value in values[values % 1 != 0][:100]]
    shown = tmp_path / "shown.parquet"
    pq.write_table(
        pa.table(rows.columns, names=rows.column_names), shown, compression="none", use_dictionary=False
    )
    assert sum(each in shown.read_bytes() for each in planted) > len(planted) / 2  # what is sought can be found
    for file in home.rglob("*"):
        if file.is_file() and file.name != f"{source}.parquet":
            data = file.read_bytes()
            assert not any(each in data for each in planted), file
            assert data[:4] != b"PAR1", file


def test_a_person_opens_the_results_and_the_ledger_says_so(
    demo: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    home = demo[0] / "lender"
    keys = pq.read_table(home / "loans.parquet").column("member_id").cast("string").to_pylist()
    (job,) = json.loads(unseen("jobs", "--home", str(home), "--json").stdout)["jobs"]
    opened = unseen("job", "open", job["job"], "--to", str(tmp_path / "open"), "--home", str(home), "--json")
    assert opened.returncode == 0, opened.stderr
    scores = pq.read_table(tmp_path / "open" / "scores.parquet")
    assert {key.casefold() for key in keys} >= set(scores.column("key").to_pylist())
    assert "results opened" in (home / "ledger" / "entries.jsonl").read_text()


def test_a_flipped_byte_in_a_copied_ledger_is_named_by_its_entry(
    demo: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _ = demo
    copies = []
    for name in ("lender", "bureau", "dealer"):
        copy = tmp_path / name
        copy.mkdir()
        for file in (folder / name / "ledger").iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        copies.append(str(copy))
    assert unseen("verify", *copies).returncode == 0
    entries = tmp_path / "bureau" / "entries.jsonl"
    data = bytearray(entries.read_bytes())
    place = len(data) // 2
    data[place] ^= 1
    entries.write_bytes(data)
    done = unseen("verify", *copies)
    assert done.returncode == 1
    assert f"entry {bytes(data[:place]).count(10)}" in done.stdout + done.stderr


def test_a_second_demo_does_not_overwrite_the_first(demo: tuple[Path, dict[str, Any]]) -> None:
    done = unseen("demo", "--home", str(demo[0]))
    assert done.returncode == 1
    assert "holds a demo already" in done.stderr
