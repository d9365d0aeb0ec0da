"""What carries bytes between two parties: TLS in a run, a pipe between the threads of a test."""

from __future__ import annotations

from typing import Protocol


class Wire(Protocol):
    """A pair of byte streams to one peer. One thread writes at a time, one reads at a time."""

    def write(self, data: memoryview) -> None:
        """Write all bytes, waiting as long as needed. Raises OSError once closed."""

    def write_some(self, data: memoryview) -> int:
        """Write what goes at once, without waiting; how many bytes were taken."""

    def holding(self) -> bool:
        """Whether bytes that were taken wait here for the next `write`, which may be an empty one."""

    def read_into(self, view: memoryview, patience: float) -> None:
        """Fill `view`. Raises EOFError when the peer is gone, TimeoutError after `patience` silent seconds."""

    def close(self) -> None:
        """Close both directions; a waiting read or write raises."""
