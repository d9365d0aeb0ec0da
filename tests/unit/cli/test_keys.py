"""Commands about keys: rotation on record, another place for the key, and nothing that was sealed is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unseen.cli import main
from unseen.interaction.home import Home


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """What a command says as JSON, run in this process."""
    with pytest.raises(SystemExit) as caught:
        main([*words, "--json"])
    assert not caught.value.code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.create(tmp_path / "lender", "lender", "127.0.0.1:7601")
    made.results("1f03").write("result.json", b"{}")
    return made


def test_a_rotation_is_on_record_and_results_stay_readable(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (before,) = told(capsys, "key", "show", "--home", str(home.path))["keysets"]  # type: ignore[misc]
    (after,) = told(capsys, "key", "rotate", "--home", str(home.path))["keysets"]  # type: ignore[misc]
    assert (before["keys"], after["keys"]) == (1, 2)
    assert before["primary"] != after["primary"]
    assert Home(home.path).results("1f03").read("result.json") == b"{}"
    entry = list(Home(home.path).ledger.entries())[-1]
    assert entry.kind == "key-event"
    assert entry.body == {"event": "rotated", "keyset": "results", "primary": after["primary"], "keys": 2}
    with pytest.raises(SystemExit):
        main(["key", "rotate", "nothing", "--home", str(home.path)])
    assert "there are: results" in capsys.readouterr().err.replace("\n", " ")


def test_the_key_moves_from_a_file_to_a_variable(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENDER_KEY", str(told(capsys, "key", "make")["master_key"]))
    moved = told(capsys, "key", "move", "env:LENDER_KEY", "--home", str(home.path))
    assert moved["master_key"] == "env:LENDER_KEY"
    (home.path / "keys" / "master.key").unlink()
    assert Home(home.path).results("1f03").read("result.json") == b"{}"
    monkeypatch.delenv("LENDER_KEY")
    with pytest.raises(SystemExit):
        main(["key", "show", "--home", str(home.path)])
    assert "not set" in capsys.readouterr().err


def test_a_home_without_its_key_says_what_is_missing(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (home.path / "keys" / "master.key").unlink()
    with pytest.raises(SystemExit):
        main(["key", "show", "--home", str(home.path)])
    assert "bring the file or its backup" in " ".join(capsys.readouterr().err.split())
