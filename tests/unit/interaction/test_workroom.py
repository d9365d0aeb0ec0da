"""A job's own room: spools that pass, what a later job goes on from, results put down one by one, their days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from unseen.errors import MisuseError
from unseen.interaction import workroom
from unseen.interaction.home import Home
from unseen.interaction.job import JobRecord, State
from unseen.interaction.retention import Retention
from unseen.interaction.terms import Retention as Clause
from unseen.interaction.workroom import Workroom, free_memory

JOB, LATER = "1" * 32, "2" * 32


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "bank", "bank", "127.0.0.1:1")


def test_what_passes_is_gone_at_the_end_and_unreadable_before_to_anyone_else(home: Home) -> None:
    room = Workroom(home, JOB)
    spool = room.passing()
    spool.write("rows", b"a customer")
    assert list(spool.read("rows")) == [b"a customer"]
    (file,) = home.job_folder(JOB).rglob("*.spool")
    assert b"customer" not in file.read_bytes()
    room.close()
    assert not list(home.job_folder(JOB).rglob("*.spool"))
    Workroom(home, JOB).passing().write("rows", b"left by a killed process")
    Workroom(home, LATER).clear_after(JOB)
    assert not list(home.job_folder(JOB).rglob("*.spool"))


def test_a_later_job_goes_on_from_what_an_earlier_one_kept(home: Home) -> None:
    assert not Workroom(home, JOB).goes_on()
    Workroom(home, JOB).kept().write("found", b"so far")
    assert Workroom(home, JOB).goes_on()
    later = Workroom(Home(home.path), LATER)
    assert list(later.kept(JOB).read("found")) == [b"so far"]
    later.kept(JOB).forget("found")
    assert not Workroom(home, JOB).goes_on()
    with pytest.raises(MisuseError, match="32 hexadecimal digits"):
        later.kept("../" + JOB)


def test_results_are_put_down_read_and_erased(home: Home) -> None:
    Workroom(home, JOB).put("common/part-00001.parquet", b"rows")
    later = Workroom(home, LATER)
    assert later.earlier(JOB, "common/part-00001.parquet") == b"rows"
    later.erase(JOB, "common/part-00001.parquet")
    with pytest.raises(MisuseError):
        later.earlier(JOB, "common/part-00001.parquet")


def test_what_a_broken_run_may_go_on_from_stays_as_long_as_results(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shares may not be kept at all by this agreement, results for thirty days."""
    room = Workroom(home, JOB)
    room.kept().write("found", b"so far")
    room.put("common/part-00001.parquet", b"rows")
    room.passing().write("rows", b"a customer")
    moment = datetime.now(UTC)
    record = JobRecord(
        JOB, "align", "a" * 64, "bank", State.FAILED, {}, "", {}, "", moment.isoformat(), 0.0
    )  # fmt: skip
    with home.store() as store:
        monkeypatch.setattr(type(store), "jobs", lambda self, **_: [record])
        monkeypatch.setattr(Retention, "_clause", lambda self, record: Clause(results=30, shares=0))
        clock = [moment + timedelta(hours=1)]
        retention = Retention(home, store, lambda: clock[0])
        assert retention.sweep() == [JOB]
        assert not home.results(JOB).names()
        assert not (home.job_folder(JOB) / workroom.PASSING).exists()
        assert room.goes_on()
        assert retention.sweep() == []
        clock[0] = moment + timedelta(days=30)
        assert retention.sweep() == [JOB]
        assert not room.goes_on()
        done = replace(record, state=State.DONE)
        monkeypatch.setattr(type(store), "jobs", lambda self, **_: [done])
        room.kept().write("found", b"so far")
        clock[0] = moment + timedelta(days=29)
        assert retention.sweep() == []


def test_the_memory_that_is_free_is_the_smaller_of_machine_and_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = free_memory()
    assert real is None or 1 << 20 < real < 1 << 50
    files = {
        "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    4096 kB\n",
        "/sys/fs/cgroup/memory.max": "3000000\n",
        "/sys/fs/cgroup/memory.current": "1000000\n",
    }
    monkeypatch.setattr(workroom.Path, "read_text", lambda self, **_: files[str(self)])
    assert free_memory() == 2_000_000
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert free_memory() == 4096 << 10

    def missing(self: Path, **_: object) -> str:
        raise FileNotFoundError(str(self))

    monkeypatch.setattr(workroom.Path, "read_text", missing)
    assert free_memory() is None
