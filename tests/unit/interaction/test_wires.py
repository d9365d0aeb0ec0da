"""What every wire under a channel must do: the same tests over pipes, over clogged pipes and over TLS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sessions import close, lay_table

from unseen.computation.channel import FRAME_LIMIT, Channel
from unseen.computation.in_process import channels_among
from unseen.errors import AbortedError, PeerLostError, ProtocolError

PATIENCE = 20.0
Pair = tuple[Channel, Channel]
Connect = Callable[[float], Pair]


def _pipes(capacity: int) -> Connect:
    def connect(patience: float) -> Pair:
        channels = channels_among(["left", "right"], capacity, patience)
        return channels["left"]["right"], channels["right"]["left"]

    return connect


@pytest.fixture(params=["pipe", "clogged pipe", "tls"])
def connect(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connect]:
    """Makes pairs of channels over the wire under test; all are closed at the end."""
    if request.param != "tls":
        yield _pipes(1 << 20 if request.param == "pipe" else 1000)
        return
    folder = tmp_path_factory.getbasetemp() / "wire-keys"
    with ExitStack() as stack:

        def over_tls(patience: float) -> Pair:
            opened = lay_table(stack, folder, ["left", "right"], patience=patience).open()
            stack.callback(close, opened, lambda channel: channel.abort(AbortedError("the test is over")))
            left, right = opened["left"], opened["right"]
            assert isinstance(left, dict), left
            assert isinstance(right, dict), right
            return left["right"], right["left"]

        yield over_tls


@pytest.fixture
def pair(connect: Connect) -> Pair:
    return connect(PATIENCE)


def test_arrays_arrive_as_they_were_sent(pair: Pair) -> None:
    left, right = pair
    sent = [np.arange(5, dtype=np.uint64), np.array([[1.5, -2.5]]), np.zeros((0, 3), dtype=np.int64)]
    for number, array in enumerate(sent):
        left.send(f"array/{number}", array)
    for number, array in enumerate(sent):
        received = right.receive(f"array/{number}", array.dtype, array.shape)
        assert np.array_equal(received, array)
        assert received.dtype == array.dtype


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sizes=st.lists(st.integers(0, 40_000), min_size=1, max_size=6))
def test_messages_of_any_size_keep_their_order(pair: Pair, sizes: list[int]) -> None:
    left, right = pair
    for size in sizes:
        left.send_bytes("piece", bytes([size % 251]) * size)
    assert [right.receive_bytes("piece", 40_000) for _ in sizes] == [bytes([s % 251]) * s for s in sizes]


def test_two_parties_that_send_much_to_each_other_do_not_wait_for_each_other(pair: Pair) -> None:
    words = np.arange(200_000, dtype=np.uint64)

    def exchange(channel: Channel) -> bool:
        channel.send("much", words)
        return np.array_equal(channel.receive("much", np.uint64, words.shape), words)

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(exchange, pair, timeout=60))


def test_forked_streams_do_not_wait_for_each_other(pair: Pair) -> None:
    left, right = pair
    left.fork("second").send_bytes("word", b"second")
    left.send_bytes("word", b"first")
    assert right.receive_bytes("word", 10) == b"first"
    assert right.fork("second").receive_bytes("word", 10) == b"second"


def test_what_one_sent_is_what_the_other_received(pair: Pair) -> None:
    left, right = pair
    left.send("words", np.arange(50_000, dtype=np.uint64))
    right.receive("words", np.uint64, 50_000)
    right.send_bytes("answer", b"x")
    left.receive_bytes("answer", 1)
    left.flush()
    right.flush()
    assert left.digests() == right.digests()[::-1]
    assert left.counters.bytes_sent == right.counters.bytes_received > 400_000


def test_a_message_of_another_tag_names_the_peer(pair: Pair) -> None:
    left, right = pair
    left.send_bytes("apples", b"1")
    with pytest.raises(ProtocolError, match=r"left.*pears"):
        right.receive_bytes("pears", 10)


@pytest.mark.parametrize(("sent", "room"), [(11, 10), (0, None), (9, None)])
def test_a_message_of_another_size_names_the_peer(pair: Pair, sent: int, room: int | None) -> None:
    left, right = pair
    left.send_bytes("message", bytes(sent))
    with pytest.raises(ProtocolError, match="left"):
        right.receive_bytes("message", room) if room is not None else right.receive("message", np.uint64, 1)


def test_a_frame_over_the_limit_is_refused_before_memory_is_taken(pair: Pair) -> None:
    left, right = pair
    left._link._post((1).to_bytes(4, "little") * 2 + (FRAME_LIMIT + 1).to_bytes(8, "little"), memoryview(b""))
    with pytest.raises(ProtocolError, match="over the limit"):
        right.receive_bytes("message", 10)


def test_a_silent_peer_is_lost_after_the_patience(connect: Connect) -> None:
    _, right = connect(0.2)
    with pytest.raises(PeerLostError, match="left: silent"):
        right.receive_bytes("never", 10)


def test_a_peer_that_closes_is_lost(pair: Pair) -> None:
    left, right = pair
    left.close()
    with pytest.raises(PeerLostError, match="left: the connection closed"):
        right.receive_bytes("never", 10)


def test_a_peer_that_goes_in_the_middle_of_a_message_is_lost(pair: Pair) -> None:
    left, right = pair
    head = right._link.register("main").to_bytes(4, "little")
    left._link._post(head + bytes(4) + (1000).to_bytes(8, "little"), memoryview(b"half"))
    left._link.flush()
    left.close()
    with pytest.raises((PeerLostError, ProtocolError), match="left"):
        right.receive_bytes("never", 2000)


def test_who_fails_tells_the_other_whose_fault_it_is(pair: Pair) -> None:
    left, right = pair
    with ThreadPoolExecutor(1) as pool:
        aborting = pool.submit(left.abort, PeerLostError("bureau", "gone"))
        with pytest.raises(PeerLostError, match=r"bureau: lost \(reported by left\)"):
            right.receive_bytes("never", 10)
        aborting.result(timeout=10)


def test_closing_from_another_thread_wakes_a_waiting_receiver(pair: Pair) -> None:
    _, right = pair
    waiting = threading.Event()

    def receive() -> None:
        waiting.set()
        right.receive_bytes("never", 10)

    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(receive)
        assert waiting.wait(10)
        right.abort(AbortedError("stopped"))
        with pytest.raises((AbortedError, PeerLostError)):
            task.result(timeout=10)


def test_closing_wakes_a_writer_whom_nobody_reads(connect: Connect) -> None:
    left, _ = connect(PATIENCE)
    left.send("flood", np.zeros(8 << 20, dtype=np.uint64))
    left.abort(AbortedError("stopped"))
    with pytest.raises((AbortedError, PeerLostError)):
        left.send_bytes("after", b"")
