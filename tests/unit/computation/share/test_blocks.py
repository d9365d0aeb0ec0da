"""Operations block by block: the same results, messages and randomness, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.correlation.announced import Announced
from unseen.computation.correlation.kinds import Square, Triple, Truncation
from unseen.computation.correlation.source import Kind
from unseen.computation.in_process import run_parties
from unseen.computation.share.arithmetic import multiply, multiply_kinds, product
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.blocks import in_blocks
from unseen.computation.share.together import Steps, in_turns
from unseen.computation.types import Real
from unseen.errors import MisuseError


def entered(circle: Circle, values: Real) -> Shared:
    return from_owner(circle, 0, values if circle.rank == 0 else None, values.shape)


def times(left: Shared, right: Shared, block: int) -> Shared:
    def kinds(count: int) -> list[Kind]:
        return multiply_kinds(count, 24)

    return in_blocks([left, right], kinds, lambda a, b: multiply.steps(a, b, 24), block)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 40), st.integers(1, 45), st.integers(2, 3))
def test_any_blocks_give_the_elementwise_product(size: int, block: int, parties: int) -> None:
    values = np.linspace(-3.0, 3.0, size)

    def program(circle: Circle) -> Real:
        shared = entered(circle, values)
        return reveal(times(shared, shared, block), "test")

    for found in run_parties(program, parties):
        np.testing.assert_allclose(found, values**2, atol=1e-6)


def test_shapes_are_kept_and_bytes_are_those_of_one_block() -> None:
    values = np.arange(24.0).reshape(4, 6) / 7

    def sent(block: int) -> list[tuple[tuple[int, ...], int]]:
        def program(circle: Circle) -> tuple[tuple[int, ...], int]:
            shared = entered(circle, values)
            before = circle.others()[0].counters.by_tag.get("product", [0, 0])[1]
            found = times(shared, shared, block)
            counted = circle.others()[0].counters.by_tag["product"]
            return found.shape, counted[1] - before - 16 * counted[0]

        return run_parties(program)

    assert sent(100) == sent(5) == [((4, 6), 24 * 16)] * 2


@pytest.mark.parametrize(("blocks", "at_once", "rounds"), [(1, 1, 2), (4, 4, 2), (4, 2, 4), (5, 2, 6)])
def test_what_is_worked_on_together_costs_one_round(blocks: int, at_once: int, rounds: int) -> None:
    def program(circle: Circle) -> int:
        shared = entered(circle, np.ones(4))
        reveal(shared, "test")
        before = circle.others()[0].rounds.count
        in_turns((multiply.steps(shared, shared, 24) for _ in range(blocks)), at_once)
        return circle.others()[0].rounds.count - before

    assert run_parties(program)[0] == rounds  # the other asks the dealer besides


def test_results_come_in_order_whichever_ends_first() -> None:
    def program(circle: Circle) -> list[str]:
        shared = entered(circle, np.ones(4))

        def running(times: int) -> Steps[str]:
            for _ in range(times):
                yield from product.steps(shared, shared)
            return f"after {times}"

        return in_turns((running(times) for times in (3, 0, 1, 2)), 2)

    assert run_parties(program)[0] == ["after 3", "after 0", "after 1", "after 2"]


def test_work_asks_for_what_was_announced_and_for_all_of_it() -> None:
    def program(circle: Circle) -> None:
        announced = Announced(circle.source, [Triple(3), Truncation(3, 5)])
        with pytest.raises(MisuseError, match="other randomness"):
            announced.ask(Square(3))
        announced.ask(Triple(3)).take()
        with pytest.raises(MisuseError, match="less than it announced"):
            announced.finish()
        announced.ask(Truncation(3, 5)).take()
        announced.finish()
        with pytest.raises(MisuseError, match="other randomness"):
            announced.ask(Triple(3))
        for refused in (lambda: announced.forget(1), lambda: announced.fork("aside")):
            with pytest.raises(MisuseError, match="announced"):
                refused()

    run_parties(program)
