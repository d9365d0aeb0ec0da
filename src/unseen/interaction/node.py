"""A node: the process that stands for one institution. One port, one event loop, worker processes beside it.

`Node(home).run()` serves until it is told to stop (SIGTERM, SIGINT). HTTP is uvicorn's, fed with sockets that
the front door accepted; the caller's certificate decides who asks.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from unseen.interaction.asking import Asking
from unseen.interaction.conductor import Conductor
from unseen.interaction.control import PEER, build
from unseen.interaction.front_door import FrontDoor, listen
from unseen.interaction.home import Home
from unseen.interaction.transport import server_context, signer_of
from unseen.interaction.workshop import Workshop

HANDSHAKE_SECONDS: Final = 10.0
CALLS_LIMIT: Final = 200
"""Most calls that are answered at once; some wait for news and hold a thread while they do."""
SESSION_WAIT_SECONDS: Final = 30.0
"""How long a caller of a session waits for the worker to be there."""
_LOOK_SECONDS: Final = 0.05

log = logging.getLogger(__name__)


class Node:
    """One institution's node over its home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.store = home.store()
        self.workshop = Workshop()
        self.conductor = Conductor(home, self.store, self.workshop)
        self.asking = Asking(self.conductor)
        self._state = ServerState()
        self._config = uvicorn.Config(
            build(self.conductor, self.asking),
            lifespan="off",
            log_config=None,
            access_log=False,
            limit_concurrency=512,
            timeout_keep_alive=15,
        )
        self._config.load()

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped; `ready` is called once the port is open. Raises MisuseError if it is taken."""
        listener = listen(self.home.settings.listen)
        self.workshop.prepare()
        asyncio.run(self._serve(listener, ready))

    async def _serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        current_default_thread_limiter().total_tokens = CALLS_LIMIT
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopped.set)
        door = asyncio.create_task(FrontDoor(listener, self._control, self._session).serve())
        await asyncio.to_thread(self.asking.recover)
        watching = threading.Thread(target=self.asking.watch, name="watch", daemon=True)
        watching.start()
        ready()
        await asyncio.wait([door, asyncio.create_task(stopped.wait())], return_when=asyncio.FIRST_COMPLETED)
        await self._close(door)

    async def _close(self, door: asyncio.Task[None]) -> None:
        door.cancel()
        for connection in list(self._state.connections):
            connection.shutdown()
        self.asking.close()
        await asyncio.to_thread(self.workshop.close)
        await asyncio.to_thread(self.conductor.close)
        self.store.close()

    # --- who calls -------------------------------------------------------------------------------------

    def _roots(self) -> dict[str, str]:
        """Roots of all who may speak to this node, by name: the partners' and our own."""
        return {name: card.root for name, card in self.home.cards(self.store).items()}

    async def _control(self, caller: socket.socket) -> None:
        """TLS and HTTP for a caller who wants the node itself."""
        roots = await asyncio.to_thread(self._roots)  # read anew: partners come and go while the node runs
        context = server_context(self.home.credentials, roots.values())
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: _Speaking(self._config, self._state, roots),
                caller,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except ssl.SSLError as error:
            log.warning("a caller was turned away: its certificate is of no introduced partner (%s)", error.reason)
            caller.close()

    async def _session(self, job: str, caller: socket.socket) -> None:
        """Hand a caller to the job's worker; one who comes a little early waits for it."""
        deadline = monotonic() + SESSION_WAIT_SECONDS
        while not self.workshop.deliver(job, caller):
            expected = await asyncio.to_thread(self.conductor.expects, job)
            if not expected or monotonic() > deadline:
                caller.close()
                return
            await asyncio.sleep(_LOOK_SECONDS)


class _Speaking(H11Protocol):
    """uvicorn's HTTP protocol, with the caller's proven name in the scope of every request."""

    def __init__(self, config: uvicorn.Config, state: ServerState, roots: Mapping[str, str]) -> None:
        super().__init__(config, state, {})
        self._roots = roots

    def connection_made(self, transport: Any) -> None:
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        name = signer_of(certificate, self._roots) if certificate else None
        if name is None:
            transport.abort()
            return
        inner = self.app

        async def named(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, PEER: name}, receive, send)

        self.app = named
        super().connection_made(transport)
