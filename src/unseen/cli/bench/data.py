"""How fast the data layer is at size: `python -m unseen.cli.bench.data`. One process a part, one disk.

A Parquet file of twenty million rows is released batch by batch; a book of ten million consents is imported, and a
stream of rows goes past it; columns of a million values are protected. Each part is a process of its own, so
that the most memory it held is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, CONSENTS, VALUES = 20_000_000, 10_000_000, 1_000_000
GROUP, BATCH = 1_000_000, 1 << 16


def written(path: Path, rows: int) -> Path:
    """A Parquet file of customers: a name, two numbers and a region, a group of rows at a time."""
    draw = np.random.default_rng(1)  # made-up customers, the same in every run: no mask, no share
    regions = np.array(["north", "south", "east", "west"])
    writer = None
    for start in range(0, rows, GROUP):
        count = min(GROUP, rows - start)
        table = pa.table(
            {
                "customer": [f"c{number:010d}" for number in range(start, start + count)],
                "balance": draw.normal(size=count),
                "age": draw.integers(18, 90, count),
                "region": regions[draw.integers(0, 4, count)],
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
    return path


def release(folder: Path, rows: int) -> dict[str, Any]:
    """Release three of four columns of a file, batch by batch."""
    import sqlalchemy as sql

    from unseen.data.catalogue import Catalogue
    from unseen.data.dataset import Use
    from unseen.data.release import released_batches

    catalogue = Catalogue(sql.create_engine(f"sqlite:///{folder / 'state.db'}"))
    uses = {"customer": (Use.JOIN,), "balance": (Use.FEATURE,), "age": (Use.FEATURE,)}
    given = {name: use for name, use in uses.items() if name != "customer"}
    catalogue.add("long", str(folder / "long.parquet"), "customer", given)
    begun = perf_counter()
    with released_batches(catalogue, "long", uses) as opened:
        left = sum(batch.num_rows for batch in opened)
    return _figures(rows, perf_counter() - begun, left == opened.record.rows == rows)


def consents(folder: Path, rows: int) -> dict[str, Any]:
    """Import a consent a person from CSV, then let as many rows go past them."""
    from unseen.data.keyring import Keyring
    from unseen.data.master_key import create_file, master_key
    from unseen.data.protect.secret import Secret
    from unseen.data.subject.book import Asked, SubjectBook
    from unseen.data.subject.importing import import_csv
    from unseen.data.subject.mark import Marker
    from unseen.data.subject.screen import Screen

    create_file("file:k", folder)
    master = master_key("file:k", folder)
    marker = Marker(Secret(bytes(32)))
    keyring = Keyring(folder / "keyring", lambda: master)
    book = SubjectBook(folder / "subjects.duckdb", marker, keyring.seal("subjects"))
    begun = perf_counter()
    import_csv(book, marker, folder / "consents.csv", Asked.CONSENT)
    imported = perf_counter() - begun
    screen = Screen(book, marker, "credit", consent=True)
    schema = pa.schema([("id", pa.string())])
    batches = (
        pa.RecordBatch.from_arrays([pa.array(_every_other(start, min(start + BATCH, rows)))], schema=schema)
        for start in range(0, rows, BATCH)
    )
    begun = perf_counter()
    kept = sum(
        batch.num_rows for batch in screen.through(pa.RecordBatchReader.from_batches(schema, batches), "id")
    )
    figures = _figures(rows, perf_counter() - begun, kept == -(-rows // 2))
    return {**figures, "import_seconds": round(imported, 1)}


def _every_other(start: int, end: int) -> list[str]:
    """Names of whom every second one is in the book's first half of numbers."""
    return [f"c{2 * number:010d}" for number in range(start, end)]


def protections(folder: Path, rows: int) -> dict[str, Any]:
    """Values a second of one core: by the processor's time, which other work does not lengthen."""
    from unseen.data.protect.coarser import Mask
    from unseen.data.protect.format_preserving import Alphabet, CheckDigit, FormatPreserving
    from unseen.data.protect.keyed_hash import KeyedHash
    from unseen.data.protect.secret import Secret
    from unseen.data.protect.tokens import KeyedToken

    secret = Secret(bytes(range(32)))
    digits = pa.array([_card(number) for number in range(4 * 10**14, 4 * 10**14 + rows)])
    work: dict[str, Callable[[pa.Array], object]] = {
        "token": KeyedToken(secret, "agreement").apply,
        "keyed hash": KeyedHash(bytes(32)).apply,
        "mask": Mask().apply,
        "ff1, 16 digits": FormatPreserving(secret, "agreement").apply,
        "ff1, check digit kept": FormatPreserving(secret, "agreement", check=CheckDigit.LUHN).apply,
        "ff1, letters and digits": FormatPreserving(secret, "agreement", Alphabet.ALPHANUMERIC).apply,
    }
    found: dict[str, Any] = {}
    for name, apply in work.items():
        apply(digits[:1000])
        begun = process_time()
        apply(digits)
        found[name] = f"{rows / (process_time() - begun):,.0f} a second"
    return {"rows": rows, "peak_rss_mb": _peak(), **found}


def _card(number: int) -> str:
    """Fifteen digits and their check digit (Luhn)."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in f"{number:015d}"[::2])
    plain = sum(int(digit) for digit in f"{number:015d}"[1::2])
    return f"{number:015d}{-(doubled + plain) % 10}"


def _figures(rows: int, seconds: float, right: bool) -> dict[str, Any]:
    if not right:
        raise AssertionError("another number of rows came out than must")
    return {"rows": rows, "seconds": round(seconds, 1), "peak_rss_mb": _peak()}


def _peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


PARTS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "release": release,
    "consents": consents,
    "protections": protections,
}


def main() -> None:
    """Make the files, then each part in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the released file")
    parser.add_argument("--consents", type=int, default=CONSENTS, help="of the book")
    parser.add_argument("--values", type=int, default=VALUES, help="of a protected column")
    parser.add_argument("--part", nargs=3, metavar=("PART", "FOLDER", "ROWS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(PARTS[asked.part[0]](Path(asked.part[1]), int(asked.part[2]))))
        return
    with tempfile.TemporaryDirectory(prefix="unseen-bench-") as name:
        folder = Path(name)
        written(folder / "long.parquet", asked.rows)
        with (folder / "consents.csv").open("w", encoding="ascii") as file:
            file.write("subject,purpose,at\n")
            file.writelines(f"c{number:010d},credit,2026-11-01T00:00:00Z\n" for number in range(asked.consents))
        for part, rows in (("release", asked.rows), ("consents", asked.consents), ("protections", asked.values)):
            command = [sys.executable, "-m", "unseen.cli.bench.data", "--part", part, name, str(rows)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(part, done.stdout.strip(), flush=True)


if __name__ == "__main__":
    main()
