"""What the plans of all joint models have in common: the parties, what is read of each, and the facts that the
steps' sentences name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from unseen.application import joint_keys
from unseen.application.declared import as_parameter
from unseen.application.derivation import derived, require_parties
from unseen.application.joint_request import JointRequest
from unseen.computation.intersect import align
from unseen.computation.learn import feature_attack
from unseen.computation.profile import Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.plan import ColumnUse, Flow, Plan, Step

OPENED: Final = "opened-columns"
"""What the label's party receives in a parity run, by the name that an agreement's `recipients` use."""
START_SECONDS: Final = 3.0


def require_fit(asked: JointRequest, agreement: Agreement) -> None:
    """Raises MisuseError for a request that names other parties than the agreement or keys that cannot meet, and
    for an agreement without a dealer."""
    require_parties(asked.parties, agreement)
    if agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; this version needs one")
    joint_keys.require_alike(asked.parties)


def roles(
    agreement: Agreement, owners: tuple[str, ...], recipients: tuple[str, ...]
) -> dict[Role, tuple[str, ...]]:
    """Who is who in the steps."""
    found = {Role.EACH: agreement.computing, Role.OWNER: owners, Role.RECIPIENT: recipients}
    return found | ({Role.DEALER: (agreement.dealer,)} if agreement.dealer else {})


def alignment(asked: JointRequest, agreement: Agreement, owners: Iterable[str]) -> tuple[Profile, dict[str, str]]:
    """The profile of how the parties meet, and the facts that its sentences and all others may name; `owners` are
    those whose columns the label's party does not see."""
    aligned, spoken = joint_keys.alignment(asked.parties, agreement.computing)
    facts = {"owner": " and ".join(owners), "smallest_overlap": str(agreement.limits.smallest_overlap)}
    return aligned, facts | spoken


def column_uses(asked: JointRequest, opened: bool = False, labelled: bool = True) -> tuple[ColumnUse, ...]:
    """Every column that is read, and for what: `opened` ones go to the label's party too, `labelled` is whether
    the label is read at all."""
    uses: list[ColumnUse] = []
    for name, side in sorted(asked.parties.items()):
        uses += joint_keys.uses(name, side)
        columns = sorted({*side.features, *(term.column for term in asked.terms() if term.party == name)})
        uses += [ColumnUse(name, side.dataset, column, Use.FEATURE) for column in columns]
        if opened and name != asked.label.party:
            uses += [ColumnUse(name, side.dataset, column, Use.RETRIEVE) for column in columns]
        if asked.fairness and name == asked.fairness.party:
            uses.append(ColumnUse(name, side.dataset, asked.fairness.column, Use.GROUP))
        if labelled and name == asked.label.party:
            uses.append(ColumnUse(name, side.dataset, asked.label.column, Use.LABEL))
    return tuple(uses)


def told_to_partners(
    who: Mapping[Role, tuple[str, ...]], facts: Mapping[str, str], partners: tuple[str, ...]
) -> list[Step]:
    """The step that tells each of `partners` how far the label's party could tell its columns from scores."""
    roles = {**who, Role.OWNER: partners}
    return [Step("evaluate", feature_attack.PROFILE, roles, facts)] if partners else []


@dataclass(frozen=True)
class Sources:
    """Column uses by what flows into outputs: `features`; what a model is `learned` from, the label too; what is
    `opened` in a parity run; and what `judged` decisions by group are made of."""

    features: tuple[ColumnUse, ...]
    learned: tuple[ColumnUse, ...]
    opened: tuple[ColumnUse, ...]
    judged: tuple[ColumnUse, ...]


def sources(uses: Sequence[ColumnUse]) -> Sources:
    """Sort the uses of a plan."""

    def by(*wanted: Use) -> tuple[ColumnUse, ...]:
        return tuple(use for use in uses if use.use in wanted)

    learned = by(Use.FEATURE, Use.LABEL)
    return Sources(by(Use.FEATURE), learned, by(Use.RETRIEVE), (*by(Use.GROUP), *learned))


def assembled(
    request: Request,
    agreement: Agreement,
    asked: JointRequest,
    *,
    uses: tuple[ColumnUse, ...],
    steps: Iterable[Step],
    outputs: Mapping[str, tuple[str, ...]],
    flows: Iterable[Flow],
    parameters: Mapping[str, Json] | None = None,
) -> Plan:
    """The plan, with the rules of the keys, the declared numbers of rows, and the model's own `parameters`."""
    shared = {
        **joint_keys.as_parameters(asked.parties),
        **as_parameter({name: side.rows for name, side in asked.parties.items()}),
        **(parameters or {}),
    }
    return derived(
        request,
        agreement,
        asked,
        dealer=agreement.dealer,
        uses=uses,
        steps=steps,
        outputs=outputs,
        flows=flows,
        parameters=shared,
    )


def estimated(rows: int, seconds: float, octets: float) -> dict[str, Json]:
    """Seconds and bytes of a run with so many rows a side, all common: `seconds` and `octets` are the model's own,
    to which comes what starting and meeting take."""
    return {
        "seconds": START_SECONDS + align.seconds(rows, rows) + seconds,
        "bytes": align.bytes_moved(rows, rows) + octets,
    }
