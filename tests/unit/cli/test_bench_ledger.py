"""The ledger's measurement fills, appends, proves and verifies a real ledger."""

from __future__ import annotations

from pathlib import Path

from unseen.cli.bench.ledger import APPENDS, measure
from unseen.interaction.verify import verify_ledger


def test_what_is_measured_is_a_ledger_that_verifies(tmp_path: Path) -> None:
    report = measure(200, tmp_path)
    assert report["entries"] == 200
    assert verify_ledger(tmp_path / "ledger").entries == 200 + APPENDS
    assert {"append_ms", "inclusion_proof_ms", "consistency_proof_ms", "verify_seconds"} <= set(report)
