"""The common customers of three and more against Python's sets; faults, and what is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect import multiparty
from unseen.computation.intersect.align import align
from unseen.computation.intersect.keys import from_list, hashed
from unseen.computation.intersect.multiparty import PROFILE, align_all
from unseen.errors import DataError, MisuseError, PeerLostError, ProtocolError, RefusedError

Lists = Sequence[Sequence[bytes]]


def aligned(lists: Lists, minimum: int = 0) -> list[np.ndarray]:
    return run_parties(lambda circle: align_all(circle, lists[circle.rank], minimum), len(lists))


def assert_common(lists: Lists) -> None:
    rows = aligned(lists)
    found = [[keys[row] for row in mine] for keys, mine in zip(lists, rows, strict=True)]
    assert all(one == found[0] for one in found)
    assert len(set(found[0])) == len(found[0])
    assert set(found[0]) == set.intersection(*map(set, lists))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=30), min_size=3, max_size=5))
def test_all_find_exactly_the_keys_that_all_hold_in_one_order(sets: list[set[bytes]]) -> None:
    everyone = {b"\x00", *(bytes([number]) for number in range(len(sets[0]) % 7))}
    assert_common([sorted(keys) for keys in sets])
    assert_common([sorted(keys | everyone) for keys in sets])


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 20_000, 500), (20_000, 3000, 2999), (4000, 4000, 4000, 4000), (900, 50, 2000, 7, 300)]
)
@pytest.mark.parametrize("common", ["none", "one", "half", "all"])
def test_sets_of_any_sizes_and_overlaps(sizes: tuple[int, ...], common: str) -> None:
    """Beside the keys of all, every party holds half of its right neighbour's own: pairs share, all do not."""
    fewest = min(sizes)
    shared = {"none": 0, "one": 1, "half": -(-fewest // 2), "all": fewest}[common]
    lists = []
    for rank, size in enumerate(sizes):
        own = [b"%d-%d" % ((rank + number % 2) % len(sizes), number // 2) for number in range(size - shared)]
        lists.append([*own, *(b"all-%d" % number for number in range(shared))])
    assert_common(lists)


def test_not_one_identifier_is_lost_or_made_up_in_many_runs() -> None:
    draw = np.random.default_rng(11)
    for parties in (3, 3, 4, 5) * 4:
        sizes = draw.integers(1, 3000, size=parties)
        assert_common([[b"%d" % i for i in draw.choice(4000, size=size, replace=False)] for size in sizes])


def test_the_order_is_fresh_in_every_run_and_not_that_of_the_rows() -> None:
    keys = [b"customer-%d" % number for number in range(60)]
    first, second = aligned([keys] * 3)[0], aligned([keys] * 3)[0]
    assert sorted(first) == sorted(second) == list(range(60))
    assert list(first) != list(second)
    assert list(first) != sorted(first)


@pytest.mark.parametrize("leader", [0, 1, 2])
def test_below_the_minimum_all_are_told_that_it_is_too_few_and_nothing_else(leader: int) -> None:
    both = [b"both%d" % number for number in range(7)]
    lists = [
        [b"%d-%d" % (rank, number) for number in range(20 - 3 * (rank == leader))] + both for rank in range(3)
    ]
    told = []

    def program(circle: Circle) -> None:
        try:
            align_all(circle, lists[circle.rank], 8)
        except RefusedError as error:
            told.append(str(error))

    run_parties(program, 3)
    assert len(told) == 3
    assert set(told) == {told[0]}
    assert "smallest-overlap" in told[0]
    assert "7" not in told[0]
    assert len(aligned(lists, 7)[0]) == 7


@pytest.mark.parametrize(
    ("keys", "words"), [([b"a", b"b", b"a"], "twice"), ([b"a", b""], "empty"), ([], "no keys")]
)
def test_unusable_keys_are_refused_before_anything_of_them_is_sent(keys: list[bytes], words: str) -> None:
    sent: list[int] = []

    def program(circle: Circle) -> None:
        try:
            align_all(circle, keys if circle.rank == 0 else [b"x"], 0)
        finally:
            if circle.rank == 0:
                sent.extend(channel.counters.bytes_sent for channel in circle.others())

    with pytest.raises(DataError, match=words):
        run_parties(program, 3)
    assert max(sent) < 100  # the contribution to the joint seed


def test_two_parties_and_more_have_each_their_own_alignment() -> None:
    with pytest.raises(MisuseError, match="three parties or more"):
        run_parties(lambda circle: align_all(circle, [b"a"], 0), 2)
    with pytest.raises(MisuseError, match="align_all"):
        run_parties(lambda circle: align(circle, [b"a"], 0), 3)


def test_more_keys_than_a_word_of_noise_tells_apart_are_refused_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiparty, "MOST_OF_FEWEST", 4)
    with pytest.raises(MisuseError, match="at most 4 of the smallest set"):
        aligned([[b"%d" % number for number in range(5)]] * 3)
    assert len(aligned([[b"%d" % number for number in range(size)] for size in (9, 4, 7)])[0]) == 4


KEYS = [b"k%d" % number for number in range(12)]
LEADER, FOLLOWER = 1, 2


def disturbed(who: int, to: int, disturb: Callable[[str, Any], tuple[str, Any]]) -> None:
    """A run of three, in which party `who` sends party `to` what `disturb` makes of it. Party 1 leads."""

    def program(circle: Circle) -> None:
        if circle.rank == who:
            channel = circle.channel(to)
            honest = channel.send
            channel.send = lambda tag, array: honest(*disturb(tag, array))  # type: ignore[method-assign]
        align_all(circle, KEYS if circle.rank == LEADER else [*KEYS, b"own"], 1)

    run_parties(program, 3)


@pytest.mark.parametrize(
    ("liar", "tag", "spoil"),
    [
        (FOLLOWER, "align-all/size", lambda array: array * 0 - 1),
        (FOLLOWER, "align-all/size", lambda array: array * 0 + (1 << 40)),
        (FOLLOWER, "align-all/size", lambda array: array + 500),
        (FOLLOWER, "align-all/size", lambda array: array * 0 + 1),
        (FOLLOWER, "align-all/sizes", lambda array: array + np.array([0, 1, 0])),
        (FOLLOWER, "align-all/sizes", lambda array: array + np.array([0, 0, 1])),
        (FOLLOWER, "align-all/sizes", lambda array: array[:-1]),
        (LEADER, "align/attempt", lambda array: array + 100),
        (LEADER, "align/table", lambda array: array[:-1]),
        (FOLLOWER, "align/trial", lambda array: array[:-1]),
        (LEADER, "align/proof", lambda array: array ^ np.uint64(1)),
        (FOLLOWER, "align-all/attempt", lambda array: array - 1),
        (FOLLOWER, "align-all/table", lambda array: array[:, :-1]),
        (LEADER, "align-all/enough", lambda array: array + 2),
        (LEADER, "align-all/tags", lambda array: array[:-1]),
        (LEADER, "align-all/tags", lambda array: array ^ np.uint8(1)),
        (LEADER, "align-all/sum", lambda array: array ^ np.uint64(1)),
        (FOLLOWER, "align-all/sum", lambda array: array ^ np.uint64(1)),
    ],
)
def test_a_spoiled_message_ends_the_run_with_a_name(liar: int, tag: str, spoil: Callable[[Any], Any]) -> None:
    other = FOLLOWER if liar == LEADER else LEADER
    # Tags that name no key are noticed by the leader, in the sum of the party that it told them.
    blamed = "party" if "tags" in tag else f"party{liar}"
    with pytest.raises(ProtocolError, match=blamed):
        disturbed(liar, other, lambda name, array: (name, spoil(array) if name == tag else array))


SENT = [
    *((LEADER, FOLLOWER, f"align{tag}") for tag in ("/attempt", "/table", "/proof")),
    *((LEADER, FOLLOWER, f"align-all/{tag}") for tag in ("size", "sizes", "enough", "tags", "sum")),
    *((FOLLOWER, LEADER, f"align-all/{tag}") for tag in ("size", "sizes", "attempt", "table", "sum")),
    (FOLLOWER, LEADER, "align/trial"),
    (0, 2, "seed/align-pair"),
]


@pytest.mark.parametrize(("who", "to", "tag"), SENT)
def test_a_message_under_another_name_ends_the_run_with_its_senders(who: int, to: int, tag: str) -> None:
    with pytest.raises(ProtocolError, match=f"party{who}"):
        disturbed(who, to, lambda name, array: (f"{name}x" if name == tag else name, array))


@pytest.mark.parametrize(("who", "to", "tag"), SENT)
def test_a_peer_lost_before_any_message_ends_the_run(who: int, to: int, tag: str) -> None:
    def lose(name: str, array: Any) -> tuple[str, Any]:
        if name == tag:
            raise PeerLostError(f"party{to}", "its connection closed")
        return name, array

    with pytest.raises(PeerLostError, match=f"party{to}"):
        disturbed(who, to, lose)


def sent(lists: Lists) -> list[list[tuple[int, str, Any]]]:
    """What each party sends: to whom, under which tag, which array."""

    def program(circle: Circle) -> list[tuple[int, str, Any]]:
        messages = []
        for rank in range(circle.size):
            if rank != circle.rank:
                channel = circle.channel(rank)

                def send(tag: str, array: Any, rank: int = rank, honest: Any = channel.send) -> None:
                    messages.append((rank, tag, np.array(array)))
                    honest(tag, array)

                channel.send = send  # type: ignore[method-assign]
        align_all(circle, lists[circle.rank], 0)
        return messages

    return run_parties(program, len(lists))


def test_what_is_sent_depends_on_the_sizes_alone() -> None:
    def shapes(lists: Lists) -> list[list[tuple[int, str, int]]]:
        return [[(to, tag, array.nbytes) for to, tag, array in messages] for messages in sent(lists)]

    sizes = (900, 700, 1100)
    same = [[b"%d" % number for number in range(size)] for size in sizes]
    apart = [
        [bytes([rank, number % 256, number // 256]) * 9 for number in range(size)]
        for rank, size in enumerate(sizes)
    ]
    assert shapes(same) == shapes(apart)


def test_all_that_is_sent_is_declared_and_within_its_bounds() -> None:
    lists = [[b"%d" % number for number in range(size)] for size in (40, 30, 50, 60)]
    for messages in sent(lists):
        for to, tag, _ in messages:
            lines = [line for line in (*(PROFILE.messages or ()), *BLOCKS) if line.covers(tag)]
            assert lines, tag
            found = [array for other, name, array in messages if (other, name) == (to, tag)]
            for line in lines:
                assert line.most_messages is None or len(found) <= line.most_messages
                assert line.most_bytes is None or sum(array.nbytes + 16 for array in found) <= line.most_bytes


def test_who_tells_two_partners_different_sizes_is_named_at_once() -> None:
    """Told that it offers one key, party 0 would take party 2 for the leader, and party 1 itself."""
    with pytest.raises(ProtocolError, match="party2: told party1 another number of keys than this party"):
        disturbed(2, 0, lambda tag, array: (tag, array * 0 + 1 if tag == "align-all/size" else array))


def test_a_partys_table_leaves_no_cell_empty() -> None:
    """An empty cell would tell the leader which cells the other party's keys do not use."""
    lists = [[b"%d" % number for number in range(size)] for size in (300, 20, 5)]
    tables = [array for messages in sent(lists) for _, tag, array in messages if tag == "align-all/table"]
    assert [table.size > 2 * 20 for table in tables] == [True, True]
    assert all(np.all(table != 0) for table in tables)


def test_shares_of_zero_add_up_over_all_parties_and_over_no_fewer() -> None:
    records = hashed(from_list(KEYS), bytes(32))

    def program(circle: Circle) -> np.ndarray:
        return multiparty._zero_share(records, multiparty._pair_seeds(circle))

    shares = run_parties(program, 4)
    assert not np.bitwise_xor.reduce(shares).any()
    for left_out in range(4):
        assert np.all(np.bitwise_xor.reduce(shares[:left_out] + shares[left_out + 1 :]) != 0)


def test_the_rounds_are_those_of_the_profile() -> None:
    def program(circle: Circle) -> int:
        align_all(circle, KEYS, 1)
        return circle.others()[0].rounds.count

    assert PROFILE.rounds is not None
    assert max(run_parties(program, 3)) == PROFILE.rounds()


def test_a_party_over_its_declared_size_stops_itself_or_is_named_by_the_others() -> None:
    declared = {"party0": 5, "party1": 4, "party2": 5}
    keys = [b"%d" % number for number in range(5)]
    with pytest.raises(RefusedError, match=r"declared-size.*party1 holds more"):
        run_parties(lambda circle: align_all(circle, keys, 0, declared=declared), 3)

    def program(circle: Circle) -> None:
        said = {**declared, "party1": 5} if circle.rank == 1 else declared
        align_all(circle, keys, 0, declared=said)

    with pytest.raises(ProtocolError, match="party1: offers more identifiers than the 4"):
        run_parties(program, 3)
