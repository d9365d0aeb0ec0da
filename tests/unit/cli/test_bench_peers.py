"""The comparison with another engine: both get the same inputs, and its table says what failed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unseen.cli.bench.peers import MATCHES, Match, markdown, turns, write_inputs
from unseen.cli.bench.registry import workload
from unseen.errors import MisuseError

PEER = Path(".peers/venv/bin/python")


@pytest.mark.parametrize("match", MATCHES, ids=lambda match: f"{match.work}-{match.way}")
def test_the_peer_gets_the_inputs_of_our_own_workload(match: Match, tmp_path: Path) -> None:
    known = workload(match.work)
    write_inputs(tmp_path, match, known.small)
    arrays = [np.load(path) for path in sorted(tmp_path.glob("in*.npy"))]
    if match.work == "align":
        left, right = ((tmp_path / f"keys{rank}.csv").read_text().split() for rank in range(2))
        assert left[0] == right[0] == "id"
        assert len(left) == len(right) == known.small["keys"] + 1
        assert len(set(left[1:]) & set(right[1:])) == known.small["keys"] // 2
    elif match.work == "logistic-regression":
        assert [array.shape for array in arrays] == [(11,), (500, 11), (500,)]
    else:
        given = known.load().prepare(0, 2, known.small)
        expected = [getattr(given, name) for name in match.inputs] or [given]
        assert all(np.array_equal(array, truth) for array, truth in zip(arrays, expected, strict=True))


def test_the_table_gives_ratios_of_medians_and_says_what_failed() -> None:
    ours = {"seconds": 0.5, "peak_rss_mb": 100.0, "error": 0.25}
    reports = [
        {
            "match": Match("product"),
            "size": {"values": 1000},
            "ours": [ours, ours | {"seconds": 0.7}, ours | {"seconds": 9.0}],
            "theirs": [{"seconds": 1.4, "peak_rss_mb": 200.0, "error": 0.125}] * 3,
        },
        {
            "match": Match("align", "RR22"),
            "size": {"keys": 10},
            "ours": [ours],
            "theirs": [{"failed": "no such | protocol"}],
        },
    ]
    *_, first, second = markdown(reports).splitlines()
    assert first.startswith(
        "| product | 1,000 values | 3 | 0.7 | 1.4 | 2.0 | 100 | 200 | error 0.25 | error 0.125 |"
    )
    assert second.startswith("| align (RR22) | 10 keys | 1 | 0.5 | – | – | 100 | – |")
    assert "no such / protocol" in second


def test_a_missing_environment_is_named_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="make bench-peers"):
        turns(tmp_path / "python", MATCHES[0], {"values": 10}, 1)


@pytest.mark.skipif(not PEER.exists(), reason="the peer's environment is not built here (make bench-peers)")
def test_both_compute_the_product() -> None:
    report = turns(PEER, MATCHES[0], {"values": 1000}, 1)
    assert report["theirs"][0]["error"] < 0.01
