"""The application overlap-pairs: its plan, its run at one party, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Final

from pydantic import Field
from rich.console import Console
from rich.markup import escape

from unseen.application.derivation import limit, request_in
from unseen.application.free_memory import require_free
from unseen.application.request import read
from unseen.application.several.job import FREE, offered, released
from unseen.application.several.planning import SeveralRequest, facts_of, keys_of, plan_of, require_one_key
from unseen.computation.intersect import cardinality, footprint, pairs
from unseen.computation.intersect.pairs import Pair, Told, count_pairs
from unseen.computation.profile import Role
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request, Run
from unseen.interaction.declared import declared
from unseen.interaction.plan import Flow, Plan, Shape, Step

MOST_COUNTED: Final = 4_000_000
_START_SECONDS: Final = 2.0


class PairsRequest(SeveralRequest):
    """`pairs` of institutions; without it, all pairs whose number the agreement lets its members know.

    `exact_up_to` keys of a pair together are all counted; more, on a sample of about so many.
    """

    pairs: Annotated[tuple[tuple[str, str], ...], Field(min_length=1)] | None = None
    exact_up_to: Annotated[int, Field(ge=1000, le=MOST_COUNTED)] = cardinality.MOST_EXACT


def number_of(pair: Pair) -> str:
    """The output that an agreement's `recipients` names: how many customers this pair shares."""
    return f"{pair[0]}-{pair[1]}-overlap"


def plan_pairs(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for pairs that are none, or whose number the agreement does not let both
    members know: counting, both learn it."""
    asked = read(PairsRequest, request.body)
    keys = keys_of(asked, agreement, fewest=3)
    require_one_key(asked)
    counted = _pairs(asked, agreement)
    facts = {**facts_of(agreement), "most_exact": f"{asked.exact_up_to:,}"}
    outputs: dict[str, list[str]] = {}
    for pair, besides in counted.items():
        for name in (*pair, *besides):
            outputs.setdefault(name, []).append(number_of(pair))
    return plan_of(
        request,
        agreement,
        asked,
        tuple(
            Step(
                f"count {one} and {two}",
                pairs.PROFILE,
                {Role.OWNER: (one, two), Role.RECIPIENT: besides},
                {**facts, "one": one, "two": two},
            )
            for (one, two), besides in counted.items()
        ),
        dealer=None,
        uses=tuple(use for name in sorted({name for pair in counted for name in pair}) for use in keys[name]),
        outputs={name: tuple(numbers) for name, numbers in sorted(outputs.items())},
        flows=tuple(Flow(number_of(pair), Shape.COUNT, (*keys[pair[0]], *keys[pair[1]])) for pair in counted),
    )


def count_each_pair(run: Run) -> Mapping[str, Json]:
    """Count; the numbers that this party may know."""
    asked, counted = request_in(run.plan), _planned(run.plan)
    keys = None
    more: dict[str, Json] = {"party": run.party, "parties": list(run.plan.parties), "warnings": []}
    if any(run.party in pair for pair in counted):
        rows = declared(run.plan)
        other = max(rows[name] for name in run.plan.parties if name != run.party)
        require_free(run, footprint.counted(rows[run.party], other, int(asked["exact_up_to"])), FREE)
        _, own = released(run, "count")
        (keys,), more = own.offered, offered(run, own)
    began = perf_counter()
    unit = limit(run.plan, "round_to")
    found = count_pairs(
        run.circle,
        keys,
        counted,
        limit(run.plan, "smallest_overlap"),
        partial(run.progress, "count"),
        declared=declared(run.plan),
        round_to=unit,
        most_exact=int(asked["exact_up_to"]),
    )
    run.progress("count", 1.0)
    numbers: list[Json] = [_as_json(pair, told) for pair, told in found.items()]
    return {**more, "pairs": numbers, "rounded_to": unit, "seconds": round(perf_counter() - began, 3)}


def present(
    console: Console,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    report: Path,
    ledgers: Sequence[Path] = (),
) -> None:
    """Print the numbers that this party may know."""
    for warning in result["warnings"]:
        console.print(f"[yellow]warning[/]  {escape(warning)}")
    unit = f" (rounded to {result['rounded_to']:,})" if result["rounded_to"] > 1 else ""
    for pair in result["pairs"]:
        said = "too few to be told" if pair["common"] is None else f"{pair['common']:,}{unit}"
        if pair["interval"]:
            low, high = pair["interval"]
            said = f"about {said}; between {low:,} and {high:,} with {cardinality.CONFIDENCE:.0%} confidence"
        console.print(f"  common to {escape(' and '.join(pair['of']))}  {said}")
    if not result["pairs"]:
        console.print(f"  nothing here is told to {escape(result['party'])}")
    console.print(f"  seconds  {result['seconds']:.2f}")


def estimate(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes for as many rows as declared, whatever `rows` are: measured rates, one pair after the
    other."""
    offers, most = declared(plan), int(request_in(plan)["exact_up_to"])
    sizes = [(offers[one], offers[two]) for one, two in _planned(plan)]
    return {
        "seconds": _START_SECONDS + sum(cardinality.seconds(one, two, most) for one, two in sizes),
        "bytes": sum(cardinality.bytes_moved(one, two, most) for one, two in sizes),
    }


def _pairs(asked: PairsRequest, agreement: Agreement) -> dict[Pair, tuple[str, ...]]:
    """Each pair in order, and who besides its members is told its number."""
    known = set(agreement.computing)
    if asked.pairs is None:
        every = [(one, two) for one, two in combinations(sorted(known), 2)]
        wanted = [pair for pair in every if set(pair) <= _told(agreement, pair)]
        if not wanted:
            raise MisuseError(
                "the agreement lets no pair know its number; name one's members among the recipients of"
                f" {number_of(every[0])}, say"
            )
    else:
        wanted = sorted({(min(pair), max(pair)) for pair in asked.pairs})
        if any(one == two or not {one, two} <= known for one, two in wanted) or len(wanted) < len(asked.pairs):
            raise MisuseError("`pairs` are of two different parties of this request, each pair once")
    found = {}
    for pair in wanted:
        told = _told(agreement, pair)
        if unnamed := sorted(set(pair) - told):
            raise MisuseError(
                f"both members of a pair learn its number, and the agreement does not name {', '.join(unnamed)}"
                f" among the recipients of {number_of(pair)}"
            )
        found[pair] = tuple(sorted((told & known) - set(pair)))
    return found


def _told(agreement: Agreement, pair: Pair) -> set[str]:
    return set(agreement.recipients.get(number_of(pair), ()))


def _planned(plan: Plan) -> dict[Pair, tuple[str, ...]]:
    """The pairs of a plan, from its steps."""
    found = {}
    for step in plan.steps:
        one, two = step.roles[Role.OWNER]
        found[(one, two)] = step.roles[Role.RECIPIENT]
    return found


def _as_json(pair: Pair, told: Told) -> dict[str, Json]:
    return {
        "of": list(pair),
        "common": told.common,
        "interval": None if told.interval is None else list(told.interval),
        "sampled_share": told.rate,
    }
