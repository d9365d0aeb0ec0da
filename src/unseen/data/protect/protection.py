"""What every protection is: one way to apply and, where it exists, one way to reverse, for a reason on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import pyarrow as pa

from unseen.encoding import Json
from unseen.errors import MisuseError


class Protection(Protocol):
    """A protection of one column. Missing values stay missing; the order of rows stays."""

    name: ClassVar[str]

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The protected column. `subjects` names each row's person, which few protections look at.

        Raises DataError for values that this protection does not fit.
        """
        ...


@dataclass(frozen=True)
class Reason:
    """Who asks for values back and why, and where that is recorded before any value is.

    `record` gets one JSON object without values; if it raises, nothing is reversed.
    """

    who: str
    why: str
    record: Callable[[Mapping[str, Json]], object]

    def __post_init__(self) -> None:
        if not self.who.strip() or not self.why.strip():
            raise MisuseError("say who asks for values back, and why")

    def note(self, protection: str, values: int) -> None:
        """Put the request on record."""
        self.record({"protection": protection, "values": values, "who": self.who, "why": self.why})


class Reversible(Protection, Protocol):
    """A protection that the holder of the key can take off again."""

    def reverse(self, values: pa.Array, reason: Reason, subjects: pa.Array | None = None) -> pa.Array:
        """The original column, after `reason` is on record. Raises DataError for values it did not make."""
        ...
