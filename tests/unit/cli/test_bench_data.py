"""The data layer at size: a long file leaves in bounded memory, a book of consents is passed by a stream."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ROWS = 600_000
MOST_MEGABYTES = 1024
"""What a release of twenty million rows may take; `python -m unseen.cli.bench.data` measures those."""


@pytest.mark.parametrize("consents", [20_000])
def test_each_part_runs_in_a_process_of_its_own_and_in_bounded_memory(consents: int) -> None:
    command = [sys.executable, "-m", "unseen.cli.bench.data", "--rows", str(ROWS), "--consents", str(consents)]
    done = subprocess.run([*command, "--values", "20000"], capture_output=True, text=True, check=True, timeout=120)
    found = {line.split(" ", 1)[0]: json.loads(line.split(" ", 1)[1]) for line in done.stdout.splitlines()}
    assert set(found) == {"release", "consents", "protections"}
    assert found["release"]["rows"] == ROWS
    assert found["consents"]["rows"] == consents
    assert found["release"]["peak_rss_mb"] < MOST_MEGABYTES
