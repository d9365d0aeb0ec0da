"""What each party says at the end of a run about what it sent and received, and the check that all agree.

A testimony names, for every other member of the session, bytes and messages sent and the BLAKE3 digests of
all frames in each direction. The members exchange their testimonies over the session itself; what one says it
sent must be what the other says it received. The receipt is made of the testimonies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unseen.computation.channel import Channel
from unseen.encoding import Json, canonical, digest, parse_json
from unseen.errors import MisuseError, ProtocolError

TESTIMONY_LIMIT: Final = 256 << 10
RESULT_TAG: Final = "unseen/result/v1"
_LINE: Final = frozenset({"bytes", "messages", "sent", "received"})
_WHOLE: Final = frozenset({"party", "plan", "job", "result", "rounds", "lines"})

Testimony = Mapping[str, Json]


def result_digest(result: Mapping[str, Json]) -> str:
    """Names a party's result without showing it."""
    return digest(RESULT_TAG, dict(result))


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
            if other is None or other["received"] != line["sent"]:
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
    )


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_digest(value: Json) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)
