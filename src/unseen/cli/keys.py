"""Commands about keys on disk, and set-ups with partners: key show, rotate, refresh, make, move."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.data.keyring import KeysetInfo
from unseen.errors import MisuseError
from unseen.interaction.home import SETTINGS, Home
from unseen.interaction.ledger import Kind
from unseen.interaction.store import now


def show(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show the keysets of this home."""
    ours = open_home(home)
    infos = [ours.keyring.info(name) for name in ours.keyring.names()]
    _emit(as_json, ours, infos)


def rotate(
    *names: Annotated[str, Parameter(name="NAME", help="Keysets; all if none is named.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Give keysets a fresh key to seal with."""
    ours = open_home(home)
    chosen = names or tuple(ours.keyring.names())
    if not chosen:
        raise MisuseError("there is no keyset yet; the first job or protected data set makes one")
    for name in chosen:
        ours.keyring.info(name)  # none is rotated if one is not there
    infos = []
    for name in chosen:
        info = ours.keyring.rotate(name)
        ours.ledger.append(
            Kind.KEY_EVENT,
            f"key/{name}/{info.primary}",
            {"event": "rotated", "keyset": name, "primary": info.primary, "keys": info.keys},
        )
        infos.append(info)
    _emit(as_json, ours, infos)


def refresh(
    *partners: Annotated[str, Parameter(name="PARTNER", help="Whose; all partners' if none is named.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Erase what runs with partners go on from in their set-up; the next run makes it afresh."""
    from unseen.interaction.setups import erase

    ours = open_home(home)
    with ours.store() as store:
        known = ours.partners(store)
    found = erase(ours, partners)
    if strangers := sorted(set(partners) - set(known) - set(found)):
        raise MisuseError(
            f"{', '.join(strangers)} is no partner of ours (partners: {', '.join(sorted(known)) or 'none'})"
        )
    for name in found:
        ours.ledger.append(Kind.KEY_EVENT, f"setup/{name}/{now()}", {"event": "set-up erased", "partner": name})
    words = f"Erased; the next run with each makes a fresh one: {', '.join(found)}" if found else "There was none"
    emit(as_json, {"refreshed": found}, lambda console: console.print(words, markup=False))


def make(*, as_json: AsJson = False) -> None:
    """Print a fresh key-encryption key; it is JSON either way."""
    from unseen.data.master_key import fresh

    print(json.dumps({"master_key": fresh()}) if as_json else fresh())


def move(
    place: Annotated[str, Parameter(help="file:PATH, env:NAME, gcp-kms://…, aws-kms://… or hcvault://…")],
    /,
    *,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Put all keysets under another key-encryption key. Restart the node afterwards."""
    from unseen.data.master_key import create_file, master_key
    from unseen.data.sealed import write_whole

    ours = open_home(home)
    create_file(place, ours.path)
    count = ours.keyring.rewrap(master_key(place, ours.path))
    settings = ours.settings.model_copy(update={"master_key": place})
    data = json.dumps(settings.model_dump(), indent=2) + "\n"
    write_whole(ours.path / SETTINGS, data.encode())
    ours.ledger.append(Kind.KEY_EVENT, f"key/moved/{now()}", {"event": "moved", "place": place, "keysets": count})
    moved = Home(ours.path)
    _emit(as_json, moved, [moved.keyring.info(name) for name in moved.keyring.names()])


def _emit(as_json: bool, home: Home, infos: list[KeysetInfo]) -> None:
    place = home.settings.master_key

    def shown(console: Console) -> None:
        console.print(f"Opened by the key in [bold]{escape(place)}[/]")
        rows = [[info.name, info.keys, info.primary] for info in infos]
        console.print(table(("keyset", "keys", "seals with"), rows))

    emit(as_json, {"master_key": place, "keysets": [asdict(info) for info in infos]}, shown)
