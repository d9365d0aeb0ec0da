"""Set-ups that outlive a run: used again and nothing of two runs alike, healed where two do not hold the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import kept_setup, transfer_extension
from unseen.computation.correlation.kept_setup import Half, Keeping, Part
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.correlation.pairwise import NoDealer, Pairwise
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.align import Method, align
from unseen.computation.kernels import gf128
from unseen.computation.prg import Expander
from unseen.computation.types import Words
from unseen.errors import AbortedError, ProtocolError, VerificationError

SMALL, MANY = 600, 3000


class Shelf:
    """A shelf in memory."""

    def __init__(self) -> None:
        self.lies: dict[tuple[str, Part], bytes] = {}

    def take(self, peer: str, part: Part) -> bytes | None:
        return self.lies.pop((peer, part), None)

    def put(self, peer: str, part: Part, state: bytes) -> None:
        self.lies[peer, part] = state


Made = tuple[Words, ...]


def ran(
    shelves: tuple[Shelf, Shelf],
    receiver: int = 0,
    before: Callable[[Circle], None] = lambda circle: None,
    sizes: tuple[int, ...] = (SMALL, MANY),
) -> tuple[list[Made], list[Made], list[dict[str, list[int]]]]:
    """A run's vector OLEs at receiver and sender, and what each has sent by tag."""

    def program(circle: Circle) -> tuple[list[Made], dict[str, list[int]]]:
        channel = circle.others()[0]
        source = Pairwise(
            circle.rank, {1 - circle.rank: channel}, circle.private.child("own"), NoDealer(), shelves[circle.rank]
        )
        before(circle)
        made = [source.ask(VectorOle(size, receiver, 1 - receiver)).take() for size in sizes]
        source.finish()
        return made, dict(channel.counters.by_tag)

    told = run_parties(program)
    return told[receiver][0], told[1 - receiver][0], [counted for _, counted in told]


def assert_correlated(received: list[Made], sent: list[Made]) -> None:
    for (a, c), (delta, b) in zip(received, sent, strict=True):
        out = b.copy()
        gf128.add_scaled(a, delta, out)
        np.testing.assert_array_equal(out, c)


def made_base(counted: list[dict[str, list[int]]]) -> bool:
    """Whether base transfers were made in that run."""
    return any("transfer/base" in by_tag for by_tag in counted)


def test_the_next_run_makes_no_base_transfers_and_nothing_of_two_runs_is_alike() -> None:
    shelves, seen = (Shelf(), Shelf()), []
    for time in range(4):
        received, sent, counted = ran(shelves)
        assert_correlated(received, sent)
        assert made_base(counted) is (time == 0)
        seen.append((received, sent, shelves[0].lies.copy(), shelves[1].lies.copy()))
    for one in range(4):
        for other in range(one):
            for place in range(2):
                assert not np.intersect1d(seen[one][0][place][0], seen[other][0][place][0]).size
                assert not np.intersect1d(seen[one][1][place][1], seen[other][1][place][1]).size
            assert not np.array_equal(seen[one][1][0][0], seen[other][1][0][0]), "Δ is a run's own"
            for side in (2, 3):
                halves = [
                    Half.from_bytes(part, state)
                    for run in (one, other)
                    for (_, part), state in seen[run][side].items()
                ]
                assert not set(halves[0].seeds) & set(halves[1].seeds)
                assert halves[0].name != halves[1].name
                assert halves[0].secret != halves[1].secret or halves[0].part is Part.SENDER


def test_each_direction_has_a_set_up_of_its_own() -> None:
    shelves = Shelf(), Shelf()
    for receiver in (0, 1, 0, 1):
        assert_correlated(*ran(shelves, receiver)[:2])
    assert sorted(part for _, part in shelves[0].lies) == [Part.RECEIVER, Part.SENDER]


def test_a_backup_restored_at_both_brings_no_randomness_back() -> None:
    shelves = Shelf(), Shelf()
    ran(shelves)
    backup = [shelf.lies.copy() for shelf in shelves]
    first = ran(shelves)
    for shelf, old in zip(shelves, backup, strict=True):
        shelf.lies = old
    again = ran(shelves)
    assert not made_base(again[2])
    assert_correlated(*again[:2])
    for place in range(2):
        assert not np.intersect1d(first[0][place][0], again[0][place][0]).size
        assert not np.intersect1d(first[1][place][1], again[1][place][1]).size
    assert not np.array_equal(first[1][0][0], again[1][0][0])


@pytest.mark.parametrize("change", ["older", "gone", "another", "spoilt"])
@pytest.mark.parametrize("side", [0, 1])
def test_where_two_do_not_hold_the_same_both_make_it_afresh(side: int, change: str) -> None:
    shelves = Shelf(), Shelf()
    ran(shelves)
    (key, old), *_ = shelves[side].lies.items()
    ran(shelves)
    strangers = Shelf(), Shelf()
    ran(strangers)
    shelves[side].lies = {
        "older": {key: old},
        "gone": {},
        "another": dict(strangers[side].lies),
        "spoilt": {key: old[:-1]},
    }[change]
    received, sent, counted = ran(shelves)
    assert made_base(counted)
    assert_correlated(received, sent)
    assert not made_base(ran(shelves)[2])


def test_a_state_is_spent_by_a_run_that_fails_and_taken_out_before_anything_is_sent() -> None:
    shelves = Shelf(), Shelf()
    ran(shelves)

    def watched(circle: Circle) -> None:
        channel, honest = circle.others()[0], circle.others()[0].send

        def send(tag: str, array: Any) -> None:
            assert not shelves[circle.rank].lies
            honest(tag, array)
            if tag == "trees/sums":
                raise AbortedError("killed")

        channel.send = send  # type: ignore[method-assign]

    with pytest.raises(AbortedError):
        ran(shelves, before=watched)
    assert not shelves[0].lies
    assert not shelves[1].lies
    assert made_base(ran(shelves)[2])


def test_a_set_up_serves_so_many_runs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_setup, "MOST_USES", 3)
    shelves = Shelf(), Shelf()
    assert [made_base(ran(shelves, sizes=(SMALL,))[2]) for _ in range(7)] == [
        True, False, False, True, False, False, True
    ]  # fmt: skip


class Bent:
    """A channel that changes one bit of the first columns: a guess of one bit of the other's secret."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._bent = channel, False

    def send(self, tag: str, array: Any) -> None:
        if tag == "transfer/columns" and not self._bent:
            self._bent = True
            array[0, 3] ^= 1  # in place: the check that follows is made for the columns as they are sent
        self._channel.send(tag, array)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


@pytest.mark.parametrize("who", [0, 1])
def test_who_bends_its_columns_is_named_at_every_wrong_guess_and_the_set_up_is_spent(who: int) -> None:
    """Right half of the time: then nothing has happened but one bit of a secret being known."""
    caught = sum(_bent(who) for _ in range(12))
    assert 0 < caught < 12, "one time in two thousand all guesses are alike"


def _bent(who: int) -> bool:
    """Whether it was named."""
    shelves = Shelf(), Shelf()
    ran(shelves, sizes=(SMALL,))

    def program(circle: Circle) -> None:
        channel: Any = circle.others()[0]
        if circle.rank == who:
            channel = Bent(channel)
        keeping = Keeping(shelves[circle.rank])
        if circle.rank == 0:
            keeping.given(channel, 256, circle.private)
        else:
            keeping.taken(channel, circle.private.lanes(256, np.uint8) & 1, circle.private)
        keeping.put_back()

    fault: ProtocolError | None = None
    try:
        run_parties(program)
    except ProtocolError as error:
        fault = error
    assert fault is None or (fault.party == f"party{who}" and not shelves[1 - who].lies)
    return fault is not None


def test_the_checked_extension_is_the_plain_one_with_a_check() -> None:
    secret = np.array([0x123456789ABCDEF0, 0xFEDCBA9876543210], dtype=np.uint64)
    bits = np.unpackbits(secret.view(np.uint8), bitorder="little")
    choices = np.random.default_rng(3).integers(0, 2, 300).astype(np.uint8)

    def program(circle: Circle) -> Any:
        pairs = [(Expander(bytes([i]) * 32), Expander(bytes([i, 1]) * 16)) for i in range(128)]
        if circle.rank == 0:
            taken = [pair[int(bit)] for pair, bit in zip(pairs, bits, strict=True)]
            return transfer_extension.give_checked(circle.others()[0], taken, secret, 300)
        return transfer_extension.take_checked(circle.others()[0], pairs, choices, circle.private)

    (zeros, ones), chosen = run_parties(program)
    np.testing.assert_array_equal(np.where(choices[:, None] == 1, ones, zeros), chosen)
    assert not (zeros == ones).all(axis=1).any()


@settings(max_examples=30)
@given(st.binary(max_size=200), st.sampled_from(list(Part)))
def test_what_is_read_back_is_what_was_written_or_an_error(noise: bytes, part: Part) -> None:
    seeds = tuple(bytes([i % 256]) * 32 for i in range(128 if part is Part.RECEIVER else 256))
    half = Half(part, b"n" * 32, 7, b"s" * 16 if part is Part.RECEIVER else b"", seeds)
    back = Half.from_bytes(part, half.to_bytes())
    assert (back.name, back.uses, back.secret, back.seeds) == (half.name, 7, half.secret, seeds)
    assert "secret" not in repr(half)
    other = Part.SENDER if part is Part.RECEIVER else Part.RECEIVER
    for data in (noise, half.to_bytes() + noise + b"x"):
        with pytest.raises(VerificationError):
            Half.from_bytes(part, data)
    with pytest.raises(VerificationError):
        Half.from_bytes(other, half.to_bytes())


def test_an_alignment_on_a_kept_set_up_finds_the_common_keys() -> None:
    shelves, names = (Shelf(), Shelf()), [b"customer-%d" % i for i in range(1500)]

    def program(circle: Circle) -> tuple[list[bytes], bool]:
        channels = {1 - circle.rank: circle.others()[0]}
        dealt = circle.source
        source = Pairwise(circle.rank, channels, circle.private.child("own"), NoDealer(), shelves[circle.rank])
        object.__setattr__(circle, "source", source)
        own = names[:1000] if circle.rank == 0 else names[400:]
        rows = align(circle, own, 1, method=Method.OLE)
        source.finish()
        object.__setattr__(circle, "source", dealt)
        return sorted(own[int(row)] for row in rows), "transfer/base" in circle.others()[0].counters.by_tag

    for time in range(3):
        (left, based), (right, also) = run_parties(program)
        assert left == right == sorted(names[400:1000])
        assert (based or also) is (time == 0)
