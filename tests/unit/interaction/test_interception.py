"""Whoever sits between two members and alters, replays, swaps or cuts a record, at every step of a
session: it heals while it opens, or ends with the other member's name; no wrong word is taken for a right one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interceptor import Attack, Interceptor
from sessions import Opened, Table, close, lay_table

from unseen.computation.channel import Channel
from unseen.errors import UnseenError
from unseen.interaction import testimony
from unseen.interaction.testimony import Testimony

NAMES = ("bureau", "lender")
WORDS = 3
STEPS = 20
"""More records than a direction of a connection has in this conversation."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interception")


def converse(me: str, channel: Channel) -> list[Testimony]:
    """Words in both directions, each checked, and an account of all of them."""
    (other,) = set(NAMES) - {me}
    for number in range(WORDS):
        channel.send(f"word-{number}", np.full(8, number, dtype=np.uint64))
    for number in range(WORDS):
        word = channel.receive(f"word-{number}", np.uint64, 8)
        assert (word == number).all(), "a wrong word was taken for a right one"
    return testimony.exchange(testimony.testify(me, "p", "j", "0" * 64, 1, {other: channel}), {other: channel})


def outcomes(opened: dict[str, Opened], proxy: Interceptor) -> dict[str, list[Testimony] | UnseenError]:
    """What each member comes to."""

    def one(name: str) -> list[Testimony] | UnseenError:
        channels = opened[name]
        if isinstance(channels, UnseenError):
            return channels
        (channel,) = channels.values()
        try:
            return converse(name, channel)
        except UnseenError as error:
            channel.abort(error)
            return error

    with ThreadPoolExecutor(len(NAMES)) as pool:
        found = dict(zip(NAMES, pool.map(one, NAMES), strict=True))
    proxy.aside = True
    return found


def through(table: Table, proxy: Interceptor) -> Table:
    """The lender calls the bureau; its calls go through the interceptor."""
    bureau, lender = table.meetings["lender"].members
    table.change("lender", members=(replace(bureau, address=proxy.address), lender))
    return table


@pytest.mark.parametrize("attack", list(Attack))
@pytest.mark.parametrize("upwards", [True, False])
def test_a_spoilt_record_heals_or_names_the_other_member(keys: Path, attack: Attack, upwards: bool) -> None:
    spoilt = harmed = 0
    for number in range(STEPS):
        with ExitStack() as stack:
            table = lay_table(stack, keys, NAMES, opening_seconds=5.0, patience=3.0)
            proxy = Interceptor(table.listeners["bureau"].getsockname(), attack, upwards, number)
            stack.callback(proxy.close)
            opened = through(table, proxy).open()
            found = outcomes(opened, proxy)
            close(opened)
        errors = {name: error for name, error in found.items() if isinstance(error, UnseenError)}
        assert proxy.fired >= 0 or not errors, errors
        spoilt += proxy.fired >= 0
        harmed += bool(errors)
        if not errors:
            assert found["bureau"] == found["lender"]
        for name, error in errors.items():
            (other,) = set(NAMES) - {name}
            assert other in str(error), error
        if number >= proxy.longest:
            break
    assert spoilt >= WORDS
    assert harmed > 0
