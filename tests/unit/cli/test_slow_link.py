"""The slow link carries what it is given, late and no faster than it may; workloads run over it as over any."""

from __future__ import annotations

import socket
from threading import Thread
from time import monotonic

from unseen.cli.bench.harness import measure
from unseen.cli.bench.registry import workload
from unseen.cli.bench.slow_link import SLOW, Link, relay

PATIENCE = 20.0


def echo(listener: socket.socket) -> None:
    """Send one caller's bytes back to it, until it ends."""
    caller, _ = listener.accept()
    with caller:
        while piece := caller.recv(1 << 16):
            caller.sendall(piece)


def there_and_back(link: Link, data: bytes) -> tuple[bytes, float]:
    """What comes back from the far end, and after how many seconds all of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = Thread(target=echo, args=(listener,))
        answering.start()
        with (
            relay(listener.getsockname(), link) as address,
            socket.create_connection(address, PATIENCE) as caller,
        ):
            begun = monotonic()
            sending = Thread(target=caller.sendall, args=(data,))
            sending.start()
            back = b""
            while len(back) < len(data):
                back += caller.recv(1 << 16)
            took = monotonic() - begun
            sending.join(PATIENCE)
            caller.shutdown(socket.SHUT_WR)
            assert caller.recv(1) == b""
        answering.join(PATIENCE)
        assert not answering.is_alive()
    return back, took


def test_bytes_come_through_whole_and_in_order_no_sooner_than_half_a_round_trip_each_way() -> None:
    data = bytes(range(256)) * 4
    back, took = there_and_back(Link("test", 0.05, 1e9), data)
    assert back == data
    assert took >= 0.05


def test_a_direction_carries_no_more_bits_a_second_than_it_may() -> None:
    data = bytes(range(256)) * 2048
    back, took = there_and_back(Link("test", 0.0, 20e6), data)
    assert back == data
    assert took >= 8 * len(data) / 20e6


def test_a_workload_runs_between_processes_that_are_far_apart() -> None:
    report = measure(workload("round-trip"), {"times": 5}, repeat=1, link=SLOW)
    assert report["link"] == "20 ms round trip, 100 Mbit/s each way"
    assert report["rounds"] == 5
    assert report["seconds"] >= 5 * SLOW.round_trip
