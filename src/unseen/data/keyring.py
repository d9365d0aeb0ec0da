"""An institution's keysets: one for each data set and kind of file, under the key-encryption key.

    FOLDER/
      <name>.keyset        a Tink keyset, encrypted under the key-encryption key and bound to its name
      <name>.secret        32 random bytes, sealed by the keyset of the same name
      lock                 held while a keyset is made or changed

Envelope encryption: what is sealed carries the number of the key that sealed it. Rotation adds a key and makes it
the one that seals from now on; older keys stay to open what they sealed, so that nothing stops meanwhile. A
process that meets a number it does not know reads the keyset again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Final

from unseen.data.master_key import Aead
from unseen.data.protect.secret import SECRET_BYTES, Secret
from unseen.data.sealed import write_whole
from unseen.errors import MisuseError, VerificationError

KEYSET: Final = ".keyset"
SECRET: Final = ".secret"
MOST_KEYS: Final = 1000


@dataclass(frozen=True)
class KeysetInfo:
    """A keyset without its keys: how many there are, and the number of the one that seals."""

    name: str
    keys: int
    primary: int


class Keyring:
    """The keysets in one folder, made if it is not there. `master` is called when a keyset is first needed."""

    def __init__(self, folder: Path, master: Callable[[], Aead]) -> None:
        self._folder = folder
        self._master = master
        self._opened: Aead | None = None
        self._lock = RLock()
        self._depth = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def seal(self, name: str) -> Sealer:
        """What seals and opens under the keyset of this name, which is made if there is none."""
        return Sealer(self, _checked(name))

    def secret(self, name: str) -> Secret:
        """The secret of this name, made if there is none: what protections derive their keys from."""
        path = self._folder / f"{_checked(name)}{SECRET}"
        sealer, context = self.seal(name), f"secret/{name}".encode()
        with self._alone():
            if not path.exists():
                sealed = sealer.seal(os.urandom(SECRET_BYTES), context)
                write_whole(path, sealed)
            return Secret(sealer.open(path.read_bytes(), context))

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob(f"*{KEYSET}"))

    def info(self, name: str) -> KeysetInfo:
        """Raises MisuseError if there is no such keyset."""
        found = self.handle(name, make=False).keyset_info()
        return KeysetInfo(name, len(found.key_info), found.primary_key_id)

    def rotate(self, name: str) -> KeysetInfo:
        """Seal under a fresh key from now on; older keys stay to open. Raises MisuseError: no such keyset."""
        from tink import proto_keyset_format, secret_key_access
        from tink.proto import tink_pb2

        with self._alone():
            old = self.handle(name, make=False)
            keys = tink_pb2.Keyset.FromString(proto_keyset_format.serialize(old, secret_key_access.TOKEN))
            if len(keys.key) >= MOST_KEYS:
                raise MisuseError(f"the keyset {name!r} has {MOST_KEYS} keys; that is rotated often enough")
            taken = {key.key_id for key in keys.key}
            while True:
                new = tink_pb2.Keyset.FromString(proto_keyset_format.serialize(_fresh(), secret_key_access.TOKEN))
                if new.primary_key_id not in taken:
                    break
            keys.key.extend(new.key)
            keys.primary_key_id = new.primary_key_id
            self._write(name, proto_keyset_format.parse(keys.SerializeToString(), secret_key_access.TOKEN))
        return KeysetInfo(name, len(keys.key), keys.primary_key_id)

    def rewrap(self, master: Aead) -> int:
        """Put all keysets under another key-encryption key; returns how many. What they sealed stays as it is.

        All are written beside the present ones first, so that a failure in between changes none.
        """
        from tink import proto_keyset_format

        with self._alone():
            handles = {name: self.handle(name, make=False) for name in self.names()}
            for name, handle in handles.items():
                data = proto_keyset_format.serialize_encrypted(handle, master, _bound(name))
                write_whole(self._path(name).with_suffix(".next"), data)
            for name in handles:
                self._path(name).with_suffix(".next").replace(self._path(name))
            self._opened = master
        return len(handles)

    def handle(self, name: str, make: bool = True) -> Any:
        """The Tink handle of a keyset."""
        from tink import proto_keyset_format

        path = self._path(name)
        if not path.exists():
            if not make:
                raise MisuseError(f"there is no keyset {name!r} (there are: {', '.join(self.names()) or 'none'})")
            with self._alone():
                if not path.exists():
                    self._write(name, _fresh())
        key = self._key()
        try:
            return proto_keyset_format.parse_encrypted(path.read_bytes(), key, _bound(name))
        except Exception as error:
            raise VerificationError(
                f"the keyset {name!r} does not open under the key-encryption key at hand: it was made under"
                " another one, or altered; bring the right key, or restore the keyring from its backup"
            ) from error

    def _write(self, name: str, handle: Any) -> None:
        from tink import proto_keyset_format

        write_whole(self._path(name), proto_keyset_format.serialize_encrypted(handle, self._key(), _bound(name)))

    def _key(self) -> Aead:
        if self._opened is None:
            self._opened = self._master()
        return self._opened

    def _path(self, name: str) -> Path:
        return self._folder / f"{_checked(name)}{KEYSET}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes and threads out; may be nested."""
        with self._lock, contextlib.ExitStack() as stack:
            if not self._depth:
                fcntl.flock(stack.enter_context((self._folder / "lock").open("w")), fcntl.LOCK_EX)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    def __repr__(self) -> str:
        return f"Keyring({self._folder})"


class Sealer:
    """Authenticated encryption under one keyset: AES-256-GCM by Tink. See `sealed.Seal`."""

    def __init__(self, keyring: Keyring, name: str) -> None:
        self._keyring = keyring
        self._name = name
        self._aead: Aead | None = None

    def seal(self, data: bytes, context: bytes) -> bytes:
        """Encrypt; `context` is bound to the text and must be the same at opening."""
        return (self._aead or self._load()).encrypt(data, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt. Raises VerificationError for what was altered, or sealed elsewhere or for another place."""
        for aead in (self._aead, None):
            with contextlib.suppress(Exception):  # the second try reads a keyset that was rotated meanwhile
                return (aead or self._load()).decrypt(sealed, context)
        self._keyring.handle(self._name)
        raise VerificationError(
            f"something sealed under {self._name!r} does not open: it was altered, or belongs elsewhere"
        )

    def _load(self) -> Aead:
        from tink import aead

        self._aead = self._keyring.handle(self._name).primitive(aead.Aead)
        return self._aead

    def __repr__(self) -> str:
        return f"Sealer({self._name})"


def _fresh() -> Any:
    import tink
    from tink import aead

    aead.register()
    return tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)


def _bound(name: str) -> bytes:
    return f"unseen/keyset/{name}".encode()


def _checked(name: str) -> str:
    if not name or len(name) > 100 or not all(part.isidentifier() for part in name.split("-")):
        raise MisuseError(f"{name!r} is no name of a keyset; use letters, digits, underscores and single dashes")
    return name
