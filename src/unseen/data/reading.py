"""What is asked of a source's engine: columns, rows, and how keys and numbers come out of it.

All of it becomes one query of the engine, so that nothing else leaves it: columns that are not named are not
read, rows that fail a condition are dropped there, decimals come out as floats. Join keys are brought into their
normal form here (`contract`): no two engines agree on white space, case folding and compatibility forms, and here
it is ten times faster. Names and values are Ibis expressions; neither is ever pasted into a query's text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from unseen.encoding import Json
from unseen.errors import DataError, MisuseError

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Comparison(StrEnum):
    """How a column is compared with a value."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    AMONG = "in"


@dataclass(frozen=True)
class Condition:
    """Rows are read only where `column` compares so with `value` (a list for AMONG)."""

    column: str
    comparison: Comparison
    value: Json

    def as_json(self) -> Json:
        return {"column": self.column, "comparison": self.comparison.value, "value": self.value}


def condition_from_json(value: Json) -> Condition:
    """Inverse of `Condition.as_json`. Raises MisuseError."""
    if isinstance(value, Mapping) and set(value) == {"column", "comparison", "value"}:
        column, comparison, compared = value["column"], value["comparison"], value["value"]
        among = comparison == Comparison.AMONG
        plain = compared if isinstance(compared, list) else [compared]
        fits = isinstance(compared, list) == among and all(isinstance(v, str | int | float) for v in plain)
        if isinstance(column, str) and comparison in list(Comparison) and fits:
            return Condition(column, Comparison(str(comparison)), compared)
    raise MisuseError(
        "a condition on rows is {column, comparison, value}, with a comparison out of "
        + ", ".join(Comparison)
        + " and a plain value (a list of them for `in`)"
    )


@dataclass(frozen=True)
class Reading:
    """One reading of a source. `keys` come out normalised (`contract.NORMALISATION`), `numbers` as float64."""

    columns: tuple[str, ...]
    keys: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()


def expression(table: ir.Table, reading: Reading, where: str) -> ir.Table:
    """The reading as one expression over the table. Raises DataError for a missing column or unlike types."""
    needed = dict.fromkeys((*reading.columns, *(condition.column for condition in reading.conditions)))
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise DataError(
            f"{where} has no column {', '.join(missing)} any more; register the data set again if it was renamed"
        )
    for condition in reading.conditions:
        table = table.filter(_holds(table[condition.column], condition, where))
    return table.select([_written(table[name], reading).name(name) for name in reading.columns])


def _holds(column: Any, condition: Condition, where: str) -> Any:
    kind = column.type()
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    comparable = (kind.is_string() or kind.is_temporal()) if isinstance(values[0], str) else kind.is_numeric()
    if isinstance(values[0], bool):
        comparable = kind.is_boolean()
    if not comparable:
        raise DataError(
            f"column {condition.column!r} of {where} is {kind}; a condition compares it with another type"
        )
    if condition.comparison is Comparison.AMONG:
        return column.isin(values)
    compare: dict[Comparison, Callable[[Any, Any], Any]] = {
        Comparison.EQUAL: operator.eq,
        Comparison.UNEQUAL: operator.ne,
        Comparison.LESS: operator.lt,
        Comparison.AT_MOST: operator.le,
        Comparison.MORE: operator.gt,
        Comparison.AT_LEAST: operator.ge,
    }
    import ibis

    value = ibis.literal(values[0]).cast(kind) if kind.is_temporal() else values[0]
    return compare[condition.comparison](column, value)


def _written(column: Any, reading: Reading) -> Any:
    name, kind = column.get_name(), column.type()
    if name in reading.keys and kind.is_integer():
        return column.cast("string")
    if name in reading.numbers and kind.is_decimal():
        return column.cast("float64")
    return column


def of_columns(columns: Iterable[str]) -> Reading:
    """A reading of whole columns as they are."""
    return Reading(tuple(columns))
