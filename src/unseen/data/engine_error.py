"""What an engine complains of, in our words: what is wrong, where, and the mend; no row, no value, no password.

Engines quote the data they stumble over, so none of their text is repeated but numbers of lines and names of
kinds.
"""

from __future__ import annotations

import re
from typing import Final

from unseen.data.location import Kind, Location
from unseen.errors import DataError, MisuseError, UnavailableError, UnseenError

_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")
_COUNTS: Final = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_PASSWORD_MENDS: Final = (
    "check user and password (password_file=, PGPASSWORD or ~/.pgpass), or the client certificate"
)


def translated(error: Exception, location: Location) -> UnseenError:
    """The error to raise instead of an engine's own."""
    if isinstance(error, UnseenError):
        return error
    text = str(error)
    if "Out of Memory" in text:
        return UnavailableError(
            f"{location.where} needs more memory than an embedded engine gets, and rows are never written to a"
            " temporary file; put a table in the place of a view that sorts or groups"
        )
    if location.kind is Kind.CSV:
        return _of_csv(text, location)
    if location.kind is Kind.POSTGRESQL:
        return _of_postgresql(error, text, location)
    if location.kind is Kind.ENGINE:
        return UnavailableError(f"{location.where} cannot be read now ({type(error).__name__})")
    if "lock on file" in text:
        return UnavailableError(f"{location.where} is in use by a process that writes to it; try again later")
    return DataError(
        f"{location.where} cannot be read: it is damaged, or of another kind than its name says; write it again"
    )


def _of_csv(text: str, location: Location) -> UnseenError:
    line = _LINE.search(text)
    at = f"{location.where}, line {line.group(1)}" if line else location.where
    if "Invalid unicode" in text or "not utf-8 encoded" in text:
        return DataError(
            f"{at}: not in UTF-8; convert the file first, for example: iconv -f latin1 -t utf-8 OLD > NEW"
        )
    counts = _COUNTS.search(text)
    if counts:
        expected, found = counts.groups()
        return DataError(f"{at}: {found} fields where the header has {expected}; mend or remove that line")
    if "quote" in text.lower():
        return DataError(f"{at}: a quotation mark is opened and not closed; mend or remove that line")
    if line:
        return DataError(f"{at}: a value does not fit its column or line; mend or remove that line")
    return DataError(f"{at} cannot be read as CSV: one header line, then as many fields in every line")


def _of_postgresql(error: Exception, text: str, location: Location) -> UnseenError:
    state = getattr(error, "sqlstate", None) or ""
    server = location.where
    if state.startswith("28") or "authentication failed" in text or "no password supplied" in text:
        return MisuseError(f"{server}: the server does not let {location.url.username!r} in; {_PASSWORD_MENDS}")
    if state == "42501" or "permission denied" in text:
        return MisuseError(
            f"{server}: {location.url.username!r} may not read this table; mend: GRANT SELECT ON TABLE … TO …"
        )
    if "no pg_hba.conf entry" in text:
        return MisuseError(
            f"{server}: the server lets {location.url.username!r} in neither from here nor in this way"
        )
    if "certificate" in text or "SSL" in text:
        return UnavailableError(
            f"{server}: TLS could not be set up; name the server's root certificate (sslrootcert=/path), and "
            "where it asks for one our own (sslcert=/path&sslkey=/path, the key of mode 0600)"
        )
    if "does not exist" in text and "database" in text:
        return MisuseError(f"{server}: there is no such database on that server; check the name after the host")
    if "server closed" in text or "terminating connection" in text or state.startswith("57"):
        return UnavailableError(f"{server}: the server ended the connection; try again when it is up")
    if isinstance(error, _psycopg_operational()):
        return UnavailableError(f"{server} cannot be reached; check host, port and network, and that it is up")
    return DataError(f"{server} cannot be read (SQL state {state or 'unknown'})")


def _psycopg_operational() -> type[Exception]:
    import psycopg

    operational: type[Exception] = psycopg.OperationalError
    return operational
