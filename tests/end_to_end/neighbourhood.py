"""Real nodes for tests: homes in a folder, one process an institution, TLS between them on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from ports import free_port
from unseen.errors import MisuseError
from unseen.interaction.agreement import from_yaml
from unseen.interaction.agreements import Agreements
from unseen.interaction.client import NodeClient
from unseen.interaction.home import Home
from unseen.interaction.job import State
from unseen.interaction.verify import verify_ledgers

APPLICATIONS = Path(__file__).parent / "applications"
SECONDS = 60.0

ROWS = {"bureau": ("file", "person_id", [1.5, 2.5]), "lender": ("loans", "member_id", [10.0, 20.0, 30.0])}
TOTAL = 64.0

AGREEMENT = """
agreement: Trial
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {loans: {amount: [feature]}}
  bureau: {file: {amount: [feature]}}
computations: [trial]
recipients: {total: [lender, bureau]}
limits: {runs: 1000}
"""

REQUEST: dict[str, Any] = {
    "columns": {"lender": ["loans", "amount", "feature"], "bureau": ["file", "amount", "feature"]}
}


class Institution:
    """One institution: its home, and its node's process while it runs."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, folder: Path, name: str) -> Institution:
        """A new institution, less patient than usual."""
        Home.create(folder / name, name, f"127.0.0.1:{free_port()}")
        settings = folder / name / "institution.json"
        changed = {**json.loads(settings.read_text()), "patience": 20.0, "opening_seconds": 20.0}
        settings.write_text(json.dumps(changed))
        return cls.at(folder / name)

    @classmethod
    def at(cls, home: Path) -> Institution:
        return cls(Home(home))

    @property
    def name(self) -> str:
        return self.home.name

    def start(self) -> None:
        """Start the node and wait until its port is open."""
        self.launch()
        self.await_port()

    def launch(self) -> None:
        assert self.process is None
        with (self.home.path / "node.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "unseen", "node", "--home", str(self.home.path), "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(),
            )

    def await_port(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        line = self.process.stdout.readline() if ready else b""
        assert line, f"the node did not start: {(self.home.path / 'node.log').read_text()}"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the node and wait for it."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=SECONDS)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def worker(self, job: str) -> psutil.Process:
        """The process that runs the job here."""
        assert self.process is not None
        log = str(self.home.job_folder(job) / "worker.log")
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if any(file.path == log for file in child.open_files()):
                    return child
        raise AssertionError(f"no worker of {self.name} runs job {job}")

    def client(self) -> NodeClient:
        return NodeClient.own(self.home)

    def state(self, job: str) -> State:
        with self.home.store() as store:
            return store.job(job).state

    def fault(self, job: str) -> Any:
        with self.home.store() as store:
            return store.job(job).fault

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a person would, with this home."""
        return command(*words, "--home", str(self.home.path))


class Neighbourhood:
    """A lender, a bureau and a dealer that know each other, with data and a signed agreement."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lender, self.bureau, self.dealer = (
            Institution.make(folder, n) for n in ("lender", "bureau", "dealer")
        )
        self.all = (self.lender, self.bureau, self.dealer)
        for institution in self.all:
            self._introduce(institution)
        for institution in (self.lender, self.bureau):
            self._offer(institution)
        self.agreement = ""

    def _introduce(self, institution: Institution) -> None:
        with institution.home.store() as store:
            for other in self.all:
                if other is not institution:
                    card = other.home.card
                    institution.home.introduce(store, card, card.fingerprint)

    def _offer(self, institution: Institution) -> None:
        from unseen.data.catalogue import Catalogue, Use

        dataset, subject, amounts = ROWS[institution.name]
        file = self.folder / f"{dataset}.csv"
        lines = [f"{subject},amount,secret"] + [f"p{n},{amount},1" for n, amount in enumerate(amounts)]
        file.write_text("\n".join(lines) + "\n")
        with institution.home.store() as store:
            Catalogue(store.engine).add(dataset, str(file), subject, {"amount": [Use.FEATURE, Use.AGGREGATE]})

    def start(self) -> None:
        for institution in self.all:
            institution.launch()
        for institution in self.all:
            institution.await_port()

    def agree(self, text: str = AGREEMENT, signers: tuple[str, ...] = ("bureau", "dealer")) -> str:
        """The lender proposes, the others sign; returns the agreement's identifier."""
        with self.lender.home.store() as store:
            agreements = Agreements(self.lender.home, store)
            identifier = agreements.propose(from_yaml(text)).id
            _, failures = agreements.exchange(identifier)
            assert not failures
        for institution in self.all:
            if institution.name in signers:
                with institution.home.store() as store:
                    agreements = Agreements(institution.home, store)
                    agreements.sign(identifier)
                    agreements.exchange(identifier)
        return identifier

    def stop(self) -> None:
        for institution in self.all:
            institution.stop()

    def submit(self, **more: Any) -> str:
        """The lender asks for a trial; returns the job's name."""
        with self.lender.client() as client:
            return client.submit("trial", self.agreement, {**REQUEST, **more})

    def result(self, job: str) -> Mapping[str, Any]:
        """Wait for a job at the lender; its record."""
        with self.lender.client() as client:
            return client.wait(job, SECONDS)

    def wait_for_note(self, job: str, note: str) -> None:
        """Wait until the job's worker at the lender has said so."""
        with self.lender.client() as client:
            for event in client.follow(job, SECONDS):
                if event["body"].get("note") == note:
                    return
        raise AssertionError("the job ended before it said so")

    def settled(self, job: str, state: State) -> bool:
        """Whether the job comes to this state everywhere, by a deadline."""
        deadline = monotonic() + SECONDS
        while monotonic() < deadline:
            if all(institution.state(job) is state for institution in self.all):
                return True
            select.select([], [], [], 0.05)
        return False

    def states(self, job: str) -> list[State]:
        """The job's state at each institution that knows it."""
        found = []
        for institution in self.all:
            with contextlib.suppress(MisuseError):
                found.append(institution.state(job))
        return found

    def findings(self) -> tuple[str, ...]:
        """Findings of the verification of all ledgers together; none if they are sound.

        The nodes run on, so that a ledger may be caught between an entry and its signed head: look again then.
        """
        deadline = monotonic() + 10.0
        while True:
            findings = verify_ledgers([institution.home.path / "ledger" for institution in self.all]).findings
            if not findings or monotonic() > deadline:
                return findings
            select.select([], [], [], 0.05)


def environment() -> dict[str, str]:
    paths = [str(APPLICATIONS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `unseen` with these words."""
    return subprocess.run(
        [sys.executable, "-m", "unseen", *words],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=SECONDS,
        check=False,
    )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Neighbourhood]:
    """A neighbourhood whose nodes run, with an effective agreement."""
    houses = Neighbourhood(folder)
    try:
        houses.start()
        houses.agreement = houses.agree()
        yield houses
    finally:
        houses.stop()


def next_run_works(houses: Neighbourhood) -> None:
    """After whatever went wrong, a new job runs as if nothing had been."""
    job = houses.submit()
    assert houses.result(job)["state"] == "done"
    with houses.lender.client() as client:
        assert client.result(job)["result"] == {"total": TOTAL}
