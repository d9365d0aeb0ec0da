"""Sessions between threads of a test, over real TLS on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unseen.computation.channel import Channel
from unseen.errors import UnseenError
from unseen.interaction.identity import create_keys
from unseen.interaction.session import Meeting, Member, open_session
from unseen.interaction.task import home_credentials

Opened = dict[str, Channel] | UnseenError


class Listener:
    """A doorway without a node."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def next_caller(self, patience: float) -> int | None:
        self._listener.settimeout(patience)
        try:
            caller, _ = self._listener.accept()
        except TimeoutError:
            return None
        return caller.detach()


@dataclass
class Table:
    """Where members meet: their meetings and listeners, by name."""

    meetings: dict[str, Meeting]
    listeners: dict[str, socket.socket]

    def change(self, name: str, **changes: Any) -> None:
        self.meetings[name] = replace(self.meetings[name], **changes)

    def only(self, *names: str) -> Table:
        """The same table for these members alone."""
        for name in names:
            kept = tuple(member for member in self.meetings[name].members if member.name in names)
            self.change(name, members=kept)
        return Table({name: self.meetings[name] for name in names}, self.listeners)

    def open(self, *names: str) -> dict[str, Opened]:
        """Let these members (all, if none is named) open their sessions at once; channels or errors, by name."""
        return meet({name: self.meetings[name] for name in names or self.meetings}, self.listeners)


def meet(meetings: Mapping[str, Meeting], listeners: Mapping[str, socket.socket]) -> dict[str, Opened]:
    def one(name: str) -> Opened:
        try:
            return open_session(meetings[name], Listener(listeners[name]))[0]
        except UnseenError as error:
            return error

    with ThreadPoolExecutor(len(meetings)) as pool:
        return dict(zip(meetings, pool.map(one, meetings), strict=True))


def lay_table(
    stack: ExitStack, folder: Path, names: Sequence[str], opening_seconds: float = 20.0, patience: float = 20.0
) -> Table:
    """Keys and listeners for members of these names."""
    listeners = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in names}
    members = tuple(Member(name, _address(listeners[name]), root(folder, name)) for name in names)
    meetings = {
        name: Meeting(
            "0" * 32, "a" * 64, name, members, home_credentials(folder / name), opening_seconds, patience
        )
        for name in names
    }
    return Table(meetings, listeners)


def root(folder: Path, name: str) -> str:
    """The root certificate of a member, made when it is first asked for."""
    keys = folder / name / "keys"
    if not keys.exists():
        create_keys(keys, name)
    return (keys / "root.crt").read_text()


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"{host}:{port}"


def close(opened: Mapping[str, Opened], abort: Callable[[Channel], None] | None = None) -> None:
    """Close all channels that stand."""
    channels = [channel for of in opened.values() if isinstance(of, dict) for channel in of.values()]
    for channel in channels:
        (abort or Channel.close)(channel)
