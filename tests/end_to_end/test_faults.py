"""What goes wrong between real nodes: every party names the culprit, and the next run works."""

from __future__ import annotations

import json
import select
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psutil
import pytest
from cryptography import x509
from neighbourhood import AGREEMENT, REQUEST, SECONDS, Institution, Neighbourhood, command, next_run_works

from unseen.encoding import canonical, parse_json
from unseen.errors import AbortedError, PeerLostError, ProtocolError, RefusedError
from unseen.interaction import envelope as envelopes
from unseen.interaction.client import NodeClient
from unseen.interaction.identity import renew_node_certificate
from unseen.interaction.job import State
from unseen.interaction.ledger import Kind, read_entries

LONG = 100_000_000


def refused(houses: Neighbourhood, agreement: str, **more: object) -> RefusedError:
    """Ask for a trial that must be refused; the refusal."""
    with houses.lender.client() as client:
        job = client.submit("trial", agreement, {**REQUEST, **more})
        with pytest.raises(RefusedError) as caught:
            client.wait(job, SECONDS)
    assert houses.lender.state(job) is State.REFUSED
    return caught.value


def failed_everywhere(houses: Neighbourhood, job: str) -> None:
    """In every store and in every ledger."""
    assert houses.settled(job, State.FAILED)
    assert not houses.findings()
    for institution in houses.all:
        entries = [entry for entry, _ in read_entries(institution.home.path / "ledger" / "entries.jsonl")]
        assert any(entry.kind is Kind.FAILURE and entry.body["job"] == job for entry in entries), institution.name


# --- agreements ----------------------------------------------------------------------------------------


def test_an_agreement_that_a_party_has_not_signed_is_refused(houses: Neighbourhood) -> None:
    unsigned = houses.agree(AGREEMENT.replace("Trial", "Unsigned"), signers=("dealer",))
    error = refused(houses, unsigned)
    assert error.rule == "agreement-signatures"
    assert "bureau" in error.reason


def test_an_expired_agreement_is_refused(houses: Neighbourhood) -> None:
    expired = houses.agree(AGREEMENT.replace("until: 2099", "until: 2020"))
    assert refused(houses, expired).rule == "agreement-dates"


def test_an_altered_agreement_is_refused_by_who_gets_it(houses: Neighbourhood) -> None:
    altered = _altered(houses)
    lender_offers = NodeClient.of(houses.lender.home, houses.bureau.home.card)
    with lender_offers, pytest.raises(RefusedError) as caught:
        lender_offers.offer_agreement(altered)
    assert caught.value.rule == "agreement-signatures"
    assert "altered" in caught.value.reason


def test_an_agreement_altered_in_ones_own_store_is_refused(houses: Neighbourhood) -> None:
    altered = _altered(houses)
    with houses.lender.home.store() as store:
        store.save_agreement("f" * 64, "altered", canonical(altered.as_json()))
    with houses.lender.client() as client, pytest.raises(Exception, match="altered"):
        client.submit("trial", "f" * 64, REQUEST)
    with houses.lender.home.store() as store:
        store.remove_agreement("f" * 64)


def _altered(houses: Neighbourhood) -> envelopes.Envelope:
    with houses.lender.home.store() as store:
        envelope = envelopes.parse(store.agreement(houses.agreement)[1])
    return replace(envelope, payload=envelope.payload.replace(b'"runs":1000', b'"runs":1001'))


@pytest.mark.parametrize(("column", "use"), [("secret", "feature"), ("amount", "aggregate")])
def test_a_column_or_use_that_is_not_agreed_is_refused_by_name(
    houses: Neighbourhood, column: str, use: str
) -> None:
    columns = {**REQUEST["columns"], "bureau": ["file", column, use]}
    error = refused(houses, houses.agreement, columns=columns)
    assert error.rule == "column-use"
    assert column in error.reason


def test_a_column_that_the_partner_no_longer_offers_is_refused_by_the_partner(houses: Neighbourhood) -> None:
    wide = houses.agree(
        AGREEMENT.replace("bureau: {file: {amount: [feature]}}", "bureau: {file: {secret: [feature]}}")
    )
    columns = {**REQUEST["columns"], "bureau": ["file", "secret", "feature"]}
    error = refused(houses, wide, columns=columns)
    assert error.rule == "catalogue-use"
    assert "bureau" in error.reason
    entries = [entry for entry, _ in read_entries(houses.bureau.home.path / "ledger" / "entries.jsonl")]
    assert entries[-1].kind is Kind.REFUSAL


# --- parties that vanish -------------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["bureau", "dealer"])
def test_a_partner_whose_process_is_killed_in_the_middle_is_named_by_all(
    houses: Neighbourhood, victim: str
) -> None:
    job = houses.submit(laps=LONG)
    houses.wait_for_note(job, "laps begin")
    killed: Institution = getattr(houses, victim)
    killed.worker(job).kill()
    with houses.lender.client() as client, pytest.raises(PeerLostError) as caught:
        client.wait(job, SECONDS)
    assert caught.value.party == victim
    failed_everywhere(houses, job)
    for institution in houses.all:
        assert institution.fault(job).party == victim
    with houses.lender.client() as client:
        assert client.job(job)["diagnosis"]["party"] == victim
    next_run_works(houses)


def test_a_partner_whose_node_is_killed_knows_after_its_restart_that_the_job_failed(houses: Neighbourhood) -> None:
    job = houses.submit(laps=LONG)
    houses.wait_for_note(job, "laps begin")
    worker = houses.bureau.worker(job)
    houses.bureau.stop(signal.SIGKILL)
    assert worker.wait(timeout=SECONDS) is not None or not worker.is_running()
    with houses.lender.client() as client, pytest.raises(PeerLostError, match="bureau"):
        client.wait(job, SECONDS)
    houses.bureau.start()
    failed_everywhere(houses, job)
    next_run_works(houses)


def test_an_asking_node_that_is_killed_leaves_no_job_behind(houses: Neighbourhood) -> None:
    job = houses.submit(laps=LONG)
    houses.wait_for_note(job, "laps begin")
    houses.lender.stop(signal.SIGKILL)
    houses.lender.start()
    failed_everywhere(houses, job)
    assert houses.bureau.fault(job).party == "lender"
    next_run_works(houses)


def test_a_run_that_its_operator_stops_ends_at_all_parties(houses: Neighbourhood) -> None:
    job = houses.submit(laps=LONG)
    houses.wait_for_note(job, "laps begin")
    with houses.lender.client() as client:
        client.stop(job)
        with pytest.raises(AbortedError, match="lender: stopped by its operator"):
            client.wait(job, SECONDS)
    failed_everywhere(houses, job)


def test_a_partner_whose_node_is_down_is_named_with_its_address(houses: Neighbourhood) -> None:
    houses.dealer.stop()
    with houses.lender.client() as client:
        job = client.submit("trial", houses.agreement, REQUEST)
        with pytest.raises(PeerLostError) as caught:
            client.wait(job, SECONDS)
        assert caught.value.party == "dealer"
        assert houses.dealer.home.settings.address in str(caught.value)
        assert client.job(job)["diagnosis"]["place"] == "link"
    houses.dealer.start()
    next_run_works(houses)


# --- who somebody is -----------------------------------------------------------------------------------


@pytest.fixture
def impostor(houses: Neighbourhood, tmp_path: Path) -> Iterator[Institution]:
    """A node at the bureau's address, under the bureau's name, with keys of its own."""
    houses.bureau.stop()
    other = Institution.make(tmp_path, "bureau")
    settings = other.home.path / "institution.json"
    address = houses.bureau.home.settings.address
    changed = {**json.loads(settings.read_text()), "listen": address, "address": address}
    settings.write_text(json.dumps(changed))
    with other.home.store() as store:
        other.home.introduce(store, houses.lender.home.card, houses.lender.home.card.fingerprint)
    other.start()
    yield other
    other.stop()
    houses.bureau.start()


@pytest.mark.usefixtures("impostor")
def test_a_partner_with_another_certificate_than_the_introduced_one_is_named(houses: Neighbourhood) -> None:
    with houses.lender.client() as client:
        job = client.submit("trial", houses.agreement, REQUEST)
        with pytest.raises(ProtocolError, match="its certificate is not the introduced one") as caught:
            client.wait(job, SECONDS)
    assert caught.value.party == "bureau"


def test_a_node_turns_away_whom_it_does_not_know(houses: Neighbourhood, tmp_path: Path) -> None:
    stranger = Institution.make(tmp_path, "stranger")
    stranger_asks = NodeClient.of(stranger.home, houses.lender.home.card)
    with stranger_asks, pytest.raises(PeerLostError, match="does not know our present card"):
        stranger_asks.hello()


def test_a_partner_cannot_do_what_the_operator_can(houses: Neighbourhood) -> None:
    with NodeClient.of(houses.bureau.home, houses.lender.home.card) as client:
        for ask in (client.status, lambda: client.submit("trial", houses.agreement, REQUEST)):
            with pytest.raises(RefusedError) as caught:
                ask()
            assert caught.value.rule == "operator"


def test_a_certificate_that_expires_in_the_middle_of_a_run_is_named_and_after_its_renewal_all_agree(
    houses: Neighbourhood,
) -> None:
    home = houses.bureau.home
    renew_node_certificate(home.keys, "bureau", days=8 / 86_400)
    try:
        job = houses.submit(laps=50)
        dealer = _paused_dealer(houses, job)
        expired = x509.load_pem_x509_certificate(home.credentials.certificate.read_bytes()).not_valid_after_utc
        deadline = monotonic() + SECONDS
        while datetime.now(UTC) <= expired:
            assert monotonic() < deadline
            select.select([], [], [], 0.1)
        dealer.resume()
        with houses.lender.client() as client:
            with pytest.raises(ProtocolError, match="bureau: its certificate has expired"):
                client.wait(job, SECONDS)
            diagnosis = client.job(job)["diagnosis"]
        assert (diagnosis["place"], diagnosis["party"]) == ("clock", "bureau")
        assert houses.bureau.state(job) is State.COMPUTED
    finally:
        assert houses.bureau.command("renew").returncode == 0
    failed_everywhere(houses, job)
    next_run_works(houses)


def _paused_dealer(houses: Neighbourhood, job: str) -> psutil.Process:
    """The dealer's worker, held still in the middle of a job."""
    houses.wait_for_note(job, "laps begin")
    worker = houses.dealer.worker(job)
    worker.suspend()
    return worker


# --- what was sent -------------------------------------------------------------------------------------


def test_what_no_protocol_declares_is_an_incident_in_every_ledger_and_told_to_people(
    houses: Neighbourhood, tmp_path: Path
) -> None:
    sound, odd = houses.submit(), houses.submit(whispers=1)
    assert houses.result(sound)["incidents"] == []
    (told,) = houses.result(odd)["incidents"]
    assert told == "bureau sent lender 1 message (24 bytes) of kind “trial/whisper”, which no protocol declares"
    assert houses.settled(odd, State.DONE)
    for institution in houses.all:
        entry = institution.home.ledger.find(f"{odd}/incident")
        assert entry is not None
        assert entry.kind is Kind.INCIDENT
        assert told in str(entry.body["why"])
        assert institution.home.ledger.find(f"{sound}/incident") is None
    assert told in houses.lender.command("job", "show", odd).stdout.replace("\n", " ")
    words = houses.bureau.command("export", str(tmp_path / "odd.zip"), "--job", odd).stdout
    assert f"INCIDENT: {told}" in words
    assert "1 × reveal/total: 24 bytes" in words
    assert not houses.findings()


# --- records -------------------------------------------------------------------------------------------


def test_a_flipped_byte_in_a_copied_ledger_is_named_by_entry(houses: Neighbourhood, tmp_path: Path) -> None:
    houses.result(houses.submit())
    assert not houses.findings()
    for institution in houses.all:
        shutil.copytree(institution.home.path / "ledger", tmp_path / institution.name)
    folders = [str(tmp_path / institution.name) for institution in houses.all]
    sound = command("verify", *folders, "--json")
    assert sound.returncode == 0, sound.stdout
    assert parse_json(sound.stdout.encode())["sound"] is True  # type: ignore[index,call-overload]
    file = tmp_path / "bureau" / "entries.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    middle = bytearray(lines[3])
    middle[len(middle) // 2] ^= 1
    file.write_bytes(b"".join([*lines[:3], bytes(middle), *lines[4:]]))
    broken = command("verify", *folders, "--json")
    assert broken.returncode == 1
    assert "entry 3 of the ledger was altered" in broken.stdout
