"""Where set-ups with partners lie: sealed, given out once, for so many days, erased on demand."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from unseen.cli import main
from unseen.computation.correlation.kept_setup import Part
from unseen.interaction import setups
from unseen.interaction.home import Home
from unseen.interaction.setups import DAYS, Setups, erase

ROOTS = {"bureau": "root of the bureau", "bank-2": "root of the bank"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "lender", "lender", "127.0.0.1:1")


def test_what_is_put_down_lies_sealed_and_is_given_out_once(home: Home) -> None:
    Setups(home, ROOTS).put("bureau", Part.SENDER, b"state")
    (file,) = (home.path / "setups").iterdir()
    assert b"state" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    shelf = Setups(home, ROOTS)
    assert shelf.take("bureau", Part.RECEIVER) is None
    assert shelf.take("bank-2", Part.SENDER) is None
    assert shelf.take("bureau", Part.SENDER) == b"state"
    assert not list((home.path / "setups").iterdir())
    assert shelf.take("bureau", Part.SENDER) is None


def test_of_many_that_ask_at_once_one_gets_it(home: Home) -> None:
    for _ in range(5):
        Setups(home, ROOTS).put("bureau", Part.SENDER, b"state")
        with ThreadPoolExecutor(8) as pool:
            given = list(pool.map(lambda _: Setups(home, ROOTS).take("bureau", Part.SENDER), range(8)))
        assert given.count(b"state") == 1


def test_after_its_days_it_is_not_used_and_a_run_makes_it_no_younger(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = setups.time()
    Setups(home, ROOTS).put("bureau", Part.SENDER, b"first")
    monkeypatch.setattr(setups, "time", lambda: begun + (DAYS - 1) * 86400)
    shelf = Setups(home, ROOTS)
    assert shelf.take("bureau", Part.SENDER) == b"first"
    shelf.put("bureau", Part.SENDER, b"second")
    monkeypatch.setattr(setups, "time", lambda: begun + DAYS * 86400 + 2)
    assert Setups(home, ROOTS).take("bureau", Part.SENDER) is None
    assert not list((home.path / "setups").iterdir())
    fresh = Setups(home, ROOTS)
    assert fresh.take("bureau", Part.SENDER) is None
    fresh.put("bureau", Part.SENDER, b"third")
    monkeypatch.setattr(setups, "time", lambda: begun + (DAYS + 20) * 86400)
    assert Setups(home, ROOTS).take("bureau", Part.SENDER) == b"third"
    Setups(home, ROOTS).put("bureau", Part.SENDER, b"from the future")
    monkeypatch.setattr(setups, "time", lambda: begun)
    assert Setups(home, ROOTS).take("bureau", Part.SENDER) is None


def test_one_that_was_altered_or_is_of_another_certificate_is_not_used(home: Home) -> None:
    Setups(home, ROOTS).put("bureau", Part.SENDER, b"state")
    assert Setups(home, {"bureau": "another root"}).take("bureau", Part.SENDER) is None
    (file,) = (home.path / "setups").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert Setups(home, ROOTS).take("bureau", Part.SENDER) is None
    assert not list((home.path / "setups").iterdir())


def test_the_command_erases_those_of_a_partner_or_all(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    for partner in ROOTS:
        for part in Part:
            Setups(home, ROOTS).put(partner, part, b"state")
    main_words = ["key", "refresh", "--home", str(home.path), "--json"]
    with pytest.raises(SystemExit) as left:
        main([*main_words[:2], "bank-2", *main_words[2:]])
    assert left.value.code in (0, None)
    assert json.loads(capsys.readouterr().out) == {"refreshed": ["bank-2"]}
    assert Setups(home, ROOTS).take("bureau", Part.SENDER) == b"state"
    assert erase(home) == ["bureau"]
    assert erase(home) == []
