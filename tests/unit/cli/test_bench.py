"""The measuring harness: every workload runs at a small size, and real processes report in one form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from unseen.cli.bench.harness import measure
from unseen.cli.bench.registry import WORKLOADS, Workload, workload
from unseen.cli.bench.tables import markdown, write_between
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.errors import AbortedError, MisuseError

FORM = {
    "work",
    "parties",
    "size",
    "seconds",
    "seconds_min",
    "seconds_max",
    "bytes",
    "rounds",
    "peak_rss_mb",
}


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
def test_every_workload_runs_at_its_small_size(work: Workload) -> None:
    program = work.load()

    def party(circle: Circle) -> Mapping[str, object]:
        inputs = program.enter(circle, program.prepare(circle.rank, circle.size, work.small))
        return program.run(circle, inputs)

    assert not [name for name in run_parties(party, work.parties)[0] if name in FORM]


@pytest.mark.parametrize("name", ["comparison", "align", "known-at"])
def test_processes_report_in_the_common_form(name: str) -> None:
    work = workload(name)
    report = measure(work, work.small, repeat=1)
    assert set(report) >= FORM
    assert report["size"] == dict(work.small)
    assert report["bytes"] > 0
    assert report["seconds_min"] <= report["seconds"] <= report["seconds_max"]


def test_bytes_and_rounds_are_those_of_the_protocol() -> None:
    report = measure(workload("round-trip"), {"times": 50}, repeat=2)
    assert report["rounds"] == 50
    assert report["bytes"] == 50 * 2 * (16 + 8)


def test_three_parties_meet_as_two_do() -> None:
    report = measure(workload("open"), {"words": 100}, parties=3, repeat=1)
    assert report["parties"] == 3
    assert report["bytes"] == 3 * 2 * (16 + 800)


def test_a_measurement_that_fails_says_where() -> None:
    with pytest.raises(AbortedError, match="the measurement failed at party0"):
        measure(workload("open"), {"words": 1 << 60}, repeat=1)  # more than any machine's memory


def test_an_unknown_size_or_workload_is_named() -> None:
    with pytest.raises(MisuseError, match="has no size rows"):
        workload("open").sized({"rows": 1})
    with pytest.raises(MisuseError, match="known: round-trip"):
        workload("nothing")


def test_a_bare_number_is_the_only_size_there_is() -> None:
    assert workload("align").read(["4096"]) == workload("align").read(["keys=4096"]) == {"keys": 4096}
    assert workload("histogram").read(["rows=10", "bins=4"]) == {"rows": 10, "bins": 4}
    for work, word in (("histogram", "10"), ("align", "many"), ("align", "keys="), ("align", "=5"), ("align", "")):
        with pytest.raises(MisuseError, match=rf"no size of {work}; write "):
            workload(work).read([word])


def test_the_page_shows_an_alignment_at_three_sizes_and_with_three_parties() -> None:
    shown = workload("align").shown()
    assert shown == [({"keys": keys}, 2) for keys in (1 << 20, 1 << 22, 1 << 24)] + [({"keys": 1 << 20}, 3)]
    assert workload("known-at").shown() == [(workload("known-at").size, 3)]


def test_tables_are_written_between_their_markers_only(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n")
    report = dict.fromkeys(FORM, 1.0) | {"work": "open", "size": {"words": 5}, "auc": 0.7}
    write_between(page, "bench", markdown([report]))
    text = page.read_text()
    assert text.startswith("before\n<!-- bench:begin -->")
    assert text.endswith("<!-- bench:end -->\nafter\n")
    assert "| open |" in text
    assert "auc 0.7" in text
    assert "old" not in text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    with pytest.raises(MisuseError, match="bench:begin"):
        write_between(page, "bench", "table")
    assert page.read_text() == "nothing here\n"
