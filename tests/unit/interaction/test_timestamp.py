"""Time stamps over tree heads, by an authority made of `openssl ts` on this machine."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from unseen.errors import MisuseError, UnavailableError, VerificationError
from unseen.interaction.envelope import from_json
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.ledger import Kind, Ledger
from unseen.interaction.timestamp import check, fetch, load_roots, stamp_ledger, stamps
from unseen.interaction.verify import verify_ledger

People = dict[str, tuple[SigningKey, Card]]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the authority is made of openssl")

CONFIGURATION = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def certificate(folder: Path, name: str, issuer: str, authority: bool) -> None:
    """A key and a certificate in `folder`: a root, or one for stamping under it."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(key.private_bytes(*form))
    signer = (
        key if authority else serialization.load_pem_private_key((folder / f"{issuer}.key").read_bytes(), None)
    )
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not authority:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    made = builder.sign(signer, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A time-stamp authority that runs: its URL, and its root certificate."""
    folder = tmp_path_factory.mktemp("authority")
    for name, is_root in (("root", True), ("tsa", False), ("stranger", True)):
        certificate(folder, name, name if is_root else "root", is_root)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))

    class Stamping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            words = "ts -reply -config tsa.cnf -section here -queryfile query -signer tsa.pem -inkey tsa.key"
            done = subprocess.run(
                ["openssl", *words.split(), "-out", "reply"],
                cwd=folder,
                capture_output=True,
                timeout=30,
                check=False,
            )
            self.send_response(200 if done.returncode == 0 and self.path == "/" else 500)
            self.end_headers()
            self.wfile.write((folder / "reply").read_bytes() if self.path == "/" else b"x" * (1 << 17))

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Stamping) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", folder / "root.pem"
        server.shutdown()
        thread.join(30)


@pytest.fixture
def ledger(tmp_path: Path, people: People) -> Iterator[Ledger]:
    key, card = people["lender"]
    with_entries = Ledger(tmp_path / "ledger", "lender", key)
    with_entries.append(Kind.ADMINISTRATION, "created", {"card": card.envelope.as_json()})
    with_entries.append(Kind.RUN, "run", {"job": "0" * 32})
    yield with_entries
    with_entries.close()


def test_a_head_is_stamped_and_the_stamp_holds_offline(ledger: Ledger, authority: tuple[str, Path]) -> None:
    url, root = authority
    made = stamp_ledger(ledger, url, load_roots(root))
    assert made.size == 2
    assert abs(datetime.now(UTC) - made.time) < timedelta(minutes=5)
    assert list(stamps(ledger.folder, load_roots(root))) == [made]
    assert verify_ledger(ledger.folder).entries == 3


def test_a_stamp_of_another_head_or_authority_does_not_hold(ledger: Ledger, authority: tuple[str, Path]) -> None:
    url, root = authority
    stamp_ledger(ledger, url, load_roots(root))
    with pytest.raises(VerificationError, match="entry 2: a time stamp does not hold"):
        list(stamps(ledger.folder, load_roots(root.with_name("stranger.pem"))))
    data = fetch(from_json(ledger.entry(2).body["head"]), url)
    with pytest.raises(VerificationError, match="does not hold"):
        check(data, ledger.head(), load_roots(root))
    flipped = bytearray(data)
    flipped[-5] ^= 1
    with pytest.raises(VerificationError):
        check(bytes(flipped), from_json(ledger.entry(2).body["head"]), load_roots(root))
    with pytest.raises(VerificationError, match="no time stamp"):
        check(b"nothing", ledger.head(), load_roots(root))


def test_an_authority_that_cannot_be_reached_or_says_too_much_leaves_no_entry(
    ledger: Ledger, authority: tuple[str, Path], tmp_path: Path
) -> None:
    url, root = authority
    with pytest.raises(UnavailableError, match="no time stamp from"):
        stamp_ledger(ledger, "http://127.0.0.1:9/", load_roots(root))
    with pytest.raises(VerificationError, match="larger than any stamp"):
        stamp_ledger(ledger, f"{url}loud", load_roots(root))
    with pytest.raises(MisuseError, match="no certificates"):
        load_roots(tmp_path / "nothing.pem")
    assert len(ledger) == 2
