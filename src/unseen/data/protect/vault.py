"""The vault of random tokens: pairs of value and token in sealed files that only grow.

    FOLDER/
      00000001.sealed, 00000002.sealed, …   one Arrow batch of new pairs each, sealed as a whole
      lock                                   held by whoever reads or adds

A value is in the clear in memory only. Two processes that tokenise at once take turns.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.contract import normalised
from unseen.data.sealed import Seal, write_whole
from unseen.errors import MisuseError

_SCHEMA: Final = pa.schema([("value", pa.large_string()), ("token", pa.large_string())])


class Vault:
    """The pairs in one folder, made if it is not there."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self._folder = folder
        self._seal = seal
        self._held: tuple[list[tuple[str, int]], tuple[pa.Array, pa.Array]] | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> tuple[pa.Array, pa.Array]:
        """All values and their tokens, in the order in which they came."""
        with self._alone():
            return self._read()

    def grown(self, values: pa.Array, fresh: Callable[[int], pa.Array]) -> tuple[pa.Array, pa.Array]:
        """All values and tokens, after those distinct `values` that were not there got fresh tokens."""
        with self._alone():
            known, tokens = self._read()
            new = values.filter(pc.is_null(pc.index_in(values, value_set=known)))
            if not len(new):
                return known, tokens
            made = fresh(len(new))
            self._write(len(self._files()) + 1, pa.table([new, made], schema=_SCHEMA))
            pairs = pa.concat_arrays([known, new]), pa.concat_arrays([tokens, made])
            self._held = self._state(), pairs
            return pairs

    def erase(self, value: str) -> bool:
        """Forget a value, however it is written as a join key: its tokens can no longer be reversed.

        Returns whether it was there.
        """
        key = normalised(pa.array([value]))[0]
        with self._alone():
            found = False
            for number, path in enumerate(self._files(), start=1):
                pairs = self._open(number, path)
                kept = pairs.filter(pc.not_equal(normalised(pairs["value"]), key))
                if kept.num_rows < pairs.num_rows:
                    found = True
                    self._write(number, kept)
            return found

    def _read(self) -> tuple[pa.Array, pa.Array]:
        state = self._state()
        if self._held is not None and self._held[0] == state:
            return self._held[1]
        batches = [self._open(number, path) for number, path in enumerate(self._files(), start=1)]
        whole = pa.concat_tables([_SCHEMA.empty_table(), *batches]).combine_chunks()
        pairs = whole["value"].combine_chunks(), whole["token"].combine_chunks()
        self._held = state, pairs
        return pairs

    def _state(self) -> list[tuple[str, int]]:
        """What tells whether another process has written meanwhile."""
        return [(path.name, path.stat().st_mtime_ns) for path in self._files()]

    def _open(self, number: int, path: Path) -> pa.Table:
        if path.name != _name(number):
            raise MisuseError(f"{self._folder} lacks {_name(number)}; restore the vault from its backup")
        data = self._seal.open(path.read_bytes(), self._context(number))
        return pa.ipc.open_stream(data).read_all()

    def _write(self, number: int, pairs: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, _SCHEMA) as writer:
            writer.write_table(pairs)
        data = sink.getvalue().to_pybytes()
        write_whole(self._folder / _name(number), self._seal.seal(data, self._context(number)))

    def _context(self, number: int) -> bytes:
        return f"unseen/vault/{self._folder.name}/{number}".encode()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.sealed"))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _name(number: int) -> str:
    return f"{number:08}.sealed"
