"""The home folder of one institution: its settings, keys, card, database, ledger and jobs.

    HOME/
      institution.json          settings: name, addresses, patience
      card.json                 the card to give to partners
      keys/                     signing key, root and node certificates with their keys
      state.db                  partners, agreements, jobs, catalogue
      ledger/                   entries.jsonl, head.json
      subjects.duckdb           what persons asked for, by their marks; evidence sealed
      rosters/                  who was in which release, sealed
      keyring/                  keysets, each encrypted under the key-encryption key (see `data.keyring`)
      setups/                   what partners go on from in the set-up of their next run, sealed
      jobs/<job>/               task, log and sealed results of one job

Whoever can read HOME/keys acts for the institution. The node and the command line may use a home at once.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseen.data.keyring import Keyring
from unseen.data.master_key import DEFAULT, create_file, master_key
from unseen.data.sealed import SealedFolder
from unseen.encoding import canonical
from unseen.errors import MisuseError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.agreement import explained
from unseen.interaction.front_door import parse_address
from unseen.interaction.identity import (
    Card,
    SigningKey,
    checked_name,
    create_keys,
    grouped,
    load_signing_key,
    make_card,
    read_card,
)
from unseen.interaction.ledger import Kind, Ledger
from unseen.interaction.transport import Credentials

if TYPE_CHECKING:
    from unseen.interaction.store import Store

SETTINGS: Final = "institution.json"
RESULTS: Final = "results"
"""The keyset of what jobs leave behind."""
FINGERPRINT_DIGITS: Final = 32
"""Least hexadecimal digits of a fingerprint that are compared: 128 bits."""


class Settings(BaseModel):
    """What is configured in HOME/institution.json; unknown keys are errors.

    `address` is where partners reach this node, `listen` where it listens (usually the same), both host:port.
    `patience` is how many seconds a party of a run may stay silent, `opening_seconds` how long a session may
    take to open. `master_key` is where the key-encryption key lies (see `data.master_key`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    address: str
    listen: str
    created: str
    patience: Annotated[float, Field(gt=0, le=86400)] = 120.0
    opening_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    master_key: str = DEFAULT

    @property
    def nearby(self) -> str:
        """Where this machine itself reaches the node."""
        host, port = parse_address(self.listen)
        return f"127.0.0.1:{port}" if host in ("0.0.0.0", "::") else self.listen


class Home:
    """An institution's home. Open with `Home(path)`, make with `Home.create`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        file = self.path / SETTINGS
        try:
            self.settings = Settings.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            raise MisuseError(
                f"{path} is no institution's home; make one with: unseen init NAME --home {path}"
            ) from None
        except OSError as error:
            raise MisuseError(f"cannot read {file}: {error.strerror}") from error
        except ValidationError as error:
            raise MisuseError(f"{file} cannot be used: {explained(error)}") from error

    @classmethod
    def create(cls, path: Path, name: str, listen: str, address: str | None = None) -> Home:
        """Make keys, card, database and ledger for a new institution. Raises MisuseError if there is one."""
        from unseen.interaction.store import now

        checked_name(name)
        parse_address(listen)
        parse_address(address or listen)
        if (path / SETTINGS).exists():
            raise MisuseError(f"{path} is an institution's home already; choose another folder")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_keys(path / "keys", name)
        settings = Settings(name=name, address=address or listen, listen=listen, created=now())
        (path / SETTINGS).write_text(json.dumps(settings.model_dump(), indent=2) + "\n", encoding="utf-8")
        home = cls(path)
        card = make_card(name, settings.address, home.signing_key, home.root)
        (path / "card.json").write_bytes(canonical(card.envelope.as_json()))
        home.ledger.append(Kind.ADMINISTRATION, "created", {"card": card.envelope.as_json()})
        home.store().close()
        return home

    # --- who we are ------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.keys / "node.crt", self.keys / "node.key")

    @property
    def root(self) -> str:
        """Our root certificate, PEM."""
        return (self.keys / "root.crt").read_text(encoding="ascii")

    @cached_property
    def signing_key(self) -> SigningKey:
        return load_signing_key(self.keys)

    @cached_property
    def card(self) -> Card:
        return load_card(self.path / "card.json")

    # --- what we keep ----------------------------------------------------------------------------------

    @property
    def database(self) -> Path:
        return self.path / "state.db"

    def store(self) -> Store:
        """Open the database; the caller closes it."""
        from unseen.interaction.store import Store

        return Store(self.database)

    @cached_property
    def ledger(self) -> Ledger:
        """Several processes may append to it at once: see `Ledger`."""
        return Ledger(self.path / "ledger", self.name, self.signing_key)

    @cached_property
    def keyring(self) -> Keyring:
        """The keysets under which this home's files are sealed; the first use makes what is not there."""
        keyring = Keyring(self.path / "keyring", lambda: master_key(self.settings.master_key, self.path))
        if not keyring.names():
            create_file(self.settings.master_key, self.path)
        return keyring

    def job_folder(self, job: str) -> Path:
        return self.path / "jobs" / job

    def results(self, job: str) -> SealedFolder:
        """The sealed results of a job."""
        return SealedFolder(self.job_folder(job), self.keyring.seal(RESULTS), f"jobs/{job}")

    # --- whom we know ----------------------------------------------------------------------------------

    def partners(self, store: Store) -> dict[str, Card]:
        """The cards of all introduced partners, by name."""
        return {name: read_card(envelopes.parse(data)) for name, data in store.partners().items()}

    def cards(self, store: Store) -> dict[str, Card]:
        """The partners' cards and our own."""
        return {**self.partners(store), self.name: self.card}

    def introduce(self, store: Store, card: Card, fingerprint: str, replace: bool = False) -> None:
        """Trust a partner's card from now on, its fingerprint having been compared over another way.

        `fingerprint` is what the partner read out: at least 32 hexadecimal digits, blanks allowed. Raises
        VerificationError if it is another than the card's, MisuseError if the name is known under another key
        and `replace` is not set.
        """
        if card.name == self.name:
            raise MisuseError("this card bears our own name; an institution is not introduced to itself")
        told = "".join(fingerprint.split()).lower()
        if len(told) < FINGERPRINT_DIGITS:
            raise MisuseError(f"give at least {FINGERPRINT_DIGITS} digits of the fingerprint")
        if not card.fingerprint.startswith(told):
            raise VerificationError(
                f"the card's fingerprint is {grouped(card.fingerprint)}, which is not the one given;"
                f" if {card.name} read out another, this card is not its own"
            )
        known = self.partners(store).get(card.name)
        if known is not None and known.fingerprint != card.fingerprint and not replace:
            raise MisuseError(
                f"{card.name} is known here with another key ({grouped(known.fingerprint)});"
                " if it truly has a new one, introduce it again with --replace"
            )
        data = canonical(card.envelope.as_json())
        self.ledger.append(
            Kind.INTRODUCTION, f"introduced/{card.envelope.digest}", {"card": card.envelope.as_json()}
        )
        store.save_partner(card.name, data)


def load_card(path: Path) -> Card:
    """Read a card from a file. Raises MisuseError, VerificationError."""
    try:
        return read_card(envelopes.parse(path.read_bytes()))
    except OSError as error:
        raise MisuseError(f"cannot read {path}: {error.strerror}") from error
    except MisuseError as error:
        raise MisuseError(f"{path} is no institution's card: {error}") from error
