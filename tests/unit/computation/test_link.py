"""What a link gives its wire: the sender's own memory, in frames of bounded size."""

from __future__ import annotations

import threading

import numpy as np

from unseen.computation.channel import FRAME_LIMIT, Channel, open_channel
from unseen.computation.in_process import channels_among


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


def pair() -> tuple[Recording, Channel]:
    wire = Recording()
    return wire, open_channel(wire, "peer", patience=20.0)


def test_small_messages_that_are_sent_together_go_out_in_one_piece() -> None:
    wire, channel = pair()
    arrays = [np.arange(3, dtype=np.uint64), np.arange(5, dtype=np.uint8), np.arange(0, dtype=np.uint64)]
    channel.send_all("words", arrays)
    channel.flush()
    (piece,) = (data for data in wire.written if len(data))
    alone, one_by_one = pair()
    for array in arrays:
        one_by_one.send("words", array)
    one_by_one.flush()
    assert bytes(piece) == b"".join(bytes(data) for data in alone.written)
    assert channel.counters == one_by_one.counters
    assert channel.digests() == one_by_one.digests()


def test_a_large_message_among_small_ones_keeps_its_place_and_is_not_copied() -> None:
    wire, channel = pair()
    large = np.arange(1 << 17, dtype=np.uint64)
    channel.send_all("words", [np.full(2, 1, dtype=np.uint64), large, np.full(2, 2, dtype=np.uint64)])
    channel.flush()
    whole = b"".join(bytes(data) for data in wire.written)
    lengths, place = [], 0
    while place < len(whole):
        lengths.append(int.from_bytes(whole[place + 8 : place + 16], "little"))
        place += 16 + lengths[-1]
    assert lengths == [16, 1 << 20, 16]
    assert any(np.shares_memory(np.frombuffer(data, dtype=np.uint8), large) for data in wire.written if len(data))


def test_what_another_thread_sends_meanwhile_arrives_whole() -> None:
    names = channels_among(["left", "right"], patience=20.0)
    left, right = names["left"]["right"], names["right"]["left"]
    beside, heard = left.fork("beside"), right.fork("beside")
    few = [np.arange(4, dtype=np.uint64)] * 3

    def send(channel: Channel) -> None:
        for _ in range(200):
            channel.send_all("few", few)

    threads = [threading.Thread(target=send, args=(channel,)) for channel in (left, beside)]
    for thread in threads:
        thread.start()
    for channel in (right, heard):
        for _ in range(600):
            np.testing.assert_array_equal(channel.receive("few", np.uint64, 4), few[0])
    for thread in threads:
        thread.join(20.0)
    left.flush()
    assert left.digests() == right.digests()[::-1]
