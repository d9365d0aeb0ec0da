"""How fast a large ledger is: `python -m unseen.cli.bench.ledger --entries 1000000`. One process, one disk.

The ledger is filled with grants of a usual size straight into its file, as the entries of years would lie there;
then it is opened, appended to entry by entry (each on disk before the call returns), asked for proofs that are
checked, and verified whole from its files alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from unseen.interaction.identity import create_keys, load_signing_key, make_card
from unseen.interaction.ledger import Entry, Kind, Ledger, entry_line
from unseen.interaction.merkle import verify_consistency, verify_inclusion
from unseen.interaction.verify import verify_ledger

TIME = "2026-11-23T12:00:00.000+00:00"
APPENDS = 500
PROOFS = 500


def measure(entries: int, folder: Path) -> dict[str, Any]:
    """Fill, open, append, prove, verify; seconds of each, and the file's size."""
    create_keys(folder / "keys", "lender")
    key = load_signing_key(folder / "keys")
    card = make_card("lender", "127.0.0.1:7000", key, (folder / "keys" / "root.crt").read_text(encoding="ascii"))
    place = folder / "ledger"
    ledger = Ledger(place, "lender", key)
    ledger.append(Kind.ADMINISTRATION, "created", {"card": card.envelope.as_json()})
    ledger.close()
    leaves = _fill(place / "entries.jsonl", entries)
    (place / "head.json").unlink()  # the head of one entry; opening signs the one of all
    (place / "index.db").unlink(missing_ok=True)
    _sign_head(place, key, leaves)
    report: dict[str, Any] = {"entries": entries}
    begun = perf_counter()
    ledger = Ledger(place, "lender", key)
    report["open_and_index_seconds"] = perf_counter() - begun
    steps: dict[str, Callable[[int], object]] = {
        "append": lambda n: ledger.append(Kind.GRANT, f"new/{n}", _body(n)),
        "disk_alone": lambda n: _write_twice(folder / "floor"),
    }
    report |= _timed(range(APPENDS), **steps)
    draw = random.Random(1)
    numbers = [draw.randrange(len(ledger)) for _ in range(PROOFS)]
    report |= _timed(numbers, inclusion_proof=ledger.inclusion)
    report |= _timed([number + 1 for number in numbers], consistency_proof=ledger.consistency)
    _check(ledger, numbers)
    report["megabytes"] = (place / "entries.jsonl").stat().st_size / 1e6
    begun = perf_counter()
    found = verify_ledger(place)
    report["verify_seconds"] = perf_counter() - begun
    if found.entries != entries + APPENDS:
        raise AssertionError("verification saw another number of entries")
    ledger.close()
    return report


def _body(number: int) -> dict[str, Any]:
    return {
        "job": f"{number:032x}",
        "plan": f"{number * 7919:064x}",
        "rests_on": {"law": ["eu", "us"], "approvals": []},
    }


def _lines(entries: int) -> Iterator[tuple[bytes, bytes]]:
    for number in range(1, entries):
        entry = Entry(number, TIME, Kind.GRANT, f"{number:032x}/grant", _body(number))
        yield entry_line(entry)


def _fill(file: Path, entries: int) -> list[bytes]:
    """Write entries 1 to `entries` - 1 behind the first; the leaf hashes of all."""
    from unseen.interaction.ledger import read_line

    leaves = [read_line(file.read_bytes(), 0)[1]]
    with file.open("ab") as out:
        for line, leaf in _lines(entries):
            out.write(line)
            leaves.append(leaf)
    return leaves


def _sign_head(place: Path, key: Any, leaves: list[bytes]) -> None:
    from unseen.encoding import Json, canonical
    from unseen.interaction.envelope import seal
    from unseen.interaction.ledger import HEAD
    from unseen.interaction.merkle import Tree

    tree = Tree.of(leaves)
    value: Json = {"institution": "lender", "size": tree.size, "root": tree.root().hex(), "time": TIME}
    (place / "head.json").write_bytes(canonical(seal(HEAD, value, key).as_json()))


def _timed(inputs: Iterable[int], **steps: Callable[[int], object]) -> dict[str, float]:
    """Median and largest milliseconds of each step over its inputs; the steps take turns, under the same load."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for value in inputs:
        for name, step in steps.items():
            begun = perf_counter()
            step(value)
            taken[name].append((perf_counter() - begun) * 1e3)
    medians = {f"{name}_ms": median(times) for name, times in taken.items()}
    return medians | {f"{name}_ms_max": max(times) for name, times in taken.items()}


def _write_twice(file: Path) -> None:
    """What an append asks of the disk at the least: a line at the end, and a small file in another's place."""
    with file.open("ab") as out:
        out.write(b"x" * 400)
        out.flush()
        os.fsync(out.fileno())
    partial = file.with_suffix(".partial")
    with partial.open("wb") as out:
        out.write(b"x" * 400)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file.with_suffix(".head"))


def _check(ledger: Ledger, numbers: list[int]) -> None:
    """Some of the proofs, checked: a fast proof that proves nothing would not count."""
    size, root = len(ledger), ledger.root()
    for number in numbers[:20]:
        leaf = ledger.leaf(number)
        verify_inclusion(leaf, number, size, ledger.inclusion(number), root)
        verify_consistency(number + 1, ledger.root(number + 1), size, root, ledger.consistency(number + 1))


def main() -> None:
    """Measure and print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; a temporary one if left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unseen-ledger-", dir=given.folder) as name:
        json.dump(measure(given.entries, Path(name)), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
