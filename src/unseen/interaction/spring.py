"""The process that a node's workers come from: `python -m unseen.interaction.spring DESCRIPTOR`.

Importing what a job needs takes seconds. The spring does it once, holds no key and no row, and makes a worker by a
copy of itself (`fork`) whenever the node asks for one: in milliseconds, and mostly in memory that they share. That
is safe because the spring never has a second Python thread (OpenBLAS, and the allocators of Arrow and DuckDB, look
after theirs in a copy), and because nothing random is drawn in it: masks and keys come from the operating system's
generator in the worker.

The socket's words, node to spring: `w` with the descriptor of a new worker's socket; `k` with eight bytes, the
process number of a worker that is to be killed (only the spring knows for sure that the number is still that
worker's). Spring to node, one JSON object a line: `{"began": NUMBER}` for each worker in the order of asking, and
`{"ended": NUMBER, "code": CODE}`. When the node dies the socket closes: the spring ends its workers and itself.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import warnings

from unseen.interaction import worker
from unseen.interaction.workshop import NUMBER_BYTES, WORKER


class _Spring:
    """Makes workers, and tells when they end."""

    def __init__(self, node: socket.socket) -> None:
        self._node = node
        self._workers: set[int] = set()
        self._wake, ended = os.pipe()
        os.set_blocking(ended, False)
        self._ended = ended
        signal.set_wakeup_fd(ended)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def run(self) -> None:
        """Until the node is gone; then end what still runs."""
        node = self._node.fileno()
        while True:
            ready, _, _ = select.select([node, self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._bury()
            if node in ready:
                word, descriptors, _, _ = socket.recv_fds(self._node, 1, 1)
                if not word:
                    break
                if word == WORKER:
                    self._begin(descriptors[0])
                else:
                    self._kill(int.from_bytes(self._node.recv(NUMBER_BYTES, socket.MSG_WAITALL), "big"))
        for number in self._workers:
            os.kill(number, signal.SIGKILL)

    def _begin(self, descriptor: int) -> None:
        number = os.fork()
        if not number:
            self._become_worker(descriptor)
        os.close(descriptor)
        self._workers.add(number)
        self._tell(began=number)

    def _become_worker(self, descriptor: int) -> None:
        """In the copy: forget the spring, and do the job. Does not return."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._node.close()
            os.close(self._wake)
            os.close(self._ended)
            worker.serve(socket.socket(fileno=descriptor))
        finally:
            os._exit(1)

    def _kill(self, number: int) -> None:
        if number in self._workers:
            os.kill(number, signal.SIGKILL)

    def _bury(self) -> None:
        for number in tuple(self._workers):
            buried, status = os.waitpid(number, os.WNOHANG)
            if buried:
                self._workers.discard(number)
                self._tell(ended=number, code=os.waitstatus_to_exitcode(status))

    def _tell(self, **words: int) -> None:
        with contextlib.suppress(OSError):
            self._node.sendall(json.dumps(words).encode() + b"\n")


def main() -> None:
    """Entry point of the process."""
    # Python 3.12 and later count the threads of libraries too: see above.
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
    sys.setswitchinterval(worker.SWITCH_SECONDS)
    worker.keep_freed_memory()
    spring = _Spring(socket.socket(fileno=int(sys.argv[1])))
    worker.import_ahead()
    gc.collect()
    gc.freeze()  # what is there stays, and the pages that hold it are shared with the workers
    spring.run()
    os._exit(0)


if __name__ == "__main__":
    main()
