"""Tables given out of the house as files: protected, without who objects, marked for their recipient, on record.

Every exported column must be on offer as `retrieve`. A copy that is found is held against all exports on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Use
from unseen.data.passage import Passage
from unseen.data.release import ReleaseRecord, release
from unseen.data.subject.book import ALL
from unseen.data.watermark import Finding, mark, trace
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.door import protections_for
from unseen.interaction.home import Home
from unseen.interaction.ledger import Kind
from unseen.interaction.subjects import Subjects

if TYPE_CHECKING:
    import pyarrow as pa

KEYSET: Final = "watermark"


@dataclass(frozen=True)
class Order:
    """What is to be exported: columns of a data set, to whom, for which purpose, whether consent is its basis.

    Without a purpose (`*`) whoever objects to any purpose is left out.
    """

    dataset: str
    columns: Sequence[str]
    recipient: str
    purpose: str = ALL
    consent: bool = False


@dataclass(frozen=True)
class Exported:
    """What was exported: its record, which columns carry marks, by how much a value moved at most.

    `warnings` say what a steward should know of the purpose, or of its absence.
    """

    name: str
    record: ReleaseRecord
    marked: Mapping[str, float]
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        release_record: Any = self.record.as_json()
        return {
            "export": self.name,
            "release": release_record,
            "marked": dict(self.marked),
            "warnings": list(self.warnings),
        }


def export(home: Home, order: Order, to: Path) -> Exported:
    """Write a marked copy to a CSV or Parquet file, which must not be there; the ledger has it first.

    Raises RefusedError for a column that is not on offer as retrieve, DataError for a table without a number to
    mark, MisuseError for a file of another kind.
    """
    if to.suffix not in (".csv", ".parquet"):
        raise MisuseError("an export is a .csv or a .parquet file")
    if to.exists():
        raise MisuseError(f"{to} is there already; choose another name")
    if not order.recipient.strip():
        raise MisuseError("name the recipient")
    name = f"{order.recipient}/{order.dataset}/{datetime.now(UTC).isoformat(timespec='microseconds')}"
    subjects = Subjects(home)
    with home.store() as store:
        catalogue = Catalogue(store.engine)
        entry = catalogue.get(order.dataset)
        columns = tuple(order.columns) or tuple(c.name for c in entry.columns if Use.RETRIEVE in c.uses)
        if not columns:
            mend = f"unseen dataset allow {order.dataset} COLUMN=retrieve"
            raise MisuseError(f"no column of {order.dataset} is on offer as retrieve: {mend}")
        passage = Passage(
            subjects.screen(order.purpose, order.consent),
            protections_for(home, entry, f"export/{order.recipient}"),
            subjects.rosters.begin(),
        )
        released = release(catalogue, order.dataset, dict.fromkeys(columns, (Use.RETRIEVE,)), passage=passage)
    marked = mark(released.table, home.keyring.secret(KEYSET), name)
    changes = dict(zip(marked.columns, marked.changes, strict=True))
    made = Exported(name, released.record, changes, _warnings(order.purpose, subjects.book.purposes()))
    body: dict[str, Json] = {**made.as_json(), "recipient": order.recipient, "purpose": order.purpose}
    home.ledger.append(Kind.RELEASE, f"export/{name}", body)
    write(marked.table, to)
    return made


def _warnings(purpose: str, known: Sequence[str]) -> tuple[str, ...]:
    """Of a purpose that is not named, or that is none of those of which persons have said anything."""
    if purpose == ALL and known:
        return (
            "no purpose is named, so that whoever objects to any purpose, or withdrew a consent, is left out; name"
            f" it with --purpose (persons have spoken of: {', '.join(known)})",
        )
    if purpose != ALL and known and purpose not in known:
        return (
            f"nobody has said anything of the purpose {purpose!r}; persons have spoken of: {', '.join(known)}."
            " Is it written as they and your agreements write it?",
        )
    return ()


def traced(home: Home, table: pa.Table) -> list[Finding]:
    """Which exports on record a found copy comes from, the surest first."""
    names = [
        str(entry.body["export"])
        for entry in home.ledger.entries()
        if entry.kind is Kind.RELEASE and "export" in entry.body
    ]
    if not names:
        raise MisuseError("nothing was exported from this home, so that no copy can name a recipient")
    return trace(table, home.keyring.secret(KEYSET), names)


def write(table: pa.Table, to: Path) -> None:
    """Write a table to a new file of mode 0600, CSV or Parquet by its ending. Raises MisuseError."""
    import os

    import pyarrow.csv
    import pyarrow.parquet

    if to.suffix not in (".csv", ".parquet"):
        raise MisuseError("such a file is a .csv or a .parquet")
    if to.exists():
        raise MisuseError(f"{to} is there already; choose another name")
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if to.suffix == ".csv":
        pyarrow.csv.write_csv(table, to)
    else:
        pyarrow.parquet.write_table(table, to)
