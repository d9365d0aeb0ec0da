"""The command line as data: every command has help with an example, starts fast, and fails with one message."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unseen.cli import main
from unseen.cli.commands import COMMANDS, GROUPS, Command
from unseen.errors import MisuseError, RefusedError

HOMELESS = ("init", "verify", "bench", "demo", "agree new", "law list", "law terms", "law explain", "key make")


def run(*words: str) -> int:
    """The exit code of a command that runs in this process."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    return int(caught.value.code or 0)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_command_has_help_with_an_example(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command.words.split(), "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert command.summary in shown
    assert f"Example: {command.example}" in shown
    assert command.example.startswith(f"unseen {command.words}")
    if command.words not in HOMELESS:
        assert "--home" in shown
    assert "--json" in shown


def test_the_first_help_lists_all_groups_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in GROUPS)
    assert all(command.words.split()[0] in shown for command in COMMANDS)


def test_help_and_errors_need_nothing_heavy() -> None:
    heavy = "numba ibis pandas matplotlib fastapi sqlalchemy pyarrow numpy httpx cryptography"
    program = (
        "import sys\nfrom unseen.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(', '.join(set({heavy!r}.split()) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_an_error_is_one_message_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("partners", "--home", str(tmp_path)) == 1
    captured = capsys.readouterr()
    assert "Error:" in captured.err
    assert "unseen init" in captured.err
    assert "Traceback" not in captured.err


def test_an_error_as_json_has_code_message_and_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError("clock", "the clocks are apart", "set them")

    monkeypatch.setattr("unseen.cli.institution.open_home", refuse)
    assert run("card", "--home", str(tmp_path), "--json") == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "refused"
    assert error["rule"] == "clock"
    assert error["mend"] == "set them"


def test_words_that_make_no_command_are_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("nonsense",), ("init",), ("run", "credit")):
        assert run(*words) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_uses_are_read_by_column_and_unknown_ones_named() -> None:
    from unseen.cli.datasets import parse_uses
    from unseen.data.catalogue import Use

    assert parse_uses(["a=feature,aggregate", "b="]) == {"a": (Use.FEATURE, Use.AGGREGATE), "b": ()}
    with pytest.raises(MisuseError, match="out of join, feature"):
        parse_uses(["a=everything"])
    with pytest.raises(MisuseError, match="COLUMN=USE"):
        parse_uses(["=feature"])


@pytest.mark.parametrize(("text", "says"), [("a: [", "no YAML"), ("- a\n", "no request"), (None, "cannot read")])
def test_a_request_file_that_is_none_is_named(tmp_path: Path, text: str | None, says: str) -> None:
    from unseen.cli.requests import read_request

    file = tmp_path / "request.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(MisuseError, match=says):
        read_request(file)
