"""The dealer: what it makes adds up, what it refuses, and that it sees nothing of the data."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.correlation import kinds
from unseen.computation.correlation.bit_kinds import Lift
from unseen.computation.correlation.dealer import DealtSource, serve
from unseen.computation.correlation.lookup_kinds import KnownPair
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.correlation.pairwise import Pairwise
from unseen.computation.correlation.source import Kind, Source
from unseen.computation.in_process import channels_among, run_parties
from unseen.computation.learn.columns import Block
from unseen.computation.learn.logistic import Settings, fit_logistic
from unseen.computation.prg import Expander, fresh_seed
from unseen.encoding import canonical
from unseen.errors import MisuseError, ProtocolError

SAMPLES: list[Kind] = [
    kinds.Triple(50),
    kinds.Square(7),
    kinds.Truncation(30, 13),
    kinds.TruncatedTriple(30, 13),
    kinds.TruncatedTriple(30, 40),
    kinds.CorrectedProduct(30, 20, 24, 20),
    kinds.CorrectedProduct(30, 40, 33, 20),
    kinds.Waves(9, 4, 12, 5),
    Lift(30),
    Lift(30, 9),
    Lift(30, 9, 32),
    kinds.Waves(2, 3, 12, 6),
]


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.name)
def test_the_parts_of_all_parties_add_up_to_the_equation(kind: Kind, parties: int) -> None:
    def program(circle: Circle) -> tuple[tuple[Any, ...], bool]:
        taken = circle.source.ask(kind).take()
        source = dealt(circle)
        assert isinstance(source, DealtSource)
        return taken, "dealer/correction" in source.counters.heard_by_tag

    found = run_parties(program, parties)
    assert sum(corrected for _, corrected in found) == 1  # all others expand what they hold from a seed
    parts = [taken for taken, _ in found]
    values = [slot.total([part[i] for part in parts]) for i, slot in enumerate((*kind.free(), *kind.bound()))]
    free, bound = values[: len(kind.free())], values[len(kind.free()) :]
    for made, wanted in zip(bound, kind.target(free, {}), strict=True):
        np.testing.assert_array_equal(made, wanted)


def dealt(circle: Circle) -> Source:
    """The dealer's own source, beneath what pairs make between themselves."""
    assert isinstance(circle.source, Pairwise)
    return circle.source.dealt


@pytest.mark.parametrize(("receiver", "sender"), [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)])
def test_a_vector_ole_of_two_of_three_is_whole_at_the_two_and_the_third_holds_nothing(
    receiver: int, sender: int
) -> None:
    kind = VectorOle(33, receiver, sender)
    parts = run_parties(lambda circle: (dealt(circle).ask(kind), dealt(circle).ask(kinds.Square(3)))[0].take(), 3)
    a, c = parts[receiver]
    delta, b = parts[sender]
    np.testing.assert_array_equal(b ^ c, kind.target([a, delta], {})[0])
    assert parts[3 - receiver - sender] == ()


@pytest.mark.parametrize(("receiver", "sender"), [(1, 1), (0, 5), (5, 0)])
def test_a_vector_ole_with_nobody_is_refused(receiver: int, sender: int) -> None:
    with pytest.raises((MisuseError, ProtocolError), match=r"two parties|ranks"):
        run_parties(lambda circle: dealt(circle).ask(VectorOle(3, receiver, sender)).take(), 3)


def test_correlated_randomness_is_used_once_only() -> None:
    def program(circle: Circle) -> None:
        ticket = circle.source.ask(kinds.Square(3))
        ticket.take()
        with pytest.raises(MisuseError, match="once only"):
            ticket.take()

    run_parties(program, 2)


def test_a_forked_source_deals_beside_the_first() -> None:
    def program(circle: Circle) -> np.ndarray:
        fork = circle.fork("beside")
        a = fork.source.ask(kinds.Square(4)).take()
        b = circle.source.ask(kinds.Square(4)).take()
        fork.source.finish()
        return np.stack([*a, *b])

    parts = run_parties(program, 2)
    root, squared, other, other_squared = parts[0] + parts[1]
    np.testing.assert_array_equal(squared, root * root)
    np.testing.assert_array_equal(other_squared, other * other)
    assert not np.array_equal(root, other)


def numbered(number: int, request: bytes) -> bytes:
    return number.to_bytes(8, "big") + request


def deal_to(request: bytes) -> None:
    """Serve two parties of which the last sends this request."""
    channels = channels_among(["a", "b", "dealer"], patience=5.0)
    for name in ("a", "b"):
        threading.Thread(
            target=lambda c=channels[name]["dealer"]: c.receive("dealer/seed", np.uint8, 32), daemon=True
        ).start()
    channels["b"]["dealer"].send_bytes("dealer/ask", numbered(1, request))
    serve([channels["dealer"]["a"], channels["dealer"]["b"]])


@pytest.mark.parametrize(
    "request_body",
    [
        b"no json",
        canonical({"kind": "nonsense"}),
        canonical({"kind": "triple", "count": -5, "lane": 64}),
        canonical({"kind": "triple", "count": 1 << 40, "lane": 64}),
        canonical({"kind": "triple", "count": 1.5, "lane": 64}),
        canonical({"kind": "triple", "count": 5, "lane": 16}),
        canonical({"kind": "triple", "count": 3, "lane": 64, "more": 1}),
        canonical({"kind": "matrix-scaling", "mask": 9, "rows": 2, "columns": 2, "owner": 0}),
        canonical({"kind": "waves", "count": 1 << 30, "harmonics": 1 << 10, "fraction": 12, "lanes": 5}),
        canonical({"kind": "truncation", "count": 4, "bits": 70}),
        canonical(["triple"]),
    ],
)
def test_an_unacceptable_request_is_refused_with_the_askers_name(request_body: bytes) -> None:
    with pytest.raises(ProtocolError, match="b: asked the dealer"):
        deal_to(request_body)


def test_no_party_deals_for_a_run_in_which_it_computes() -> None:
    channels = channels_among(["a", "b"])
    with pytest.raises(MisuseError, match="b computes in this run"):
        DealtSource(0, ("a", "b"), channels["a"]["b"])


@pytest.mark.parametrize("departing", [0, 1])
def test_of_two_that_ask_for_different_things_nobody_can_know_who_departed(departing: int) -> None:
    def program(circle: Circle) -> None:
        circle.source.ask(kinds.Square(3 + (circle.rank == departing)))

    with pytest.raises(ProtocolError, match=r"^party0 or party1: went by different orders") as raised:
        run_parties(program, 2)
    assert raised.value.party == "party0 or party1"


@pytest.mark.parametrize(("parties", "departing"), [(3, 0), (3, 1), (3, 2), (5, 0), (5, 4)])
def test_of_more_the_one_that_asks_for_something_else_is_named(parties: int, departing: int) -> None:
    """The last party too, although what it asked for is what was dealt."""

    def program(circle: Circle) -> None:
        circle.source.ask(kinds.Square(3 + (circle.rank == departing)))

    with pytest.raises(ProtocolError, match=rf"^party{departing}: went by another order"):
        run_parties(program, parties)


def test_two_halves_that_went_by_different_orders_are_all_named() -> None:
    def program(circle: Circle) -> None:
        circle.source.ask(kinds.Square(3 + circle.rank // 2))

    with pytest.raises(ProtocolError, match=r"^party0 or party1 or party2 or party3: "):
        run_parties(program, 4)


def asking_otherwise(circle: Circle, change: Callable[[bytes], list[bytes]]) -> None:
    """Let the last party send, in place of each request, what `change` makes of it, and note what it should."""
    source = dealt(circle)
    assert isinstance(source, DealtSource)
    channel, told = source._channel, count(1)
    honest = channel.send_bytes

    def send(tag: str, data: bytes) -> None:
        for changed in change(data[8:]):
            honest(tag, numbered(next(told), changed))

    channel.send_bytes = send  # type: ignore[method-assign]


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_a_request_that_comes_twice_is_seen_at_once(parties: int) -> None:
    def program(circle: Circle) -> None:
        source = dealt(circle)
        assert isinstance(source, DealtSource)
        channel = source._channel
        honest = channel.send_bytes
        channel.send_bytes = lambda tag, data: (honest(tag, data), honest(tag, data))[1]  # type: ignore[func-returns-value,method-assign]
        circle.source.ask(kinds.Square(3))
        circle.open_words("wait", np.zeros(1, dtype=np.uint64))

    with pytest.raises(ProtocolError, match=rf"^party{parties - 1}: asked the dealer twice"):
        run_parties(program, parties)


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_who_asks_for_the_same_once_more_than_it_says_is_named(parties: int) -> None:
    request = canonical(kinds.Square(3).as_json())

    def program(circle: Circle) -> None:
        asking_otherwise(circle, lambda data: [data, data] if data == request else [data])
        for _ in range(2):
            circle.source.ask(kinds.Square(3)).take()

    with pytest.raises(ProtocolError, match=rf"^party{parties - 1}: asked for other correlated randomness"):
        run_parties(program, parties)


def test_corrections_that_were_not_asked_for_may_be_the_dealers_fault_or_the_askers() -> None:
    wanted, sent = KnownPair(4, 0, 1), canonical(KnownPair(5, 0, 1).as_json())

    def program(circle: Circle) -> None:
        asking_otherwise(circle, lambda data: [sent] if data == canonical(wanted.as_json()) else [data])
        circle.source.ask(wanted).take()
        circle.open_words("after", np.zeros(1, dtype=np.uint64))

    with pytest.raises(ProtocolError, match=r"^dealer or party2: sent 40 bytes") as raised:
        run_parties(program, 3)
    assert raised.value.party == "dealer or party2"


def overhear(channel: Any, heard: list[bytes]) -> None:
    """Note everything that this channel receives."""
    receive_bytes, receive = channel.receive_bytes, channel.receive

    def noted(data: bytes) -> bytes:
        heard.append(data)
        return data

    channel.receive_bytes = lambda tag, limit: noted(receive_bytes(tag, limit))
    channel.receive = lambda tag, dtype, shape: np.frombuffer(
        noted(receive(tag, dtype, shape).tobytes()), dtype=dtype
    ).reshape(shape)


def dealers_view(data: np.ndarray, label: np.ndarray) -> list[bytes]:
    """All bytes that the dealer receives during a fit on these data."""
    rows = len(label)
    names = ["a", "b"]
    channels = channels_among([*names, "dealer"], patience=60.0)
    heard: list[bytes] = []
    for name in names:
        overhear(channels["dealer"][name], heard)
    session = fresh_seed()

    def party(rank: int) -> None:
        mine = dict(channels[names[rank]])
        source = DealtSource(rank, names, mine.pop("dealer"))
        circle = Circle(rank, tuple(names), mine, source, session, Expander.fresh())
        blocks = [Block(o, (f"x{o}",), rows, data[:, [o]] if o == rank else None) for o in (0, 1)]
        fit_logistic(circle, blocks, label if rank == 0 else None, 0, Settings(most_steps=40, tolerance=10.0))
        source.finish()

    threads = [threading.Thread(target=party, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    serve([channels["dealer"][name] for name in names])
    for thread in threads:
        thread.join(60.0)
    return heard


def test_the_dealer_receives_the_same_bytes_whatever_the_data() -> None:
    rng = np.random.default_rng(5)
    label = (np.arange(200) % 2).astype(float)
    first = dealers_view(rng.normal(size=(200, 2)), label)
    second = dealers_view(rng.normal(size=(200, 2)) * 3.0 + 1.0, 1.0 - label)
    assert len(first) > 50
    assert first == second
