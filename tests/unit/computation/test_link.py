"""What a link gives its wire: the sender's own memory, in frames of bounded size."""

from __future__ import annotations

import threading

import numpy as np

from unseen.computation.channel import FRAME_LIMIT, open_channel


class Recording:
    """A wire that keeps what it is given to write, and is never written to at once."""

    def __init__(self) -> None:
        self.written: list[memoryview] = []
        self.closed = threading.Event()

    def write(self, data: memoryview) -> None:
        self.written.append(data)

    def write_some(self, data: memoryview) -> int:
        return 0

    def holding(self) -> bool:
        return False

    def read_into(self, view: memoryview, patience: float) -> None:
        self.closed.wait()
        raise EOFError("closed")

    def close(self) -> None:
        self.closed.set()


def test_a_large_array_goes_out_from_where_it_lies() -> None:
    wire, words = Recording(), np.arange((FRAME_LIMIT >> 3) + 1000, dtype=np.uint64)
    channel = open_channel(wire, "peer", patience=20.0)
    channel.send("words", words)
    channel.flush()
    heads = [data for data in wire.written if len(data) == 16]
    parts = [np.frombuffer(data, dtype=np.uint8) for data in wire.written if len(data) != 16]
    assert [int.from_bytes(head[8:], "little") for head in heads] == [FRAME_LIMIT, 8000]
    assert all(np.shares_memory(part, words) for part in parts)
    assert b"".join(part.tobytes() for part in parts) == words.tobytes()
    channel.close()


def test_what_does_not_go_at_once_waits_for_the_writer_without_the_sender() -> None:
    wire = Recording()
    channel = open_channel(wire, "peer", patience=20.0)
    for number in range(3):
        channel.send_bytes("small", bytes([number]) * 5)
    channel.flush()
    whole = b"".join(bytes(data) for data in wire.written)
    assert [whole[21 * i + 16 : 21 * (i + 1)] for i in range(3)] == [bytes([i]) * 5 for i in range(3)]
    channel.close()
