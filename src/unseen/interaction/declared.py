"""How many identifiers each party may offer to an alignment: declared in the plan, and granted with it.

Whoever offers made-up identifiers in bulk learns which of them a partner knows. A plan therefore declares, for
each computing party, the most identifiers that it will offer (`declared` among its parameters). A node refuses a
plan that declares more for itself than its own catalogue counts rows, and more for anyone than the agreement's
`most_identifiers`; where the agreement has this limit, a plan that joins must declare. The run holds both sides
to it: see `computation.intersect.align.Declared`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from unseen.data.catalogue import Use
from unseen.errors import RefusedError
from unseen.interaction.agreement import Agreement
from unseen.interaction.plan import Plan

DECLARED: Final = "declared"
"""The plan's parameter: party → most identifiers."""

Rows = Callable[[str], int]
"""How many rows our own catalogue counts in a data set."""


def declared(plan: Plan) -> dict[str, int]:
    """What each party declares; empty where the plan declares nothing. Raises RefusedError for a broken one."""
    said: Any = plan.parameters.get(DECLARED)
    if said is None:
        return {}
    if not isinstance(said, Mapping) or set(said) != set(plan.parties) or not all(map(_is_count, said.values())):
        raise RefusedError(
            "declared-size",
            "the plan does not declare a number of identifiers for just its computing parties",
            "this is a fault of the application; tell its maker",
        )
    return dict(said)


def check_declared(plan: Plan, terms: Agreement, me: str, rows: Rows) -> None:
    """Raises RefusedError under rule `declared-size`, `most-identifiers` or `catalogue-rows`."""
    said, most = declared(plan), terms.limits.most_identifiers
    joined = {(use.party, use.dataset) for use in plan.uses if use.use is Use.JOIN}
    if most is not None and joined and not said:
        raise RefusedError(
            "declared-size",
            f"the agreement limits identifiers to {most:,} a party, and the plan declares no number of them",
            "say in the request how many rows each party will offer",
        )
    for party, count in said.items():
        if most is not None and count > most:
            raise RefusedError(
                "most-identifiers",
                f"the plan lets {party} offer {count:,} identifiers; the agreement allows {most:,}",
                "declare fewer rows, or propose a new version with a higher limit",
            )
    own = sum(rows(dataset) for party, dataset in joined if party == me)
    if own and said.get(me, 0) > own:
        raise RefusedError(
            "catalogue-rows",
            f"the plan lets {me} offer {said[me]:,} identifiers; its catalogue counts {own:,} rows",
            "declare as many rows as the data set has; if it has grown, register it again",
        )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
