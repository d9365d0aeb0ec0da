"""A home is made once, opened with checked settings, and shared by processes without losing a ledger entry."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from unseen.errors import MisuseError, VerificationError
from unseen.interaction.home import Home, load_card
from unseen.interaction.ledger import Kind, Ledger
from unseen.interaction.verify import verify_ledger

ADDRESS = "127.0.0.1:7600"


@pytest.fixture
def lender(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "lender", "lender", ADDRESS)


def test_a_home_opens_as_it_was_made(lender: Home) -> None:
    again = Home(lender.path)
    assert again.name == "lender"
    assert again.settings == lender.settings
    assert load_card(lender.path / "card.json").fingerprint == lender.signing_key.fingerprint
    assert verify_ledger(lender.path / "ledger").institution == "lender"


def test_private_keys_are_for_their_owner_alone(lender: Home) -> None:
    for key in lender.keys.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(lender.keys.stat().st_mode) == 0o700


def test_a_home_is_never_made_over_another(lender: Home) -> None:
    with pytest.raises(MisuseError, match="already"):
        Home.create(lender.path, "lender", ADDRESS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"patence": 3}, "patence"), ({"patience": -1}, "patience"), ({"patience": "long"}, "patience")],
)
def test_a_setting_that_is_none_is_named(lender: Home, changes: dict[str, object], says: str) -> None:
    file = lender.path / "institution.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    with pytest.raises(MisuseError, match=says):
        Home(lender.path)


def test_a_folder_that_is_no_home_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="unseen init"):
        Home(tmp_path)


@pytest.mark.parametrize("name", ["", "Lender", "a b", "../x", "ä"])
def test_a_name_that_cannot_stand_in_a_certificate_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MisuseError):
        Home.create(tmp_path / "home", name, ADDRESS)
    assert not (tmp_path / "home").exists()


def test_a_node_that_listens_everywhere_is_near_on_loopback(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "h", "lender", "0.0.0.0:7601", "lender.example:7601")
    assert home.settings.nearby == "127.0.0.1:7601"
    assert home.card.address == "lender.example:7601"


def test_a_partner_is_introduced_by_the_fingerprint_it_reads_out(lender: Home, tmp_path: Path) -> None:
    bureau = Home.create(tmp_path / "bureau", "bureau", ADDRESS)
    with lender.store() as store:
        lender.introduce(store, bureau.card, bureau.card.spoken)
        assert lender.partners(store)["bureau"].fingerprint == bureau.card.fingerprint
        assert set(lender.cards(store)) == {"lender", "bureau"}
    assert verify_ledger(lender.path / "ledger").cards["bureau"].fingerprint == bureau.card.fingerprint


def test_another_fingerprint_or_a_short_one_introduces_nobody(lender: Home, tmp_path: Path) -> None:
    bureau = Home.create(tmp_path / "bureau", "bureau", ADDRESS)
    with lender.store() as store:
        with pytest.raises(VerificationError, match="not the one given"):
            lender.introduce(store, bureau.card, "0" * 32)
        with pytest.raises(MisuseError, match="at least"):
            lender.introduce(store, bureau.card, bureau.card.fingerprint[:31])
        with pytest.raises(MisuseError, match="own name"):
            lender.introduce(store, lender.card, lender.card.fingerprint)
        assert not lender.partners(store)


def test_new_keys_under_a_known_name_need_a_word(lender: Home, tmp_path: Path) -> None:
    first = Home.create(tmp_path / "one", "bureau", ADDRESS)
    second = Home.create(tmp_path / "two", "bureau", ADDRESS)
    with lender.store() as store:
        lender.introduce(store, first.card, first.card.fingerprint)
        with pytest.raises(MisuseError, match="--replace"):
            lender.introduce(store, second.card, second.card.fingerprint)
        lender.introduce(store, second.card, second.card.fingerprint, replace=True)
        assert lender.partners(store)["bureau"].fingerprint == second.card.fingerprint


def test_an_altered_card_is_no_card(lender: Home, tmp_path: Path) -> None:
    file = tmp_path / "altered.json"
    value = json.loads((lender.path / "card.json").read_text())
    value["signatures"][0]["sig"] = value["signatures"][0]["sig"][::-1].replace("=", "A")[:86] + "=="
    file.write_text(json.dumps(value))
    with pytest.raises((VerificationError, MisuseError)):
        load_card(file)
    with pytest.raises(MisuseError, match="cannot read"):
        load_card(tmp_path / "nothing")


def test_several_processes_append_to_one_ledger_without_losing_an_entry(lender: Home) -> None:
    def append(process: int) -> list[int]:
        ledger = Ledger(lender.path / "ledger", "lender", lender.signing_key)
        return [ledger.append(Kind.ADMINISTRATION, f"step/{process}/{n}", {"n": n}) for n in range(10)]

    before = verify_ledger(lender.path / "ledger").entries
    with ThreadPoolExecutor(4) as pool:
        numbers = [number for of_one in pool.map(append, range(4)) for number in of_one]
    assert sorted(numbers) == list(range(before, before + 40))
    assert verify_ledger(lender.path / "ledger").entries == before + 40
