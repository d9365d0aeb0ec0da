"""What went over a channel, counted by both of its ends."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Counters:
    """What went over a channel: payload and heads in bytes, messages; by tag, messages and bytes each way."""

    bytes_sent: int = 0
    bytes_received: int = 0
    messages_sent: int = 0
    by_tag: dict[str, list[int]] = field(default_factory=dict)
    heard_by_tag: dict[str, list[int]] = field(default_factory=dict)

    def sent(self, tag: str, size: int) -> None:
        self.bytes_sent += size
        self.messages_sent += 1
        _count(self.by_tag, tag, size)

    def heard(self, tag: str, size: int) -> None:
        _count(self.heard_by_tag, tag, size)


def _count(table: dict[str, list[int]], tag: str, size: int) -> None:
    entry = table.get(tag)
    if entry is None:
        entry = table[tag] = [0, 0]
    entry[0] += 1
    entry[1] += size
