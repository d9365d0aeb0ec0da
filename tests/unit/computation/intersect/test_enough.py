"""Whether enough are common to all, seen on shares before anyone finds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect import enough
from unseen.computation.intersect.multiparty import COUNTED_PROFILE, align_all
from unseen.errors import ProtocolError, RefusedError

Lists = Sequence[Sequence[bytes]]


def lists_of(common: int, own: int) -> Lists:
    shared = [b"all-%d" % number for number in range(common)]
    return [[*shared, *(b"%d-%d" % (rank, number) for number in range(own))] for rank in range(3)]


def aligned(lists: Lists, minimum: int, sent: list[str] | None = None) -> list[np.ndarray]:
    def program(circle: Circle) -> np.ndarray:
        if sent is not None:
            for channel in circle.others():

                def send(tag: str, array: Any, honest: Any = channel.send) -> None:
                    sent.append(tag)
                    honest(tag, array)

                channel.send = send  # type: ignore[method-assign]
        return align_all(circle, lists[circle.rank], minimum, count_first=True)

    return run_parties(program, 3, patience=60)


def test_enough_are_aligned_and_too_few_are_never_looked_for() -> None:
    assert len(aligned(lists_of(30, 40), 30)[0]) == 30
    sent: list[str] = []
    with pytest.raises(RefusedError, match="smallest-overlap"):
        aligned(lists_of(29, 40), 30, sent)
    assert not {tag for tag in sent if tag.startswith("align/")}
    assert sent.count("reveal/enough") == 6


def test_a_sample_shows_it_where_many_are_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enough, "SAMPLE", 300)
    sent: list[str] = []
    assert len(aligned(lists_of(900, 300), 100, sent)[0]) == 900
    assert sent.count("reveal/enough") == 6  # three parties tell two others once


def test_the_sample_grows_to_all_keys_or_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enough, "SAMPLE", 60)
    sent: list[str] = []
    assert len(aligned(lists_of(100, 100), 95, sent)[0]) == 100
    assert sent.count("enough/sample") == 3 * 6  # 60, 480, and all 600 keys
    monkeypatch.setattr(enough, "MOST_COUNTED", 300)
    with pytest.raises(RefusedError, match="or too few in the sample to be sure"):
        aligned(lists_of(100, 100), 95)


def test_an_institution_with_too_few_in_the_sample_settles_it_without_a_count() -> None:
    lists = [*lists_of(10, 40)[:2], [b"all-1", b"all-2"]]
    sent: list[str] = []
    with pytest.raises(RefusedError, match="smallest-overlap"):
        aligned(lists, 3, sent)
    assert "reveal/enough" not in sent


@pytest.mark.parametrize(("minimum", "rate"), [(1, 0.1), (5, 0.5), (1000, 0.01), (1000, 0.4), (20_000, 0.003)])
def test_the_threshold_is_the_least_that_shows_it(minimum: int, rate: float) -> None:
    least = enough.threshold(minimum, rate)
    assert binom.sf(least - 1, minimum - 1, rate) < 2**-40
    assert least == 0 or binom.sf(least - 2, minimum - 1, rate) >= 2**-40 * (1 - 1e-6)
    assert enough.threshold(minimum, 1.0) == minimum


def test_all_that_is_sent_is_declared_and_the_profile_promises_more() -> None:
    sent: list[str] = []
    aligned(lists_of(20, 30), 10, sent)
    for tag in set(sent):
        assert any(line.covers(tag) for line in (*(COUNTED_PROFILE.messages or ()), *BLOCKS)), tag
    told = " ".join(line.what for line in COUNTED_PROFILE.reveals)
    assert "before it compares" not in told
    assert "how large it had to be" in told


@pytest.mark.parametrize("told", [-1, 51])
def test_a_sample_larger_than_what_is_offered_names_who_draws_it(told: int) -> None:
    lists = lists_of(20, 30)

    def program(circle: Circle) -> None:
        if circle.rank == 1:
            for channel in circle.others():

                def send(tag: str, array: Any, honest: Any = channel.send) -> None:
                    honest(tag, np.array([told]) if tag == "enough/sample" else array)

                channel.send = send  # type: ignore[method-assign]
        align_all(circle, lists[circle.rank], 5, count_first=True)

    with pytest.raises(ProtocolError, match="party1: draws a sample"):
        run_parties(program, 3)
