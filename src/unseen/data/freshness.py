"""How fresh a data set is: its rows now, when its file changed, the newest date that its retention counts from."""

from __future__ import annotations

from datetime import UTC, datetime

from unseen.data.dataset import Dataset
from unseen.data.location import read_location
from unseen.data.source import open_source
from unseen.encoding import Json
from unseen.errors import UnseenError


def freshness(entry: Dataset) -> dict[str, Json]:
    """`rows` now, `changed` (a file's time of change) and `newest` (a date), each None where it is not known.

    `problem` says why the source could not be read, else it is empty: a data set that cannot be reached can
    still be shown.
    """
    found: dict[str, Json] = {"rows": None, "changed": None, "newest": None, "problem": ""}
    try:
        location = read_location(entry.source)
        if location.path.is_file():
            moment = datetime.fromtimestamp(location.path.stat().st_mtime, UTC)
            found["changed"] = moment.isoformat(timespec="seconds")
        with open_source(entry.source) as source:
            found["rows"] = source.rows()
            counted = entry.retention.column if entry.retention is not None else ""
            if counted:
                newest = source.run(source.table.aggregate(newest=source.table[counted].max()))["newest"][
                    0
                ].as_py()
                found["newest"] = None if newest is None else str(newest)
    except UnseenError as error:
        found["problem"] = str(error)
    return found
