"""Readers of a partner's bytes under a fuzzer that is guided by coverage: `make fuzz`, or for one of them

    python fuzz/readers.py greeting -max_total_time=60

Each takes the fuzzer's bytes as a partner's, and may end in a value or in an error of `unseen.errors`; anything
else is a crash, which libFuzzer writes to a file that reproduces it. Needs the extra `fuzz` (atheris).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["unseen"]):
    from unseen.computation.correlation import request as requests
    from unseen.encoding import Json, canonical, parse_json
    from unseen.errors import UnseenError
    from unseen.interaction import agreement, envelope
    from unseen.interaction.agreement import read_agreement
    from unseen.interaction.approval import read_approval
    from unseen.interaction.front_door import server_name
    from unseen.interaction.identity import read_card
    from unseen.interaction.ledger import read_line
    from unseen.interaction.merkle import leaf_hash
    from unseen.interaction.receipt import read_statement
    from unseen.interaction.session import Hello


WORDS = [
    *("kind", "plan", "job", "party", "expires", "rule", "reason", "mend", "time", "institution", "size", "root"),
    *("name", "address", "signing_key", "root_certificate", "agreement", "version", "parties", "purpose", "valid"),
    *("from", "until", "columns", "computations", "recipients", "limits", "number", "step", "person", "key"),
    *("roles", "role", "scope", "quota", "application", "payloadType", "payload", "signatures", "keyid", "sig"),
    *("body", "protocol", "direction", "controller", "dealer", "e30=", "2026-01-01", "a" * 64, "count", "owner"),
    *requests.KINDS,
]


def ledger_line(data: bytes) -> object:
    """An entry whose digest fits, so that the fuzzer gets past it."""
    return read_line(b'{"digest":"' + leaf_hash(data).hex().encode() + b'","entry":' + data + b"}\n", 0)


def made_up(drawn: atheris.FuzzedDataProvider, depth: int = 3) -> Json:
    """A JSON value out of the fuzzer's bytes, with the names that documents use."""
    match drawn.ConsumeIntInRange(0, 8 if depth else 5):
        case 0:
            return None
        case 1:
            return drawn.ConsumeBool()
        case 2:
            return drawn.ConsumeIntInRange(-(2**53) + 1, 2**53 - 1)
        case 3:
            return drawn.PickValueInList(WORDS)
        case 4:
            return drawn.ConsumeUnicodeNoSurrogates(20)
        case 5:
            return drawn.ConsumeRegularFloat()
        case 6:
            return [made_up(drawn, depth - 1) for _ in range(drawn.ConsumeIntInRange(0, 4))]
        case _:
            fields = [drawn.PickValueInList(WORDS) for _ in range(drawn.ConsumeIntInRange(0, 24))]
            return {name: made_up(drawn, depth - 1) for name in fields}


def structured(reader: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """A reader of JSON, given values that are some."""
    return lambda data: reader(canonical(made_up(atheris.FuzzedDataProvider(data))))


def documents(data: bytes) -> None:
    """One payload as each kind of document; signatures are checked before these, elsewhere."""
    for kind, reader in (
        ("card", read_card),
        ("agreement", read_agreement),
        ("approval", lambda sealed: read_approval(sealed, {})),
        ("statement", lambda sealed: read_statement(sealed.read())),
    ):
        try:
            reader(envelope.Envelope(kind, data, {}))  # type: ignore[no-untyped-call]
        except UnseenError:
            continue


def round_trip(data: bytes) -> None:
    """What is read and written again is the same to the byte, or was not canonical."""
    value = parse_json(data)
    assert parse_json(canonical(value)) == value


READERS: dict[str, Callable[[bytes], object]] = {
    "greeting": server_name,
    "hello": lambda data: Hello.from_bytes(data, "partner"),
    "json": round_trip,
    "values": structured(round_trip),
    "envelope": structured(lambda data: envelope.from_json(parse_json(data))),
    "documents": structured(documents),
    "agreement": lambda data: agreement.from_yaml(data.decode("utf-8", "replace")),
    "terms": structured(lambda data: agreement.from_json(parse_json(data))),
    "ledger": structured(ledger_line),
    "request": structured(lambda data: requests.from_json(parse_json(data))),
}


def guarded(reader: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def one(data: bytes) -> None:
        try:
            reader(data)
        except UnseenError:
            return

    return one


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        sys.exit(f"usage: python fuzz/readers.py {'|'.join(READERS)} [-max_total_time=SECONDS …]")
    atheris.Setup([sys.argv[0], *sys.argv[2:]], guarded(READERS[sys.argv[1]]))
    atheris.Fuzz()
