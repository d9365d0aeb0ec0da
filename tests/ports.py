"""Ports for servers that tests start: none that the system itself hands out, so that nobody else takes one."""

from __future__ import annotations

import os
import socket
from itertools import count
from typing import Final

FIRST: Final = 12_000
LAST: Final = 32_000  # above it the system takes ports for connections out
_TRIED = count(os.getpid() * 97)


def free_port() -> int:
    """A port that nobody listens on; processes that ask at the same time begin at different places."""
    for number in _TRIED:
        port = FIRST + number % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("counting does not end")
