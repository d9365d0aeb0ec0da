"""`unseen demo`: the main job, end to end, on this machine."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from unseen.cli.demo.material import BUREAU, BUREAU_COLUMNS, DEALER, LABEL, LENDER, LENDER_COLUMNS
from unseen.cli.options import AsJson
from unseen.encoding import Json
from unseen.errors import MisuseError

Folder = Annotated[
    Path | None, Parameter(name="--home", help="Folder for the three homes; a temporary one if left out.")
]


def demo(*, home: Folder = None, as_json: AsJson = False) -> None:
    """A lender and a credit bureau build a scorecard that neither could build alone.

    Makes three institutions' homes, starts their nodes as processes of their own, has them agree, runs the job
    over mutually authenticated TLS, and writes a report.
    """
    folder = home or Path(tempfile.mkdtemp(prefix="unseen-demo-"))
    if (folder / LENDER).exists():
        raise MisuseError(f"{folder} holds a demo already; choose another folder or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    outcome = _Demo(folder.resolve(), console).run()
    if as_json:
        print(json.dumps(outcome))
        sys.stdout.flush()


JOB_SECONDS = 300.0


class _Demo:
    def __init__(self, folder: Path, console: Console) -> None:
        self.folder, self.console = folder, console
        self.seconds: dict[str, float] = {}
        self.law: Json = None

    def run(self) -> dict[str, Any]:
        """Every step in order; returns what `--json` prints."""
        from unseen.cli.demo.material import write_documents
        from unseen.cli.demo.nodes import running_nodes

        self.console.print(f"[bold]unseen demo[/] in {self.folder}")
        with self._step("compile", "compiling kernels (kept for the next time)"):
            from unseen.cli.demo.kernels import compile_kernels

            compile_kernels()
        with self._step("homes", "three homes with keys, cards and ledgers"):
            homes = self._homes()
        with self._step("data", "9,857 real loans, cut between lender and bureau"):
            objector = self._data(homes)
            terms_file, request_file = write_documents(self.folder)
        with self._step("classify", "what is personal in them, by values and names; what persons want"):
            self._look(homes, objector)
        with ExitStack() as running:
            with self._step("nodes", "three nodes, a process each"):
                running.enter_context(running_nodes([home.path for home in homes.values()]))
            with self._step("agreement", "an agreement, signed by all three"):
                self._agree(homes, terms_file)
            with self._step("law", "the plan, held against the law packs of the EU and the US"):
                self._law(homes, request_file)
            record, result = self._job(homes, request_file)
        return self._finish(homes, record, result)

    def _homes(self) -> dict[str, Any]:
        from unseen.cli.demo.nodes import free_ports
        from unseen.interaction.home import Home

        names = (LENDER, BUREAU, DEALER)
        homes = {
            name: Home.create(self.folder / name, name, f"127.0.0.1:{port}")
            for name, port in zip(names, free_ports(len(names)), strict=True)
        }
        for ours in homes.values():
            with ours.store() as store:
                for theirs in homes.values():
                    if theirs is not ours:
                        ours.introduce(store, theirs.card, theirs.card.spoken)
        return homes

    def _data(self, homes: dict[str, Any]) -> str:
        """Put both sides' files on offer; returns the name of a customer of both."""
        from unseen.cli.demo.material import write_loans
        from unseen.data.catalogue import Catalogue, Use

        loans, file = self.folder / LENDER / "loans.parquet", self.folder / BUREAU / "file.parquet"
        objector = write_loans(loans, file)
        uses = dict.fromkeys(LENDER_COLUMNS, (Use.FEATURE,)) | {LABEL: (Use.LABEL,)}
        with homes[LENDER].store() as store:
            Catalogue(store.engine).add("loans", str(loans), "member_id", uses, LENDER_COLUMNS)
        uses = dict.fromkeys(BUREAU_COLUMNS, (Use.FEATURE,))
        with homes[BUREAU].store() as store:
            Catalogue(store.engine).add("file", str(file), "person_id", uses, BUREAU_COLUMNS)
        return objector

    def _look(self, homes: dict[str, Any], objector: str) -> None:
        """Each side classifies its columns; one customer objects at the lender, and is left out of the run."""
        from unseen.data.catalogue import Catalogue
        from unseen.data.classify.dataset import classify
        from unseen.data.subject.book import Asked, Note
        from unseen.interaction.subjects import Subjects

        for name, dataset in ((LENDER, "loans"), (BUREAU, "file")):
            with homes[name].store() as store:
                catalogue = Catalogue(store.engine)
                found = catalogue.classify(dataset, classify(catalogue, dataset))
            personal = [column.name for column in found.columns if column.category not in ("user", "")]
            self.console.print(
                f"  {name}: {len(found.columns)} columns looked at, {', '.join(personal)} found personal",
                markup=False,
            )
        said = Note(objector, Asked.OBJECTION, "dpv:CreditChecking", datetime.now(UTC))
        Subjects(homes[LENDER]).note(said)
        self.console.print("  lender: one customer objects to the purpose and is left out")

    def _agree(self, homes: dict[str, Any], terms_file: Path) -> None:
        from unseen.interaction.agreement import from_yaml
        from unseen.interaction.agreements import Agreements

        terms = from_yaml(terms_file.read_text(encoding="utf-8"))
        with homes[LENDER].store() as store:
            self.agreement = Agreements(homes[LENDER], store).propose(terms).id
            Agreements(homes[LENDER], store).exchange(self.agreement)
        for name in (BUREAU, DEALER):
            with homes[name].store() as store:
                Agreements(homes[name], store).sign(self.agreement)
                Agreements(homes[name], store).exchange(self.agreement)
        self.console.print(f"  agreement {self.agreement[:12]}… signed by lender, bureau and dealer")

    def _law(self, homes: dict[str, Any], request_file: Path) -> None:
        """Every node asks the law packs again before it grants; here they say what they find."""
        from unseen.cli.requests import derived
        from unseen.interaction.law.verdict import judge

        _, plan, terms = derived("credit", request_file, self.agreement, homes[LENDER].path)
        verdict = judge(plan, terms)
        self.law = verdict.as_json()
        for line in verdict.words:
            self.console.print(f"  {line}", markup=False)

    def _job(self, homes: dict[str, Any], request_file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        from unseen.cli.jobs import progress
        from unseen.cli.requests import read_request
        from unseen.interaction.client import NodeClient

        with NodeClient.own(homes[LENDER]) as client, self._step("job", "the job, at all three parties"):
            job = client.submit("credit", self.agreement, read_request(request_file))
            with progress(self.console) as tell:
                for event in client.follow(job, JOB_SECONDS):
                    tell(event)
            record, result = client.wait(job), client.result(job)["result"]
        for name in (BUREAU, DEALER):  # the receipt reaches the others a moment later
            with NodeClient.own(homes[name]) as client:
                client.wait(job, JOB_SECONDS)
        return record, result

    def _finish(self, homes: dict[str, Any], record: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        from unseen.application.credit.presentation import present

        report = self.folder / "report.html"
        record = {**record, "title": "Joint default scorecard"}
        sound = present(self.console, record, result, report, [home.path / "ledger" for home in homes.values()])
        return {
            "alone": result["alone"],
            "joint": result["joint"],
            "rows_aligned": result["rows"]["aligned"],
            "seconds": {**self.seconds, **{name: step["seconds"] for name, step in result["steps"].items()}},
            "bytes": record["bytes"],
            "disclosures": record["plan"]["disclosures"],
            "law": self.law,
            "ledgers_verified": sound,
            "report": str(report),
        }

    @contextmanager
    def _step(self, name: str, words: str) -> Iterator[None]:
        self.console.print(f"· {words}")
        started = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(perf_counter() - started, 2)
