"""Notes of many persons at once from a CSV file, read by DuckDB: ten million consents in about a minute."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.engine import csv_header
from unseen.data.location import read_location
from unseen.data.subject.book import ALL, Asked, SubjectBook, insert
from unseen.data.subject.mark import HIGH, LOW, Marker
from unseen.errors import DataError, MisuseError

_ROWS: Final = 200_000
_LINE: Final = re.compile(r"[Ll]ine:? (\d+)")


def import_csv(
    book: SubjectBook,
    marker: Marker,
    file: Path,
    asked: Asked,
    purpose: str = ALL,
    progress: Callable[[int], None] = lambda rows: None,
) -> int:
    """Take in a CSV file with a column `subject` and, if it has them, `purpose`, `at` (ISO 8601), `source`.

    `purpose` holds where the file has none. Returns how many notes there were. All are taken in or none: raises
    DataError naming the line of a broken row, and how many rows lack a subject or have a time that is none.
    """
    if not file.is_file():
        raise MisuseError(f"there is no file {file}")
    names, delimiter = csv_header(read_location(str(file)))
    if "subject" not in names:
        raise DataError(f"{file} has no column subject; its first line names the columns, subject among them")
    given = {"purpose": purpose, "at": datetime.now(UTC).isoformat(), "source": file.name}
    wanted = ", ".join(_wanted(name, name in names) for name in given)
    query = (
        f"select subject, {wanted} from read_csv($file, header = true, auto_detect = false, delim = $delimiter,"
        " quote = '\"', escape = '\"', columns = $columns)"
    )
    values = {"file": str(file), "delimiter": delimiter, "columns": dict.fromkeys(names, "VARCHAR"), **given}
    rows = 0
    with book.opened() as connection:
        try:
            for batch in connection.cursor().execute(query, values).to_arrow_reader(_ROWS):
                insert(connection, _notes(marker, batch, asked, file))
                rows += batch.num_rows
                progress(rows)
        except DataError:
            raise
        except Exception as error:  # noqa: BLE001  # the engine's errors quote rows
            raise _broken(file, error) from None
    return rows


def _wanted(name: str, there: bool) -> str:
    """A column of the file, filled up where it is empty or not there."""
    given = f"coalesce(nullif(trim(\"{name}\"), ''), ${name})" if there else f"${name}"
    return f'{given} as "{name}"'


def _notes(marker: Marker, batch: pa.RecordBatch, asked: Asked, file: Path) -> pa.Table:
    subjects = batch.column("subject")
    nobody = pc.sum(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(subjects, ""))), 0)).as_py()
    if nobody:
        raise DataError(f"{nobody} rows of {file} have no subject; mend the file, nothing was taken in")
    try:
        moments = pc.cast(batch.column("at"), pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        raise DataError(f"{file} has times that are not written as 2026-11-23T09:00:00Z in column at") from None
    high, low = marker.marks(subjects)
    return pa.table(
        {
            HIGH: high,
            LOW: low,
            "asked": np.full(batch.num_rows, int(asked), np.uint8),
            "purpose": batch.column("purpose"),
            "moment": pc.cast(moments, pa.timestamp("us")),
            "source": batch.column("source"),
            "evidence": pa.nulls(batch.num_rows, pa.binary()),
        }
    )


def _broken(file: Path, error: Exception) -> DataError:
    line = _LINE.search(str(error))
    where = f" at line {line[1]}" if line else ""
    return DataError(f"{file} is no CSV file that can be read{where}; mend it, nothing was taken in")
