"""The command that verifies ledgers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, emit
from unseen.errors import VerificationError
from unseen.interaction.bundle import verify_bundle
from unseen.interaction.story import stories
from unseen.interaction.verify import Verification, together, verify_ledgers

_AGAIN_SECONDS: Final = 0.3


def verify(
    *ledgers: Annotated[Path, Parameter(name="LEDGER", help="Ledger folders, homes that hold one, or bundles.")],
    tsa_root: Annotated[
        Path | None, Parameter(help="Check time stamps too, against these root certificates (PEM).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify copied ledgers or bundles offline; exit code 1 if anything does not check."""
    from unseen.errors import MisuseError

    if not ledgers:
        raise MisuseError("name at least one ledger folder")
    folders = [path / "ledger" if (path / "ledger").is_dir() else path for path in ledgers if not path.is_file()]
    bundles = [verify_bundle(path) for path in ledgers if path.is_file()]
    outcome = together([verify_ledgers(folders), *bundles])
    if not outcome.sound:  # a node that runs may have been between an entry and its signed head
        sleep(_AGAIN_SECONDS)
        outcome = verify_ledgers(folders)
    if tsa_root is not None:
        outcome = _stamped(outcome, folders, tsa_root)
    value = {
        "sound": outcome.sound,
        "findings": list(outcome.findings),
        "words": list(outcome.words),
        "ledgers": [
            {
                "institution": report.institution,
                "entries": report.entries,
                "root": report.root,
                "kinds": dict(report.kinds),
                "receipts": sorted(report.receipts),
            }
            for report in outcome.ledgers
        ],
    }

    def show(console: Console) -> None:
        for word in outcome.words:
            console.print(f"[green]sound[/]   {escape(word)}")
        for bundle in bundles:
            for report in bundle.ledgers:
                console.print("\n".join(stories(report)), markup=False)
        for finding in outcome.findings:
            console.print(f"[bold red]broken[/]  {escape(finding)}")

    emit(as_json, value, show)
    if not outcome.sound:
        sys.exit(1)


def _stamped(outcome: Verification, folders: Sequence[Path], root: Path) -> Verification:
    """The outcome with what the ledgers' time stamps say."""
    from unseen.interaction.timestamp import load_roots, stamps

    roots, words, findings = load_roots(root), list(outcome.words), list(outcome.findings)
    for folder in folders:
        try:
            words += [
                f"{s.institution}: {s.size} entries existed at {s.time.isoformat()}" for s in stamps(folder, roots)
            ]
        except (VerificationError, OSError) as error:
            findings.append(f"{folder}: {error}")
    return replace(outcome, words=tuple(words), findings=tuple(findings))
