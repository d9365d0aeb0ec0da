"""What was sent is held against the message tables of the plan, kind by kind."""

from __future__ import annotations

import pytest

from unseen.computation.blocks import BLOCKS
from unseen.computation.profile import Carries, Message
from unseen.interaction.receipt import Account, Count, Declared, Line, Statement
from unseen.interaction.sent import deviations

TABLE = [
    Declared(kind="sum/total", carries=Carries.DISCLOSED, most_messages=1, most_bytes=24),
    Declared(kind="seed/*", carries=Carries.NOTHING),
    Declared(kind="step-#", carries=Carries.NOTHING, most_messages=3),
]


def said(kinds: dict[str, tuple[int, int]], table: list[Declared] | None) -> Statement:
    """A receipt in which the lender sent the bureau so many messages and bytes of each kind."""
    counts = {kind: Count(messages=messages, bytes=size) for kind, (messages, size) in kinds.items()}
    line = Line(bytes=0, messages=0, sent="0", received="0", kinds=counts)
    account = Account(party="lender", plan="p", job="j", result="r", rounds=1, lines={"bureau": line})
    return Statement(
        plan="p",
        job="j",
        agreement="a",
        application="x",
        grants={},
        disclosures={},
        messages=table,
        accounts=[account],
    )


def test_what_is_declared_is_no_incident() -> None:
    assert deviations(said({"sum/total": (1, 24), "seed/pair": (9, 999), "step-#": (3, 99_999)}, TABLE)) == []


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        (
            "rows",
            (2, 4096),
            "lender sent bureau 2 messages (4096 bytes) of kind “rows”, which no protocol declares",
        ),
        (
            "sum/total",
            (2, 24),
            "lender sent bureau 2 messages (24 bytes) of kind “sum/total”, more than is declared",
        ),
        (
            "sum/total",
            (1, 25),
            "lender sent bureau 1 message (25 bytes) of kind “sum/total”, more than is declared",
        ),
        ("step-#", (4, 8), "lender sent bureau 4 messages (8 bytes) of kind “step-#”, more than is declared"),
        ("sum/totals", (1, 8), "which no protocol declares"),
        ("a-seed/pair", (1, 8), "which no protocol declares"),
    ],
)
def test_another_kind_a_larger_count_or_size_is_named(kind: str, count: tuple[int, int], words: str) -> None:
    (found,) = deviations(said({kind: count}, TABLE))
    assert words in found


def test_without_a_table_nothing_is_held_against_it() -> None:
    assert deviations(said({"rows": (2, 4096)}, None)) == []


def test_building_blocks_carry_nothing_but_what_the_dealer_is_asked_for() -> None:
    assert [line.kind for line in BLOCKS if line.carries is not Carries.NOTHING] == ["dealer/ask"]


def test_a_line_covers_its_kind_and_a_star_any_ending() -> None:
    assert Message("a/b").covers("a/b")
    assert not Message("a/b").covers("a/bc")
    assert Message("a/*").covers("a/b")
    assert not Message("a/*").covers("b/a/")
