"""The key-encryption key: what opens an institution's keysets. It lies in a file, in the environment, or in a KMS.

A location is a URI: `file:PATH` (mode 0600; relative to the home), `env:NAME`, or a key management service's in
Tink's own form: `gcp-kms://…`, `aws-kms://…`, `hcvault://…`. In a file or variable stands a Tink keyset as JSON.
A disk that is stolen with the file reads in the clear: keep the file on another device, or choose a service.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Protocol

from unseen.errors import MisuseError, UnavailableError

DEFAULT: Final = "file:keys/master.key"
_SERVICES: Final = {"gcp-kms": "gcpkms", "aws-kms": "awskms", "hcvault": "hcvault"}
KEYSET_LIMIT: Final = 1 << 20


class Aead(Protocol):
    """Tink's authenticated encryption with associated data."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes: ...
    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes: ...


def master_key(uri: str, home: Path) -> Aead:
    """The key at a location.

    Raises MisuseError for a location of no known kind, a file that others may read or a variable that is not
    set, UnavailableError for a service that does not answer.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "file":
        return _read(_file(home / rest), f"the file {rest}")
    if scheme == "env":
        text = os.environ.get(rest)
        if not text:
            raise MisuseError(f"the key-encryption key is to be in the variable {rest}, which is not set")
        return _read(text, f"the variable {rest}")
    return _service(uri, scheme)


def create_file(uri: str, home: Path) -> None:
    """Make a new key in the file that `uri` names, if it names one and there is none."""
    scheme, _, rest = uri.partition(":")
    path = home / rest
    if scheme != "file" or path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(fresh() + "\n")
        file.flush()
        os.fsync(file.fileno())


def fresh() -> str:
    """A new key as a person keeps it in a file or a variable: a Tink keyset of one AES-256-GCM key, JSON."""
    import tink
    from tink import aead, secret_key_access

    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return "".join(tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN).split())


def _file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise MisuseError(f"{path} may be read by others; it opens all keys: chmod 600 {path}")
        with path.open(encoding="ascii") as file:
            return file.read(KEYSET_LIMIT)
    except OSError as error:
        raise MisuseError(
            f"the key-encryption key {path} cannot be read ({error.strerror}); without it nothing that was"
            " encrypted can be opened: bring the file or its backup to this place"
        ) from error
    except UnicodeDecodeError as error:
        raise MisuseError(f"{path} holds no key-encryption key") from error


def _read(text: str, where: str) -> Aead:
    import tink
    from tink import aead, secret_key_access

    aead.register()
    try:
        handle = tink.json_proto_keyset_format.parse(text, secret_key_access.TOKEN)
        key: Aead = handle.primitive(aead.Aead)
    except Exception as error:
        raise MisuseError(f"{where} holds no Tink keyset for authenticated encryption, as JSON") from error
    return key


def _service(uri: str, scheme: str) -> Aead:
    """A key management service's key, under the credentials of this account's environment."""
    import tink

    try:
        if scheme in _SERVICES:
            return _known_service(uri, scheme)
        key: Aead = tink.kms_client_from_uri(uri).get_aead(uri)
        return key
    except ImportError as error:
        raise MisuseError(f"{scheme} needs an extra: pip install 'tink[{_SERVICES[scheme]}]'") from error
    except tink.TinkError as error:
        known = ", ".join(["file:PATH", "env:NAME", *(f"{name}://…" for name in _SERVICES)])
        raise MisuseError(f"{uri!r} is no place for a key-encryption key; use one of {known}") from error
    except Exception as error:  # the services' own libraries raise trees of their own
        raise UnavailableError(f"{scheme} does not give its key; check address and credentials") from error


def _known_service(uri: str, scheme: str) -> Aead:
    key: Aead
    if scheme == "gcp-kms":
        from tink.integration import gcpkms

        key = gcpkms.GcpKmsClient(uri, None).get_aead(uri)
    elif scheme == "aws-kms":
        from tink.integration import awskms

        key = awskms.AwsKmsClient(uri, None).get_aead(uri)
    else:
        import hvac
        from tink.integration import hcvault

        key = hcvault.new_aead(uri.partition("://")[2], hvac.Client())
    return key
