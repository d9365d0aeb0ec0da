"""Oblivious transfers: the chosen block arrives, the other does not, and points that are none are refused."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.correlation import base_transfer, transfer_extension
from unseen.computation.in_process import run_parties
from unseen.computation.prg import Expander
from unseen.errors import ProtocolError

CHOICES = [0, 1, 1, 0, 1, 0, 0, 1]


def test_of_each_pair_of_seeds_the_chosen_one_arrives_and_only_that_one() -> None:
    def program(circle: Circle) -> list[tuple[bytes, ...]]:
        channel = circle.others()[0]
        if circle.rank == 0:
            given = base_transfer.give(channel, len(CHOICES), circle.private)
            return [(zero.octets(16), one.octets(16)) for zero, one in given]
        return [(seed.octets(16),) for seed in base_transfer.take(channel, CHOICES, circle.private)]

    given, taken = run_parties(program)
    for choice, pair, (block,) in zip(CHOICES, given, taken, strict=True):
        assert block == pair[choice]
        assert block != pair[1 - choice]
    assert len({block for pair in given for block in pair}) == 2 * len(CHOICES)


SMALL_ORDER = bytes(32)
OFF_THE_CURVE = bytes([2]) + bytes(31)


@pytest.mark.parametrize("point", [SMALL_ORDER, OFF_THE_CURVE, b"\xff" * 32])
@pytest.mark.parametrize("liar", [0, 1])
def test_bytes_that_are_no_point_of_the_group_name_who_sent_them(point: bytes, liar: int) -> None:
    wrong = np.frombuffer(point, dtype=np.uint8)

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        if circle.rank == 0 and liar == 0:
            channel.send("transfer/base", wrong)
            channel.receive("transfer/points", np.uint8, (1, 32))
        elif circle.rank == 1 and liar == 1:
            channel.receive("transfer/base", np.uint8, 32)
            channel.send("transfer/points", wrong[None])
        elif circle.rank == 0:
            base_transfer.give(channel, 1, circle.private)
        else:
            base_transfer.take(channel, [1], circle.private)

    with pytest.raises(ProtocolError, match=f"party{liar}.*no point"):
        run_parties(program)


@pytest.mark.parametrize("count", [1, 7, 8, 1000])
def test_a_thousand_transfers_come_from_a_hundred_and_twenty_eight(count: int) -> None:
    choices = np.random.default_rng(count).integers(0, 2, count).astype(np.uint8)
    secret = Expander(bytes(range(32))).words(2)
    bits = np.unpackbits(secret.view(np.uint8), bitorder="little")
    pairs = [(bytes([j, 0]) * 16, bytes([j, 1]) * 16) for j in range(128)]

    def program(circle: Circle) -> object:
        channel = circle.others()[0]
        if circle.rank == 0:
            taken = [Expander(pair[bit]) for pair, bit in zip(pairs, bits, strict=True)]
            return transfer_extension.give(channel, taken, secret, count)
        given = [(Expander(zero), Expander(one)) for zero, one in pairs]
        return transfer_extension.take(channel, given, choices)

    blocks, taken = run_parties(program)
    both = np.stack(blocks, axis=1)
    np.testing.assert_array_equal(taken, both[np.arange(count), choices])
    assert not (np.asarray(taken) == both[np.arange(count), 1 - choices]).any()
