"""The front door reads a stranger's greeting, finds the name and believes nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.errors import MisuseError, ProtocolError
from unseen.interaction import front_door
from unseen.interaction.front_door import (
    GREETING_LIMIT,
    FrontDoor,
    control_name,
    parse_address,
    peek_server_name,
    server_name,
    session_name,
)


def greeting(name: str | None) -> bytes:
    """What OpenSSL sends first when it calls `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def in_records(message: bytes, size: int) -> bytes:
    """The same handshake message cut into TLS records of `size` bytes."""
    payload = message[5:]
    cuts = [payload[start : start + size] for start in range(0, len(payload), size)]
    return b"".join(message[:3] + len(cut).to_bytes(2, "big") + cut for cut in cuts)


@pytest.mark.parametrize("name", ["control.bureau", session_name("0f" * 16)])
def test_the_name_in_a_real_greeting_is_found(name: str) -> None:
    assert server_name(greeting(name)) == name


def test_every_proper_prefix_of_a_greeting_asks_for_more() -> None:
    data = greeting("control.bureau")
    assert all(server_name(data[:length]) is None for length in range(len(data)))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_greeting_cut_into_several_records_is_joined(size: int) -> None:
    assert server_name(in_records(greeting("control.bureau"), size)) == "control.bureau"


def test_bytes_after_the_greeting_do_not_matter() -> None:
    assert server_name(greeting("control.bureau") + b"\x17\x03\x03\x00\x01x") == "control.bureau"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GET / HTTP/1.1\r\n", "no TLS"),
        (b"\x16\x03\x01\x00\x00", "impossible length"),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "greeting"),
        (b"\x16\x03\x01\x40\x00\x01\xff\xff\xff", "over"),
        (b"\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00", "do not fit"),
    ],
)
def test_what_is_no_greeting_is_turned_away(data: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        server_name(data)


def test_a_greeting_without_a_name_is_turned_away() -> None:
    with pytest.raises(ProtocolError, match="no server name"):
        server_name(greeting(None))


@pytest.mark.parametrize("name", ["bureau", "a.b.control", "x" * 63 + ".y"])
def test_only_names_of_two_short_labels_pass(name: str) -> None:
    if name.count(".") == 1:
        assert server_name(greeting(name)) == name
    else:
        with pytest.raises(ProtocolError, match="no node has"):
            server_name(greeting(name))


@given(st.binary(max_size=600))
def test_arbitrary_bytes_give_a_name_or_a_protocol_error(data: bytes) -> None:
    _harmless(data)


@given(st.data())
def test_a_greeting_with_changed_bytes_gives_a_name_or_a_protocol_error(data: st.DataObject) -> None:
    message = bytearray(REAL)
    for _ in range(data.draw(st.integers(1, 8))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    _harmless(bytes(message))


def _harmless(data: bytes) -> None:
    try:
        name = server_name(data)
    except ProtocolError:
        return
    assert name is None or len(name) <= 127


REAL = greeting("control.bureau")


def test_endless_records_end_at_the_limit() -> None:
    tiny = b"\x16\x03\x01\x00\x01\x01" + b"\x16\x03\x01\x00\x01\x00" * (GREETING_LIMIT // 6)
    with pytest.raises(ProtocolError):
        server_name(tiny)


def test_a_name_is_made_of_any_party_name() -> None:
    assert control_name("Bank of Ürth") == "control.bank-of--rth"


@pytest.mark.parametrize("address", ["", "host", "host:", ":80", "host:0", "host:65536", "host:http"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(MisuseError, match="host:port"):
        parse_address(address)


def test_an_ipv6_address_is_understood() -> None:
    assert parse_address("[::1]:7600") == ("::1", 7600)


def test_peeking_leaves_every_byte_in_the_socket_even_when_the_greeting_comes_in_pieces() -> None:
    async def scenario() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            caller = socket.create_connection(listener.getsockname(), timeout=10)
            callee, _ = listener.accept()
        with caller, callee:
            callee.setblocking(False)
            peeking = asyncio.create_task(peek_server_name(callee))
            for start in range(0, len(REAL), 50):
                caller.sendall(REAL[start : start + 50])
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                assert await peeking == "control.bureau"
            return callee.recv(GREETING_LIMIT)

    assert asyncio.run(scenario()) == REAL


def test_a_caller_who_hangs_up_or_stays_silent_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_door, "GREETING_SECONDS", 0.2)
    reached: list[str] = []

    async def control(caller: socket.socket) -> None:
        reached.append("control")
        caller.close()

    async def session(job: str, caller: socket.socket) -> None:
        reached.append(job)
        caller.close()

    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        serving = asyncio.create_task(FrontDoor(listener, control, session).serve())
        for words in (b"", REAL[:40], b"hello there, this is no TLS"):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(words)
            async with asyncio.timeout(10):
                assert await _ended(reader)
            writer.close()
        for name in ("control.bureau", session_name("job1")):
            _, writer = await asyncio.open_connection(*address)
            writer.write(greeting(name))
            async with asyncio.timeout(10):
                while (name.split(".")[0]) not in reached:
                    await asyncio.sleep(0.01)
            writer.close()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(scenario())
    assert reached == ["control", "job1"]


def test_a_crowd_that_says_nothing_does_not_keep_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_door, "CALLERS_LIMIT", 3)
    reached = asyncio.Event()

    async def control(caller: socket.socket) -> None:
        reached.set()
        caller.close()

    async def session(_: str, caller: socket.socket) -> None:
        caller.close()

    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        serving = asyncio.create_task(FrontDoor(listener, control, session).serve())
        silent = [await asyncio.open_connection(*address) for _ in range(8)]
        _, writer = await asyncio.open_connection(*address)
        writer.write(greeting("control.bureau"))
        async with asyncio.timeout(10):
            await reached.wait()
            assert await _ended(silent[0][0])
        for _, other in (*silent, (None, writer)):
            other.close()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(scenario())


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True
