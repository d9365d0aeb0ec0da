"""The comparison with another engine: both get the same inputs, and its table says what failed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from unseen.cli.bench.peer_contests import ALIGNMENTS, CONTESTS, Contest, write_inputs
from unseen.cli.bench.peer_table import HEAD, merged, rows
from unseen.cli.bench.peers import main, ours, theirs, turns
from unseen.cli.bench.registry import workload
from unseen.cli.bench.slow_link import SLOW
from unseen.errors import MisuseError

PEER = Path(".peers/venv/bin/python")
OURS = {"seconds": 0.5, "bytes": 2_000_000, "peak_rss_mb": 100.0, "error": 0.25}
THEIRS = {"seconds": 1.4, "bytes": 30_000_000, "peak_rss_mb": 200.0, "error": 0.125}
WHEN = "2026-11-23, load 0.5"


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: "-".join((contest.named(""), *contest.ways)))
def test_the_peer_gets_the_inputs_of_our_own_workload(contest: Contest, tmp_path: Path) -> None:
    known, size = workload(contest.work), contest.size(small=True)
    write_inputs(tmp_path, contest, size)
    arrays = [np.load(path) for path in sorted(tmp_path.glob("in*.npy"))]
    if contest.work in ALIGNMENTS:
        files = [path.read_text().split() for path in sorted(tmp_path.glob("keys*.csv"))]
        assert len(files) == contest.parties
        assert [lines[0] for lines in files] == ["id"] * contest.parties
        assert {len(lines) for lines in files} == {count + 1 for count in size.values()}
        common = set.intersection(*(set(lines[1:]) for lines in files))
        assert len(common) == size["keys"] // 2
    elif contest.work == "logistic-regression":
        assert [array.shape for array in arrays] == [(11,), (500, 11), (500,)]
    else:
        given = known.load().prepare(0, 2, size)
        expected = [getattr(given, name) for name in contest.inputs] or [given]
        assert all(np.array_equal(array, truth) for array, truth in zip(arrays, expected, strict=True))


def test_a_row_gives_medians_and_their_ratio() -> None:
    taken = [{"when": WHEN, "ours": OURS | {"seconds": seconds}, "SEMI2K": THEIRS} for seconds in (0.5, 0.7, 9.0)]
    (row,) = rows(Contest("product"), {"values": 1000}, taken)
    assert row[:6] == ("product", "1,000 values", "3", "0.7", "1.4", "2.0")
    assert row[6:] == ("2", "30", "100", "200", "error 0.25", "error 0.125", WHEN)
    assert len(row) == len(HEAD)


def test_a_row_says_what_failed_and_what_was_lost() -> None:
    contest = Contest("align-csv", ("RR22", "ECDH"), note="so")
    right = {
        "when": WHEN,
        "ours": OURS | {"common": 5},
        "RR22": THEIRS | {"common": 3},
        "ECDH": {"failed": "a | b"},
    }
    wrong = {"when": WHEN, "ours": {"failed": "no"}, "RR22": THEIRS | {"common": 5}, "ECDH": {"failed": "a | b"}}
    first, second = rows(contest, {"keys": 10}, [right, wrong])
    assert first[0] == "align-csv (RR22)"
    assert first[-3:-1] == ("failed in 1 of 2: no; all found", "lost 2 and 0 of the common ones; so")
    assert second[4:6] == ("–", "–")
    assert second[-2] == "failed in 2 of 2: a / b; so"


def test_a_row_names_the_link_and_the_preparation() -> None:
    contest = Contest("align-prepared", ("UB",), link=SLOW)
    turn = {
        "when": WHEN,
        "ours": OURS | {"common": 5, "preparation_seconds": 1.25},
        "UB": THEIRS | {"common": 5, "preparation_seconds": 20.0},
    }
    (row,) = rows(contest, {"keys": 10, "other": 20}, [turn])
    assert row[0] == "align-prepared (UB), 20 ms round trip, 100 Mbit/s each way"
    assert row[-3:-1] == ("all found; prepared in 1.25 s", "all found; prepared in 20 s")


def test_rows_of_one_work_leave_the_others_in_the_table() -> None:
    first, second = ((name, "1,000,000 values", *map(str, range(11))) for name in ("product", "comparison"))
    stranger = ("no contest", "3 values", *map(str, range(11)))
    page = merged("", [second, stranger])
    assert "no contest" not in page
    page = merged(page, [first])
    assert [line.split(" | ")[0] for line in page.splitlines()[-2:]] == ["| product", "| comparison"]
    again = merged(page, [(*second[:2], "new", *second[3:])]).splitlines()
    assert again[:-1] == page.splitlines()[:-1]
    assert again[-1] == page.splitlines()[-1].replace(" 0 ", " new ")


def test_what_fails_at_the_peer_is_told_and_does_not_end_the_comparison(tmp_path: Path) -> None:
    contest = Contest("product", limit=1e-3)
    assert "no result within" in theirs(Path(sys.executable), tmp_path, contest, "SEMI2K")["failed"]
    contest = Contest("product", limit=30.0)
    assert "ModuleNotFoundError" in theirs(Path(sys.executable), tmp_path, contest, "SEMI2K")["failed"]
    assert "the time that the measurement has" in ours(Contest("product", limit=1e-3), {"values": 10})["failed"]


def test_a_missing_environment_is_named_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="make bench-peers"):
        turns(tmp_path / "python", CONTESTS[0], {"values": 10}, 1)


def test_a_work_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["peers", "--work", "nothing"])
    with pytest.raises(SystemExit, match="there is no nothing here"):
        main()


@pytest.mark.skipif(not PEER.exists(), reason="the peer's environment is not built here (make bench-peers)")
def test_both_compute_the_product(capsys: pytest.CaptureFixture[str]) -> None:
    (turn,) = turns(PEER, CONTESTS[0], {"values": 1000}, 1)
    assert turn["SEMI2K"]["error"] < 0.01
    assert turn["SEMI2K"]["bytes"] > 16_000
    assert "turn 1: SPU SEMI2K" in capsys.readouterr().err
