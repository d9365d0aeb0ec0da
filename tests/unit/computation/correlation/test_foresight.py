"""Rounds announced ahead: the same randomness comes out right, and another round than announced is refused."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.correlation.kinds import Square, Triple
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.private import private_matrix
from unseen.errors import MisuseError


@pytest.mark.parametrize("parties", [2, 3])
def test_rounds_compute_right_when_announced_with_masks_of_before_and_of_within(parties: int) -> None:
    draw = np.random.default_rng(0)
    fixed, changing, vectors = draw.normal(size=(7, 3)), draw.normal(size=(4, 7, 3)), draw.normal(size=(4, 3, 2))

    def program(circle: Circle) -> list[np.ndarray]:
        first = circle.rank == 0
        stays = private_matrix(circle, 0, fixed if first else None, (7, 3), 12)
        found = []
        for matrix, vector in zip(changing, vectors, strict=True):
            with circle.source.again("round"):
                x = from_owner(circle, 1, vector if circle.rank == 1 else None, (3, 2), 12)
                goes = private_matrix(circle, 0, matrix if first else None, (7, 3), 12)
                both = (stays @ x) + (goes @ x)
                goes.forget()
                found.append(reveal(both * both, "squares"))
        return found

    for found in run_parties(program, parties):
        for matrix, vector, squares in zip(changing, vectors, found, strict=True):
            np.testing.assert_allclose(squares, ((fixed + matrix) @ vector) ** 2, atol=0.05)


@pytest.mark.parametrize("second", [(Triple(3),), (Square(4),), (Triple(4), Square(2), Triple(4)), ()])
def test_a_round_that_is_not_the_one_announced_is_refused(second: tuple[Triple | Square, ...]) -> None:
    def program(circle: Circle) -> None:
        for kinds in ((Triple(4), Square(2)), second):
            with circle.source.again("round"):
                for kind in kinds:
                    circle.source.ask(kind).take()

    with pytest.raises(MisuseError, match=r"not the one|asked for less"):
        run_parties(program)


def test_rounds_do_not_lie_in_one_another() -> None:
    def program(circle: Circle) -> None:
        with circle.source.again("outer"), circle.source.again("inner"):
            pass

    with pytest.raises(MisuseError, match="in one another"):
        run_parties(program)


def test_what_a_protocol_announces_comes_in_that_order_and_within_a_round_changes_nothing() -> None:
    def program(circle: Circle) -> int:
        kinds = [Triple(4), Square(2)]
        with circle.source.ahead(kinds), circle.source.ahead([Square(9)]):
            first = [len(circle.source.ask(kind).take()) for kind in kinds]
        for _ in range(2):
            with circle.source.again("round"), circle.source.ahead(kinds):
                assert [len(circle.source.ask(kind).take()) for kind in kinds] == first
        return sum(first)

    assert run_parties(program) == [5, 5]


@pytest.mark.parametrize("asked", [(Triple(3),), (Triple(4),), (Triple(4), Square(2), Square(2))])
def test_a_protocol_that_asks_for_other_than_it_announced_is_refused(asked: tuple[Triple | Square, ...]) -> None:
    def program(circle: Circle) -> None:
        with circle.source.ahead([Triple(4), Square(2)]):
            for kind in asked:
                circle.source.ask(kind).take()

    with pytest.raises(MisuseError, match=r"not the one|asked for less"):
        run_parties(program)
