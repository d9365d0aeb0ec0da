"""What each party says at the end of a run about what it sent and received, and the check that all agree.

A testimony names, for every other member of the session, bytes and messages sent, how many of each kind went
each way, and the BLAKE3 digests of all frames in each direction. The members exchange their testimonies over
the session itself; what one says it sent must be what the other says it received. The receipt is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from unseen.computation.channel import Channel
from unseen.encoding import Json, canonical, digest, parse_json
from unseen.errors import MisuseError, ProtocolError

TESTIMONY_LIMIT: Final = 256 << 10
RESULT_TAG: Final = "unseen/result/v1"
MOST_KINDS: Final = 512
_NUMBER: Final = re.compile(r"\d+")
_LINE: Final = frozenset({"bytes", "messages", "sent", "received", "kinds", "heard"})
_COUNT: Final = frozenset({"messages", "bytes"})
_WHOLE: Final = frozenset({"party", "plan", "job", "result", "rounds", "lines"})

Testimony = Mapping[str, Json]


def result_digest(result: Mapping[str, Json]) -> str:
    """Names a party's result without showing it."""
    return digest(RESULT_TAG, dict(result))


def kind_of(tag: str) -> str:
    """A message's kind: its tag with every number in it written as `#`."""
    return _NUMBER.sub("#", tag)


def by_kind(by_tag: Mapping[str, Sequence[int]]) -> dict[str, Json]:
    """A channel's counts by tag as counts by kind."""
    found: dict[str, list[int]] = {}
    for tag, (messages, size) in by_tag.items():
        entry = found.setdefault(kind_of(tag), [0, 0])
        entry[0] += messages
        entry[1] += size
    if len(found) > MOST_KINDS:
        raise MisuseError(f"a run of {len(found)} kinds of message cannot be accounted for (at most {MOST_KINDS})")
    return {kind: {"messages": entry[0], "bytes": entry[1]} for kind, entry in sorted(found.items())}


def testify(
    party: str, plan: str, job: str, result: str, rounds: int, channels: Mapping[str, Channel]
) -> dict[str, Json]:
    """This party's testimony. To be taken when the computation is over, before anything else is sent."""
    lines: dict[str, Json] = {}
    for peer, channel in channels.items():
        channel.flush()
        sent, received = channel.digests()
        counters = channel.counters
        lines[peer] = {
            "bytes": counters.bytes_sent,
            "messages": counters.messages_sent,
            "sent": sent,
            "received": received,
            "kinds": by_kind(counters.by_tag),
            "heard": by_kind(counters.heard_by_tag),
        }
    return {"party": party, "plan": plan, "job": job, "result": result, "rounds": rounds, "lines": lines}


def exchange(own: Testimony, channels: Mapping[str, Channel]) -> list[Testimony]:
    """Tell all others and hear all others; all testimonies by party name.

    Raises ProtocolError naming a party whose testimony is malformed or does not fit to the others'.
    """
    streams = {peer: channel.fork("testimony") for peer, channel in channels.items()}
    for stream in streams.values():
        stream.send_bytes("testimony", canonical(own))
    heard = {str(own["party"]): own}
    for peer, stream in streams.items():
        heard[peer] = _parse(stream.receive_bytes("testimony", TESTIMONY_LIMIT), peer, own)
    compare(heard)
    return [heard[name] for name in sorted(heard)]


def compare(testimonies: Mapping[str, Testimony]) -> None:
    """Hold what each party says it sent against what its receiver says. Raises ProtocolError."""
    for sender, said in testimonies.items():
        for receiver, line in _lines(said).items():
            heard = testimonies.get(receiver)
            other = _lines(heard).get(sender) if heard is not None else None
            if other is None or other["received"] != line["sent"] or other.get("heard") != line.get("kinds"):
                raise ProtocolError(sender, f"says it sent something else to {receiver} than {receiver} received")


def _lines(testimony: Testimony) -> dict[str, Mapping[str, Json]]:
    lines = testimony["lines"]
    if not isinstance(lines, Mapping):
        raise ProtocolError(str(testimony.get("party")), "gave a testimony without lines")
    return {peer: line for peer, line in lines.items() if isinstance(line, Mapping)}


def _parse(data: bytes, peer: str, own: Testimony) -> Testimony:
    try:
        value = parse_json(data, TESTIMONY_LIMIT)
        if not isinstance(value, Mapping) or set(value) != _WHOLE or not isinstance(value["lines"], Mapping):
            raise MisuseError("other fields than a testimony has")
        if not all(_is_line(line) for line in value["lines"].values()) or not _is_count(value["rounds"]):
            raise MisuseError("lines of another form")
        if not _is_digest(value["result"]):
            raise MisuseError("no digest of a result")
        if (value["party"], value["plan"], value["job"]) != (peer, own["plan"], own["job"]):
            raise MisuseError("another party, plan or job")
    except MisuseError as error:
        raise ProtocolError(peer, f"its testimony is not acceptable: {error}") from error
    return value


def _is_line(line: Json) -> bool:
    return (
        isinstance(line, Mapping)
        and set(line) == _LINE
        and _is_count(line["bytes"])
        and _is_count(line["messages"])
        and _is_digest(line["sent"])
        and _is_digest(line["received"])
        and _adds_up(line["kinds"], line["messages"], line["bytes"])
        and _is_table(line["heard"])
    )


def _is_table(value: Json) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) <= MOST_KINDS
        and all(
            isinstance(count, Mapping) and set(count) == _COUNT and all(_is_count(n) for n in count.values())
            for count in value.values()
        )
    )


def _adds_up(kinds: Any, messages: Json, size: Json) -> bool:
    """Whether a table of kinds is whole: its counts add up to the line's."""
    return _is_table(kinds) and (messages, size) == tuple(
        sum(count[name] for count in kinds.values()) for name in ("messages", "bytes")
    )


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_digest(value: Json) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)
