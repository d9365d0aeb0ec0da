"""Parties of the peer as processes of this machine: how they are started, linked and measured."""

from __future__ import annotations

import multiprocessing
import os
import resource
import socket
import struct
import traceback
from collections.abc import Callable
from queue import Empty
from typing import Any

import spu
import spu.libspu

SPAWN = multiprocessing.get_context("spawn")
"""Not fork: the engine has threads by the time that the parties are started."""

BYTES_RECEIVED_AT = 128
"""Of tcpi_bytes_received in Linux's struct tcp_info."""

Ports = dict[str, list[int]]
"""`ports`: where each party listens; `reached`: where the others reach it, elsewhere if a relay lies between."""
Party = Callable[[int, Ports, dict[str, Any]], dict[str, Any]]


def linked(rank: int, ports: Ports) -> Any:
    """The peer's link between all parties, over loopback."""
    description = spu.libspu.link.Desc()
    description.recv_timeout_ms = 600_000
    for party, (own, reached) in enumerate(zip(ports["ports"], ports["reached"], strict=True)):
        description.add_party(f"party{party}", f"127.0.0.1:{own if party == rank else reached}")
    return spu.libspu.link.create_brpc(description, rank)


def peak() -> float:
    """Largest memory of this process so far, in MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def bytes_received() -> int:
    """What this process received over the TCP connections that are open: a party that is done waits for the others
    at a barrier before it leaves."""
    received = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as end:
                told = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            received += struct.unpack_from("=Q", told, BYTES_RECEIVED_AT)[0]
        except (OSError, struct.error):  # no socket, or none of TCP
            continue
    return int(received)


def all_parties(party: Party, ports: Ports, job: dict[str, Any], patience: float) -> list[dict[str, Any]]:
    """Run `party` in a process for each port; what they report, in order. Raises what a party raised."""
    results, ranks = SPAWN.Queue(), range(len(ports["ports"]))
    running = [SPAWN.Process(target=_member, args=(party, rank, ports, job, results)) for rank in ranks]
    for process in running:
        process.start()
    try:
        found = dict(results.get(timeout=patience) for _ in running)
    except Empty:
        raise SystemExit(f"no result within {patience:.0f} s") from None
    finally:
        for process in running:
            process.kill()
            process.join()
    for told in found.values():
        if "failed" in told:
            raise SystemExit(told["failed"])
    return [found[rank] for rank in ranks]


def _member(party: Party, rank: int, ports: Ports, job: dict[str, Any], results: Any) -> None:
    try:
        results.put((rank, party(rank, ports, job)))
    except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs in the table
        traceback.print_exc()
        results.put((rank, {"failed": " ".join(f"{type(error).__name__}: {error}".split())}))
