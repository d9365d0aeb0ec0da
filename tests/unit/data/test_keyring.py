"""Keysets under a key-encryption key: in a file, a variable, a service; rotation while others work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from unseen.data.keyring import Keyring
from unseen.data.master_key import Aead, create_file, fresh, master_key
from unseen.data.protect.protection import Reason
from unseen.data.protect.tokens import RandomToken
from unseen.data.protect.vault import Vault
from unseen.data.sealed import SealedFolder, in_memory
from unseen.errors import MisuseError, VerificationError

PLANTED = b"Erika Mustermann"


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Aead:
    home = tmp_path_factory.mktemp("home")
    create_file("file:master.key", home)
    return master_key("file:master.key", home)


def keyring(folder: Path, master: Aead) -> Keyring:
    return Keyring(folder / "keyring", lambda: master)


def test_what_is_sealed_opens_in_its_place_only(tmp_path: Path, master: Aead) -> None:
    sealer = keyring(tmp_path, master).seal("results")
    sealed = sealer.seal(PLANTED, b"here")
    assert PLANTED not in sealed
    assert keyring(tmp_path, master).seal("results").open(sealed, b"here") == PLANTED
    for other, context in ((sealed, b"there"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"here")):
        with pytest.raises(VerificationError, match="altered, or belongs elsewhere"):
            sealer.open(other, context)
    with pytest.raises(VerificationError):
        keyring(tmp_path, master).seal("dataset-loans").open(sealed, b"here")


def test_after_a_rotation_old_and_new_open_in_processes_that_began_before_and_after(
    tmp_path: Path, master: Aead
) -> None:
    before = keyring(tmp_path, master).seal("results")
    old = before.seal(PLANTED, b"")
    info = keyring(tmp_path, master).rotate("results")
    assert info.keys == 2
    after = keyring(tmp_path, master).seal("results")
    new = after.seal(PLANTED, b"")
    assert int.from_bytes(new[1:5], "big") == info.primary != int.from_bytes(old[1:5], "big")
    assert before.open(new, b"") == before.open(old, b"") == after.open(old, b"") == PLANTED
    assert keyring(tmp_path, master).info("results") == info


def test_a_keyset_is_bound_to_its_name_and_key(
    tmp_path: Path, master: Aead, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = keyring(tmp_path, master)
    ring.seal("one").seal(b"", b"")
    folder = tmp_path / "keyring"
    (folder / "two.keyset").write_bytes((folder / "one.keyset").read_bytes())
    with pytest.raises(VerificationError, match="does not open"):
        ring.handle("two")
    monkeypatch.setenv("OTHER_KEY", fresh())
    with pytest.raises(VerificationError, match="bring the right key"):
        keyring(tmp_path, master_key("env:OTHER_KEY", tmp_path)).handle("one")


def test_all_keysets_move_to_another_key(tmp_path: Path, master: Aead, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = keyring(tmp_path, master)
    sealed = ring.seal("one").seal(PLANTED, b"")
    secret = ring.secret("two").key("label")
    monkeypatch.setenv("NEW_KEY", fresh())
    new = master_key("env:NEW_KEY", tmp_path)
    assert ring.rewrap(new) == 2
    assert keyring(tmp_path, new).seal("one").open(sealed, b"") == PLANTED
    assert keyring(tmp_path, new).secret("two").key("label") == secret
    with pytest.raises(VerificationError):
        keyring(tmp_path, master).handle("one")


def test_a_secret_is_one_for_a_name_and_never_in_the_clear(tmp_path: Path, master: Aead) -> None:
    ring = keyring(tmp_path, master)
    assert ring.secret("a").key("x") == keyring(tmp_path, master).secret("a").key("x") != ring.secret("b").key("x")
    assert repr(ring.secret("a")) == "Secret(hidden)"


def test_places_of_a_key_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_file("file:k", tmp_path)
    (tmp_path / "k").chmod(0o640)
    with pytest.raises(MisuseError, match="chmod 600"):
        master_key("file:k", tmp_path)
    with pytest.raises(MisuseError, match="cannot be read"):
        master_key("file:gone", tmp_path)
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(MisuseError, match="not set"):
        master_key("env:NO_SUCH_KEY", tmp_path)
    monkeypatch.setenv("BAD_KEY", "rosebud")
    with pytest.raises(MisuseError, match="holds no Tink keyset") as caught:
        master_key("env:BAD_KEY", tmp_path)
    assert "rosebud" not in str(caught.value)
    with pytest.raises(MisuseError, match="is no place for"):
        master_key("floppy://a", tmp_path)
    with pytest.raises(MisuseError, match="extra"):
        master_key("gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k", tmp_path)


@pytest.fixture
def service() -> Iterator[str]:
    """Tink's own key management service for tests, known to Tink while the test runs."""
    import base64

    import tink
    from tink import _kms_clients, aead, secret_key_access
    from tink.testing import fake_kms

    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES128_GCM)
    serialized = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    uri = "fake-kms://" + base64.urlsafe_b64encode(serialized).decode().rstrip("=")
    fake_kms.register_client(uri)
    yield uri
    _kms_clients.reset_kms_clients()


def test_a_key_management_service_by_its_uri(service: str, tmp_path: Path) -> None:
    ring = keyring(tmp_path, master_key(service, tmp_path))
    assert ring.seal("one").open(ring.seal("one").seal(PLANTED, b""), b"") == PLANTED


def test_a_vault_and_results_show_nothing_on_disk(tmp_path: Path, master: Aead) -> None:
    ring = keyring(tmp_path, master)
    vault = Vault(tmp_path / "vault", ring.seal("dataset-loans"))
    tokens = RandomToken(vault).apply(pa.array([PLANTED.decode()]))
    with in_memory() as folder:
        (folder / "scores.csv").write_bytes(PLANTED)
        (folder / "plots").mkdir()
        (folder / "plots" / "one.svg").write_bytes(PLANTED)
        SealedFolder(tmp_path / "job", ring.seal("results"), "jobs/1").take(folder)
    assert not folder.exists()
    job = SealedFolder(tmp_path / "job", ring.seal("results"), "jobs/1")
    assert job.names() == ["plots/one.svg", "scores.csv"]
    assert job.read("scores.csv") == PLANTED
    with pytest.raises(MisuseError, match=r"there is: plots/one\.svg, scores\.csv"):
        job.read("model.json")
    with pytest.raises(VerificationError):
        SealedFolder(tmp_path / "job", ring.seal("results"), "jobs/2").read("scores.csv")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 4
    assert not any(PLANTED in path.read_bytes() for path in files)
    ring.rotate("dataset-loans")
    back = RandomToken(Vault(tmp_path / "vault", ring.seal("dataset-loans"))).reverse(
        tokens, Reason("ann", "court order", lambda _: None)
    )
    assert back.to_pylist() == [PLANTED.decode()]


def test_a_sealed_file_is_removed_for_good(tmp_path: Path, master: Aead) -> None:
    job = SealedFolder(tmp_path / "job", keyring(tmp_path, master).seal("results"), "jobs/1")
    job.write("once", PLANTED)
    job.write("often", PLANTED)
    job.remove("once")
    assert job.names() == ["often"]
    with pytest.raises(MisuseError, match="no once here any more"):
        job.remove("once")


def test_names_that_are_no_names(tmp_path: Path, master: Aead) -> None:
    for name in ("", "../x", "a b", "a--b", "x" * 101):
        with pytest.raises(MisuseError, match="no name of a keyset"):
            keyring(tmp_path, master).seal(name)
