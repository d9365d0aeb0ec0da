"""Vector OLEs that two parties make themselves: c = b + Δ·a at every size, fresh each time, uniform to look at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import expand_convolute, kinds, punctured, silent_ole
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.correlation.pairwise import NoDealer, Pairwise
from unseen.computation.correlation.source import Source
from unseen.computation.in_process import run_parties
from unseen.computation.kernels import convolute, gf128
from unseen.computation.types import Words
from unseen.errors import MisuseError, PeerError, ProtocolError

SIZES = (1, 2, silent_ole.SMALL, silent_ole.SMALL + 1, 2000, 5431, 70_000)


def made(sizes: tuple[int, ...]) -> list[list[tuple[Words, Words]]]:
    """What receiver (rank 0) and sender hold of vector OLEs of these sizes, one after another."""

    def program(circle: Circle) -> list[tuple[Words, Words]]:
        channel = circle.others()[0]
        if circle.rank == 0:
            receiver = silent_ole.ReceiverSetup(channel, circle.private)
            return [receiver.begin(size).finish() for size in sizes]
        sender = silent_ole.SenderSetup(channel, circle.private)
        return [sender.make(size) for size in sizes]

    return run_parties(program)


def product(a: Words, delta: Words, b: Words) -> Words:
    out = b.copy()
    gf128.add_scaled(a, delta, out)
    return out


def test_both_parties_hold_a_vector_ole_of_each_size() -> None:
    received, sent = made(SIZES)
    for size, (a, c), (delta, b) in zip(SIZES, received, sent, strict=True):
        assert a.shape == (size,)
        np.testing.assert_array_equal(product(a, delta, b), c)
        assert len(np.unique(a)) == size


def test_uses_of_one_set_up_share_delta_and_nothing_else() -> None:
    received, sent = made((3000, 3000, 10, 10))
    assert len({delta.tobytes() for delta, _ in sent}) == 1
    for one, other in ((0, 1), (2, 3)):
        assert not np.intersect1d(received[one][0], received[other][0]).size
        assert not np.intersect1d(sent[one][1], sent[other][1]).size


def test_two_set_ups_share_nothing() -> None:
    (one,), (first,) = made((2000,))
    (two,), (second,) = made((2000,))
    assert not np.array_equal(first[0], second[0])
    assert not np.intersect1d(one[0], two[0]).size


def test_every_bit_of_what_comes_out_is_one_half_of_the_time() -> None:
    count = 40_000
    ((a, c),), ((_, b),) = made((count,))
    for words in (a, b[:, 0], b[:, 1], c[:, 0], c[:, 1]):
        ones = np.unpackbits(words.copy().view(np.uint8).reshape(count, 8), axis=1).sum(axis=0)
        assert (np.abs(ones - count / 2) < 6 * np.sqrt(count) / 2).all()


@given(st.integers(min_value=silent_ole.SMALL + 1, max_value=1 << 27))
def test_there_are_always_enough_blocks_of_noise_and_places_for_all(count: int) -> None:
    plan = silent_ole.shape(count)
    assert (1 - expand_convolute.DISTANCE) ** plan.trees <= 2.0**-128
    assert plan.trees <= 2 * expand_convolute.BLOCKS + 1
    assert 0 <= plan.trees * (1 << plan.depth) - expand_convolute.RATE * count < 1 << plan.depth


def test_trees_differ_at_one_secret_place_only() -> None:
    trees, depth = 5, 6
    choices = np.random.default_rng(1).integers(0, 2, trees * depth).astype(np.uint8)
    pads = np.random.default_rng(2).integers(0, 2**63, (2, trees * depth, 2)).astype(np.uint64)

    def program(circle: Circle) -> object:
        channel = circle.others()[0]
        if circle.rank == 0:
            return punctured.grown(channel, trees, depth, (pads[0], pads[1]), circle.private)
        chosen = pads[choices, np.arange(trees * depth)]
        return punctured.punctured(channel, trees, depth, chosen, choices)

    (leaves, totals), (known, sums, places) = run_parties(program)
    rows = np.arange(trees)
    np.testing.assert_array_equal(totals, np.bitwise_xor.reduce(leaves, axis=1))
    np.testing.assert_array_equal(sums ^ leaves[rows, places], totals)
    assert not known[rows, places].any()
    bits = (1 - choices).reshape(trees, depth)
    np.testing.assert_array_equal(places, bits @ (1 << np.arange(depth)[::-1]))
    known[rows, places, 1:] = leaves[rows, places]
    np.testing.assert_array_equal(known[:, :, 1:], leaves)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 200))
def test_the_code_is_the_two_matrices_of_the_paper(seed: int, width: int, rows: int) -> None:
    """Convolution and expansion against matrices over GF(2), written out."""
    source = np.random.default_rng(seed)
    values = source.integers(0, 2**63, (rows, width)).astype(np.uint64)
    taps = source.integers(0, 2**32, rows).astype(np.uint32)
    wanted = values.copy()
    for row in range(rows):
        for back in range(1, min(row, convolute.STATE) + 1):
            if back == 1 or taps[row] >> (convolute.STATE - back) & 1:
                wanted[row] ^= wanted[row - back]
    cut = rows // 3
    convolute.convolve(values, taps[:cut], 0)
    convolute.convolve(values, taps[cut:], cut)
    np.testing.assert_array_equal(values, wanted)
    picks = source.integers(0, 2**32, 50).astype(np.uint32)
    out = np.ones((50, width), dtype=np.uint64)
    convolute.add_picked(values, picks, cut, rows - cut, out)
    at = cut + (picks.astype(np.uint64) * np.uint64(rows - cut) >> np.uint64(32)).astype(np.int64)
    np.testing.assert_array_equal(out, values[at] ^ np.uint64(1))


def test_the_code_is_linear_and_the_same_for_everyone() -> None:
    one, two = (np.random.default_rng(seed).integers(0, 2**63, (4000, 2)).astype(np.uint64) for seed in (1, 2))
    both = expand_convolute.compress(one ^ two, 2000)
    parts = expand_convolute.compress(one, 2000) ^ expand_convolute.compress(two, 2000)
    np.testing.assert_array_equal(both, parts)


def test_every_noise_position_reaches_the_outputs() -> None:
    for position in (0, 1, 2000, 3998):
        values = np.zeros((4000, 1), dtype=np.uint64)
        values[position] = 1
        share = expand_convolute.compress(values, 2000).mean()
        assert 0 < share < 1


def test_a_small_code_has_no_light_words_among_sums_of_few_rows() -> None:
    """Code words of up to four rows weigh at least the relative distance that the parameters assume."""
    count = 300
    positions = expand_convolute.RATE * count
    units = np.zeros((positions, 10), dtype=np.uint64)
    units[np.arange(positions), np.arange(positions) // 64] = np.uint64(1) << (np.arange(positions) % 64).astype(
        np.uint64
    )
    blocks = [expand_convolute.compress(units[:, [column]].copy(), count) for column in range(10)]
    octets = np.concatenate(blocks, axis=1).view(np.uint8)
    rows = np.unpackbits(octets, axis=1)[:, :]
    source = np.random.default_rng(5)
    for few in (1, 2, 3, 4):
        picked = np.stack([source.choice(count, few, replace=False) for _ in range(2000)])
        weights = np.bitwise_xor.reduce(rows[picked], axis=1).sum(axis=1)
        assert weights.min() >= expand_convolute.DISTANCE * positions


def test_what_is_sent_has_the_same_size_and_looks_uniform_whatever_is_drawn() -> None:
    sizes = []
    for _ in range(2):
        counters = run_parties(_counted)
        sizes.append(counters)
    assert sizes[0] == sizes[1]


def _counted(circle: Circle) -> dict[str, list[int]]:
    channel = circle.others()[0]
    if circle.rank == 0:
        silent_ole.ReceiverSetup(channel, circle.private).begin(3000).finish()
    else:
        silent_ole.SenderSetup(channel, circle.private).make(3000)
    return channel.counters.by_tag


class Altered:
    """A channel that flips a bit in each byte of the messages of one tag."""

    def __init__(self, channel: Channel, tag: str) -> None:
        self._channel, self._tag = channel, tag

    def send(self, tag: str, array: Words) -> None:
        if tag == self._tag:
            array = array.copy()
            array.reshape(-1).view(np.uint8)[:] ^= 1
        self._channel.send(tag, array)

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)


@pytest.mark.parametrize("tag", ["trees/sums", "ole/leaves", "ole/differences", "transfer/columns"])
def test_a_message_altered_on_its_way_breaks_the_correlation_and_the_trial_sees_it(tag: str) -> None:
    """The intersection on top refuses: its trial at a random point fails, or its result is not the same."""
    from unseen.computation.intersect.align import Method, align

    names = [b"customer-%d" % number for number in range(1500)]

    def program(circle: Circle) -> object:
        assert isinstance(circle.source, Pairwise)
        channels = circle.source._channels
        circle.source._channels = {rank: Altered(channel, tag) for rank, channel in channels.items()}
        return align(circle, names, 1, method=Method.OLE)

    with pytest.raises(PeerError, match=r"another correlation|other common keys"):
        run_parties(program)


@pytest.mark.parametrize("tag", ["trees/sums", "ole/leaves"])
def test_a_sender_that_bends_its_trees_and_passes_over_its_own_trial_is_named_before_it_is_told_anything(
    tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Party 0 has more keys and is the sender."""
    from unseen.computation.intersect import oprf
    from unseen.computation.intersect.align import Method, align

    told: list[str] = []

    def shameless(channel: Channel, delta: Words, b: Words) -> None:
        channel.send("align/trial", np.zeros(2, dtype=np.uint64))
        asked = channel.receive("align/question", np.uint64, (2, 2))
        value = oprf._times(asked[1], delta) ^ oprf._at(asked[0].copy(), b, slice(2, 4))
        channel.send("align/answer", np.frombuffer(oprf._answer(value), dtype=np.uint8))
        channel.receive("align/proof", np.uint64, (2, 2))
        told.append("the proof")

    monkeypatch.setattr(oprf, "require_correlated", shameless)

    def program(circle: Circle) -> object:
        assert isinstance(circle.source, Pairwise)
        if circle.rank == 0:
            circle.source._channels = {1: Altered(circle.source._channels[1], tag)}
        names = [b"customer-%d" % number for number in range((1600, 1500)[circle.rank])]
        return align(circle, names, 1, method=Method.OLE)

    with pytest.raises(ProtocolError, match="party0: holds another correlation"):
        run_parties(program)
    assert not told


def test_a_party_without_a_dealer_makes_vector_oles_and_is_told_what_it_cannot_make() -> None:
    def program(circle: Circle) -> tuple[Words, ...]:
        assert isinstance(circle.source, Pairwise)
        own: Source = NoDealer()
        circle.source.dealt = own
        return circle.source.ask(VectorOle(1200, 0, 1)).take()

    (a, c), (delta, b) = run_parties(program)
    np.testing.assert_array_equal(product(a, delta, b), c)
    with pytest.raises(MisuseError, match="no dealer to make a triple"):
        NoDealer().ask(kinds.Triple((3,)))


def test_forks_make_vector_oles_of_their_own() -> None:
    def program(circle: Circle) -> list[tuple[Words, ...]]:
        made = []
        for inner in (circle.fork("left"), circle.fork("right")):
            made.append(inner.source.ask(VectorOle(1100, 1, 0)).take())
            inner.source.finish()
        return made

    sent, received = run_parties(program)
    for (delta, b), (a, c) in zip(sent, received, strict=True):
        np.testing.assert_array_equal(product(a, delta, b), c)
    assert not np.array_equal(sent[0][0], sent[1][0])
