"""Files that are there whole or not at all, whoever writes them at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

from unseen.data.sealed import write_whole


def test_two_that_write_one_name_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path, texts = tmp_path / "roster", [bytes([letter]) * 100_000 for letter in b"ab"]
    failed: list[BaseException] = []

    def write(text: bytes) -> None:
        try:
            for _ in range(30):
                write_whole(path, text)
        except BaseException as error:  # noqa: BLE001  # looked at below
            failed.append(error)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60.0)
    assert not failed
    assert path.read_bytes() in texts
    assert [left.name for left in tmp_path.iterdir()] == ["roster"]
