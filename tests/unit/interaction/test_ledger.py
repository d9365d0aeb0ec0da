"""The ledger: appended once, whole after a crash, refusing to go on when it is not what its head says."""

from __future__ import annotations

import errno
import multiprocessing
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.errors import VerificationError
from unseen.interaction import merkle
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.ledger import Kind, Ledger, read_entries
from unseen.interaction.merkle import leaf_hash
from unseen.interaction.verify import verify_ledger

People = dict[str, tuple[SigningKey, Card]]


def ledger_at(folder: Path, people: People, entries: int = 4) -> Ledger:
    key, card = people["lender"]
    ledger = Ledger(folder, "lender", key)
    ledger.append(Kind.ADMINISTRATION, "init", {"card": card.envelope.as_json()})
    for number in range(entries):
        ledger.append(Kind.RUN, f"run/{number}", {"job": f"{number:032x}"})
    return ledger


def test_a_ledger_survives_reopening_and_records_each_step_once(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people)
    with (tmp_path / "entries.jsonl").open("ab") as file:
        file.write(b'{"digest":"torn by a cra')
    again = Ledger(tmp_path, "lender", people["lender"][0])
    assert again.append(Kind.RUN, "run/2", {"job": "twice"}) == 3
    assert again.append(Kind.RUN, "run/new", {"job": "new"}) == 5
    assert [entry.key for entry in again.entries()][-1] == "run/new"
    assert verify_ledger(tmp_path).entries == 6


def test_an_entry_is_found_by_its_step_and_proved_by_its_number(tmp_path: Path, people: People) -> None:
    ledger = ledger_at(tmp_path, people, 9)
    found = ledger.find("run/6")
    assert found is not None
    assert found == ledger.entry(7)
    assert ledger.find("run/99") is None
    leaf = [leaf for _, leaf in read_entries(tmp_path / "entries.jsonl")][7]
    merkle.verify_inclusion(leaf, 7, len(ledger), ledger.inclusion(7), ledger.root())
    merkle.verify_consistency(4, ledger.root(4), len(ledger), ledger.root(), ledger.consistency(4))


def test_a_crash_between_line_and_head_loses_nothing(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people)
    head = (tmp_path / "head.json").read_bytes()
    Ledger(tmp_path, "lender", people["lender"][0]).append(Kind.RUN, "run/last", {})
    (tmp_path / "head.json").write_bytes(head)
    (tmp_path / "index.db").unlink()
    again = Ledger(tmp_path, "lender", people["lender"][0])
    assert again.append(Kind.RUN, "run/last", {}) == 5
    assert verify_ledger(tmp_path).entries == 6


def cut_last(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


def swap(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def torn(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1][:-1]]


def add_two(lines: list[bytes]) -> list[bytes]:
    data = lines[-1][len(b'{"digest":"') + 64 + len(b'","entry":') : -2]
    for number, key in ((5, b"run/8"), (6, b"run/9")):
        entry = data.replace(b'"index":4', b'"index":%d' % number).replace(b"run/3", key)
        lines = [*lines, b'{"digest":"' + leaf_hash(entry).hex().encode() + b'","entry":' + entry + b"}\n"]
    return lines


@pytest.mark.parametrize("change", [cut_last, swap, torn, add_two])
@pytest.mark.parametrize("keep_index", [True, False])
def test_a_ledger_that_is_not_what_its_head_says_refuses_to_go_on(
    tmp_path: Path, people: People, change: Callable[[list[bytes]], list[bytes]], keep_index: bool
) -> None:
    ledger_at(tmp_path, people).close()
    file = tmp_path / "entries.jsonl"
    changed = b"".join(change(file.read_bytes().splitlines(keepends=True)))
    file.write_bytes(changed)
    if not keep_index:
        (tmp_path / "index.db").unlink()
    if keep_index and change is swap:  # an open ledger believes its index; verification does not
        with pytest.raises(VerificationError, match="entry 1"):
            verify_ledger(tmp_path)
        return
    with pytest.raises(VerificationError, match=r"ledger"):
        Ledger(tmp_path, "lender", people["lender"][0])
    assert file.read_bytes() == changed


def test_a_head_of_another_institution_or_none_at_all_is_refused(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people).close()
    with pytest.raises(VerificationError, match="signature"):
        Ledger(tmp_path, "bureau", people["bureau"][0])
    (tmp_path / "head.json").unlink()
    with pytest.raises(VerificationError, match="backup"):
        Ledger(tmp_path, "lender", people["lender"][0])


def test_a_damaged_index_is_built_again(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people).close()
    (tmp_path / "index.db").write_bytes(b"not a database" * 1000)
    again = Ledger(tmp_path, "lender", people["lender"][0])
    assert again.append(Kind.RUN, "run/1", {}) == 2
    assert len(again) == 5


@pytest.mark.parametrize("at", [0, 1])
def test_a_full_disk_during_an_append_leaves_nothing_behind(
    tmp_path: Path, people: People, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    ledger = ledger_at(tmp_path, people)
    whole, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == at + 1:  # 0: the line's own, 1: the head's
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        ledger.append(Kind.RUN, "run/full", {"job": "x"})
    assert verify_ledger(tmp_path).entries == 5
    assert ledger.append(Kind.RUN, "run/full", {"job": "x"}) == 5
    assert verify_ledger(tmp_path).entries == 6


def append_many(folder: Path, key: SigningKey, name: str) -> None:
    ledger = Ledger(folder, "lender", key)
    for number in range(20):
        ledger.append(Kind.RUN, f"{name}/{number}", {})
        ledger.append(Kind.RUN, f"shared/{number}", {})


def test_processes_that_append_at_once_lose_and_double_nothing(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people, 0)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_many, args=(tmp_path, people["lender"][0], n)) for n in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert verify_ledger(tmp_path).entries == 1 + 3 * 20


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["append", "again", "reopen", "tear", "lose head", "lose index"]), max_size=12))
def test_any_sequence_of_appends_and_crashes_keeps_every_entry(
    tmp_path_factory: pytest.TempPathFactory, people: People, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    key, card = people["lender"]
    moments = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s) for s in range(1000))
    ledger = Ledger(folder, "lender", key, lambda: next(moments))
    ledger.append(Kind.ADMINISTRATION, "init", {"card": card.envelope.as_json()})
    expected = ["init"]
    for step in steps:
        head = (folder / "head.json").read_bytes()
        if step == "append":
            expected.append(f"run/{len(expected)}")
        ledger.append(Kind.RUN, expected[-1], {})
        if step in ("append", "again"):
            continue
        ledger.close()
        if step == "tear":
            with (folder / "entries.jsonl").open("ab") as file:
                file.write(b'{"digest"')
        elif step == "lose head":
            (folder / "head.json").write_bytes(head)
        elif step == "lose index":
            (folder / "index.db").unlink()
        ledger = Ledger(folder, "lender", key, lambda: next(moments))
    assert [entry.key for entry in ledger.entries()] == expected
    assert verify_ledger(folder).entries == len(expected)
