"""Chunks that lie sealed on the disk: whole, in their order, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.data.sealed import Passing
from unseen.data.sealed_spool import SealedSpool
from unseen.errors import UnavailableError, VerificationError

CHUNKS = [b"first of all", b"", b"x" * 70_000]


@pytest.fixture
def seal() -> Passing:
    return Passing()


def written(folder: Path, seal: Passing, context: str = "here") -> SealedSpool:
    spool = SealedSpool(folder / "spool", seal, context, lasting=True)
    for chunk in CHUNKS:
        spool.write("name", chunk)
    return spool


def test_chunks_come_back_in_their_order_also_to_another_reader(tmp_path: Path, seal: Passing) -> None:
    spool = written(tmp_path, seal)
    assert list(spool.read("name")) == CHUNKS
    later = SealedSpool(tmp_path / "spool", seal, "here")
    later.write("name", b"more")
    assert list(later.read("name")) == [*CHUNKS, b"more"]
    assert list(spool.read("another")) == []


def test_the_first_chunks_are_kept_and_the_others_go(tmp_path: Path, seal: Passing) -> None:
    spool = written(tmp_path, seal)
    spool.keep("name", 2)
    assert list(spool.read("name")) == CHUNKS[:2]
    spool.write("name", b"instead")
    assert list(SealedSpool(tmp_path / "spool", seal, "here").read("name")) == [*CHUNKS[:2], b"instead"]
    spool.keep("name", 9)
    assert len(list(spool.read("name"))) == 3
    spool.keep("name", 0)
    assert list(spool.read("name")) == []
    spool.erase()
    assert not (tmp_path / "spool").exists()


def test_no_chunk_lies_there_in_the_clear(tmp_path: Path, seal: Passing) -> None:
    written(tmp_path, seal)
    (file,) = (tmp_path / "spool").iterdir()
    assert b"first" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [1, 5000, 70_027, 70_030, 70_036])
def test_a_chunk_that_was_cut_off_is_not_there_and_its_place_is_taken(
    tmp_path: Path, seal: Passing, cut: int
) -> None:
    written(tmp_path, seal)
    file = tmp_path / "spool" / "name.spool"
    file.write_bytes(file.read_bytes()[:-cut])
    spool = SealedSpool(tmp_path / "spool", seal, "here")
    assert list(spool.read("name")) == CHUNKS[:2]
    spool.write("name", b"anew")
    assert list(spool.read("name")) == [*CHUNKS[:2], b"anew"]


def test_what_is_forgotten_is_gone_and_can_be_begun_again(tmp_path: Path, seal: Passing) -> None:
    spool = written(tmp_path, seal)
    spool.forget("name")
    spool.forget("name")
    assert list(spool.read("name")) == []
    assert not list((tmp_path / "spool").iterdir())
    spool.write("name", b"anew")
    assert list(spool.read("name")) == [b"anew"]


@pytest.mark.parametrize("place", [0, 7, 9, 60])
def test_an_altered_chunk_does_not_open(tmp_path: Path, seal: Passing, place: int) -> None:
    spool = written(tmp_path, seal)
    file = tmp_path / "spool" / "name.spool"
    octets = bytearray(file.read_bytes())
    octets[place] ^= 1
    file.write_bytes(octets)
    with pytest.raises(VerificationError):
        list(spool.read("name"))


def test_no_chunk_stands_in_anothers_place(tmp_path: Path, seal: Passing) -> None:
    spool = written(tmp_path, seal)
    (tmp_path / "spool" / "name.spool").rename(tmp_path / "spool" / "other.spool")
    with pytest.raises(VerificationError):
        list(spool.read("other"))
    written(tmp_path, seal)
    with pytest.raises(VerificationError):
        list(SealedSpool(tmp_path / "spool", seal, "elsewhere").read("name"))
    with pytest.raises(VerificationError):
        list(SealedSpool(tmp_path / "spool", Passing(), "here").read("name"))


def test_a_disk_that_takes_nothing_is_named(tmp_path: Path, seal: Passing) -> None:
    (tmp_path / "spool").write_bytes(b"a file, no folder")
    with pytest.raises(UnavailableError, match=r"cannot write to .*make room"):
        SealedSpool(tmp_path / "spool", seal, "here").write("name", b"chunk")
