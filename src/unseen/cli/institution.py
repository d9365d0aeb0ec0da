"""Commands about institutions: init, card, renew, introduce, partners."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cryptography import x509
from cyclopts import Parameter
from rich.console import Console

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.encoding import canonical
from unseen.errors import MisuseError, UnseenError
from unseen.interaction.home import Home, load_card
from unseen.interaction.identity import Card, renew_node_certificate
from unseen.interaction.ledger import Kind


def init(
    name: str,
    *,
    home: HomeFolder = None,
    listen: Annotated[str, Parameter(help="Where the node listens, host:port.")] = "127.0.0.1:7600",
    address: Annotated[str | None, Parameter(help="Where partners reach it, if elsewhere.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an institution's home."""
    made = Home.create(home or Path(name), name, listen, address)
    value = {**_card_json(made.card), "home": str(made.path)}

    def show(console: Console) -> None:
        console.print(f"Made the home of [bold]{name}[/] in {made.path}")
        console.print(f"Card for partners: {made.path / 'card.json'}")
        console.print(f"Fingerprint, to read out to them: [bold]{made.card.spoken}[/]")

    emit(as_json, value, show)


def card(
    *,
    home: HomeFolder = None,
    to: Annotated[Path | None, Parameter(help="Write the card to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show or write this institution's card."""
    ours = open_home(home).card
    if to is not None:
        to.write_bytes(canonical(ours.envelope.as_json()))

    def show(console: Console) -> None:
        console.print(f"{ours.name} at {ours.address}")
        console.print(f"Fingerprint: [bold]{ours.spoken}[/]")
        if to is not None:
            console.print(f"Card written to {to}")

    emit(as_json, _card_json(ours), show)


def renew(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Make a new node key and certificate under this institution's root; partners need not be told."""
    ours = open_home(home)
    renew_node_certificate(ours.keys, ours.name)
    certificate = x509.load_pem_x509_certificate(ours.credentials.certificate.read_bytes())
    until = certificate.not_valid_after_utc.date().isoformat()
    ours.ledger.append(
        Kind.KEY_EVENT, f"renewed/{certificate.serial_number:x}", {"what": "node certificate", "until": until}
    )
    value = {"until": until}
    emit(as_json, value, lambda console: console.print(f"New node certificate, valid until {until}"))


def introduce(
    card_file: Annotated[Path, Parameter(name="CARD", help="The partner's card file.")],
    /,
    *,
    fingerprint: Annotated[str | None, Parameter(help="The fingerprint that the partner read out.")] = None,
    replace: Annotated[bool, Parameter(negative="", help="The partner has new keys.")] = False,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Trust a partner's card from now on."""
    ours, theirs = open_home(home), load_card(card_file)
    told = fingerprint or _ask(theirs)
    with ours.store() as store:
        ours.introduce(store, theirs, told, replace)
    emit(as_json, _card_json(theirs), lambda console: console.print(f"{theirs.name} is introduced to {ours.name}"))


def _ask(theirs: Card) -> str:
    """Let a person compare the fingerprint; without one at a terminal there is no introduction."""
    if not sys.stdin.isatty():
        raise MisuseError(
            "give the fingerprint that the partner read out with --fingerprint"
            f" (this card's is {theirs.spoken}; do not copy it from here)"
        )
    print(f"The card says: {theirs.name} at {theirs.address}\nFingerprint: {theirs.spoken}", file=sys.stderr)
    if input("Has the partner read out the same over the telephone? [yes/no] ").strip().lower() != "yes":
        raise MisuseError("not introduced")
    return theirs.fingerprint


def partners(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List partners and whether their nodes answer."""
    from unseen.interaction.client import NodeClient

    ours = open_home(home)
    with ours.store() as store:
        cards = ours.partners(store)
    found: list[dict[str, Any]] = []
    for theirs in cards.values():
        entry: dict[str, Any] = _card_json(theirs)
        try:
            with NodeClient.of(ours, theirs) as client:
                entry["node"] = f"answers, unseen {client.hello()['version']}"
        except UnseenError as error:
            entry["node"] = str(error)
        found.append(entry)
    rows = [[e["name"], e["address"], e["spoken"], e["node"]] for e in found]
    emit(
        as_json,
        {"partners": found},
        lambda console: console.print(table(("partner", "address", "fingerprint", "node"), rows)),
    )


def _card_json(of: Card) -> dict[str, str]:
    return {"name": of.name, "address": of.address, "fingerprint": of.fingerprint, "spoken": of.spoken}
