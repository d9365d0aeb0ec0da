"""A session opens between introduced members under one plan, and otherwise says whose fault it is."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessions import Table, close, lay_table, root

import unseen.interaction.session as session_module
from unseen.errors import MisuseError, PeerLostError, ProtocolError
from unseen.interaction.session import Hello, Meeting
from unseen.interaction.task import home_credentials

NAMES = ("bureau", "lender", "dealer")


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    with ExitStack() as stack:
        yield lay_table(stack, tmp_path, NAMES)


@pytest.fixture
def two(table: Table) -> Table:
    return table.only("bureau", "lender")


def test_every_two_members_get_a_channel_over_tls_1_3(table: Table) -> None:
    opened = table.open()
    assert {name: set(of) for name, of in opened.items() if isinstance(of, dict)} == {
        name: set(NAMES) - {name} for name in NAMES
    }
    bureau = opened["bureau"]["lender"]  # type: ignore[index,call-overload]
    wire = bureau._link._wire
    assert wire._outgoing._connection.version() == wire._incoming._connection.version() == "TLSv1.3"
    assert wire._outgoing is not wire._incoming
    bureau.send_bytes("word", b"hello")
    assert opened["lender"]["bureau"].receive_bytes("word", 10) == b"hello"  # type: ignore[index,call-overload]
    close(opened)


def test_members_under_another_plan_name_each_other(two: Table) -> None:
    two.change("lender", plan="b" * 64)
    opened = two.open()
    for me, other in (("bureau", "lender"), ("lender", "bureau")):
        assert isinstance(opened[me], ProtocolError)
        assert str(opened[me]).startswith(f"{other}: runs another plan")


def test_members_of_another_version_name_each_other_and_the_mend(
    two: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = session_module._Opening._hello

    def other(opening: session_module._Opening, direction: str) -> Hello:
        hello = real(opening, direction)
        return replace(hello, protocol="unseen/session/9") if hello.party == "lender" else hello

    monkeypatch.setattr(session_module._Opening, "_hello", other)
    two.change("lender", opening_seconds=1.0)
    opened = two.open()
    assert isinstance(opened["bureau"], ProtocolError)
    assert "lender: speaks 'unseen/session/9'" in str(opened["bureau"])
    assert "run the same version" in str(opened["bureau"])


def test_a_member_with_another_certificate_than_the_introduced_one_is_named(two: Table, tmp_path: Path) -> None:
    root(tmp_path / "elsewhere", "bureau")
    two.change("bureau", credentials=home_credentials(tmp_path / "elsewhere" / "bureau"))
    two.change("bureau", opening_seconds=1.0)
    opened = two.open()
    assert isinstance(opened["lender"], ProtocolError)
    assert "bureau: its certificate is not the introduced one" in str(opened["lender"])


def test_a_member_whose_certificate_we_would_not_know_learns_so(two: Table, tmp_path: Path) -> None:
    root(tmp_path / "elsewhere", "lender")
    two.change("lender", credentials=home_credentials(tmp_path / "elsewhere" / "lender"))
    two.change("bureau", opening_seconds=1.0)
    opened = two.open()
    assert isinstance(opened["lender"], ProtocolError)
    assert "bureau: it does not accept our certificate" in str(opened["lender"])
    assert isinstance(opened["bureau"], PeerLostError)
    assert "lender: did not come" in str(opened["bureau"])
    assert "certificate is nobody's" in str(opened["bureau"])


def test_a_member_that_does_not_come_is_named_by_all(table: Table) -> None:
    for name in NAMES:
        table.change(name, opening_seconds=1.5)
    opened = table.open("bureau", "dealer")
    assert "lender: did not come to the session" in str(opened["bureau"])
    assert "lender: " in str(opened["dealer"])


def test_strangers_at_the_door_do_not_disturb(two: Table) -> None:
    address = two.listeners["bureau"].getsockname()
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            with socket.create_connection(address, timeout=5) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                stop.wait(0.02)

    stranger = threading.Thread(target=disturb)
    stranger.start()
    try:
        opened = two.open()
        assert all(isinstance(of, dict) for of in opened.values()), opened
        close(opened)
    finally:
        stop.set()
        stranger.join(10)


def test_who_is_no_member_cannot_meet(table: Table) -> None:
    with pytest.raises(MisuseError, match="no member"):
        replace(table.meetings["lender"], me="stranger")


@given(st.binary(max_size=300))
def test_any_first_frame_is_a_hello_or_the_senders_fault(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="lender"):
        Hello.from_bytes(data, "lender")


def test_a_certificate_that_says_another_name_than_the_hello_is_noticed(table: Table) -> None:
    meeting: Meeting = table.meetings["bureau"]
    hello = Hello("unseen/session/1", "1", meeting.plan, meeting.job, "dealer", "to-answerer")
    with pytest.raises(ProtocolError, match="another party than its certificate"):
        hello.expect(meeting, "lender", "to-answerer")


def test_no_version_before_tls_1_3_is_spoken(table: Table) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refused = threading.Event()

    def old() -> None:
        with socket.create_connection(table.listeners["bureau"].getsockname(), timeout=10) as raw:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(raw, server_hostname="x.session")
            refused.set()

    caller = threading.Thread(target=old)
    caller.start()
    table.change("bureau", opening_seconds=1.0)
    assert isinstance(table.open("bureau")["bureau"], PeerLostError)
    caller.join(10)
    assert refused.is_set()
