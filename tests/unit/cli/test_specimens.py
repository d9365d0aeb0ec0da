"""Every protocol on shares: rounds and bytes as declared, messages uniform, the dealer told nothing of data."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

import unseen.computation.share
from unseen.cli.specimen import COUNT, Specimen, cost, usual
from unseen.cli.specimens import SPECIMENS, table
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.profile import Profile
from unseen.computation.share.sort import RANKS

SPREAD = {True: 1.3, False: 3.0}
"""How far what depends on a random order may be from its mean: of a sort of hundreds, and of less."""
PAGE = Path(__file__).parents[3] / "docs" / "protocols.md"
EACH = pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.profile.id)


def test_every_profile_of_operations_on_shares_has_its_specimen() -> None:
    declared = set()
    for module in pkgutil.iter_modules(unseen.computation.share.__path__, "unseen.computation.share."):
        found = vars(importlib.import_module(module.name)).values()
        declared |= {value.id for value in found if isinstance(value, Profile)}
    assert declared == {specimen.profile.id for specimen in SPECIMENS}


@EACH
@pytest.mark.parametrize(("parties", "count"), [(2, COUNT), (2, 60), (3, 260), (5, COUNT)])
def test_rounds_and_bytes_are_those_of_the_profile_at_any_size(
    specimen: Specimen, parties: int, count: int
) -> None:
    found = cost(specimen, parties, usual(count))
    assert found.bytes_sent > 0
    expected, declared = specimen.bytes_sent(parties, count), specimen.rounds(parties, count)
    assert expected is not None
    assert declared is not None
    if specimen.varies:
        usual_ones = count >= 200 and specimen.profile is not RANKS
        assert 1 / SPREAD[usual_ones] < found.bytes_sent / expected < SPREAD[usual_ones]
        assert 1 / SPREAD[False] < found.rounds / declared < SPREAD[False]
        assert specimen.usual_corrections is not None
        if parties == 2:
            dealt = found.corrections / specimen.usual_corrections(count)
            assert 1 / SPREAD[usual_ones] < dealt < SPREAD[usual_ones]
        return
    assert found.bytes_sent == expected
    assert found.rounds <= declared if specimen.one_way else found.rounds == declared


@EACH
def test_the_cost_does_not_depend_on_the_values(specimen: Specimen) -> None:
    if not specimen.varies:
        assert cost(specimen, 2) == cost(specimen, 2, np.full(COUNT, 0.5))


@EACH
@pytest.mark.parametrize("value", [0.125, 0.5])
def test_what_a_party_sends_of_masked_values_is_uniform_whatever_they_are(
    specimen: Specimen, value: float
) -> None:
    """All bytes that both parties send in the step, against the uniform distribution; false alarm 10^-9."""
    sent: list[bytes] = []

    def program(circle: Circle) -> None:
        step = specimen.enter(circle, np.full(COUNT, value))
        for channel in circle.others():
            honest = channel.send

            def send(tag: str, array: np.ndarray, honest=honest) -> None:  # type: ignore[no-untyped-def]
                order = np.array_equal(np.sort(array, axis=None), np.arange(array.size))  # uniform among orders
                if array.dtype in (np.uint64, np.uint32) and not order:
                    sent.append(array.tobytes())
                honest(tag, array)

            channel.send = send  # type: ignore[method-assign]
        step()

    run_parties(program, 2)
    counts = np.bincount(np.frombuffer(b"".join(sent), dtype=np.uint8), minlength=256)
    expected = counts.sum() / 256
    if expected < 5:  # too few bytes for the test: nibbles of them
        counts = counts.reshape(16, 16).sum(axis=0) + counts.reshape(16, 16).sum(axis=1)
        expected = counts.sum() / 16
    assert np.square(counts - expected).sum() / expected < chi2.isf(1e-9, len(counts) - 1)


@EACH
def test_the_dealer_is_told_the_same_whatever_the_values_are(specimen: Specimen) -> None:
    """Every byte that goes to the dealer, but for the sizes of a random order's passes."""

    def told(values: np.ndarray) -> list[tuple[str, bytes]]:
        heard: list[tuple[str, bytes]] = []

        def program(circle: Circle) -> None:
            dealer = circle.source.dealt._channel  # type: ignore[attr-defined]
            plain, array_wise = dealer.send_bytes, dealer.send
            dealer.send_bytes = lambda tag, data: (
                heard.append((f"{circle.rank}/{tag}", bytes(data))),
                plain(tag, data),
            )[1]
            dealer.send = lambda tag, array: (
                heard.append((f"{circle.rank}/{tag}", array.tobytes())),
                array_wise(tag, array),
            )[1]
            specimen.enter(circle, values)()

        run_parties(program, 2)
        return sorted(heard)

    if not specimen.varies:
        assert told(np.linspace(0.125, 0.9, COUNT)) == told(np.full(COUNT, 0.5))


def test_the_page_has_the_table_that_the_code_makes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    written = text.partition("<!-- protocols:begin -->")[2].partition("<!-- protocols:end -->")[0].strip()
    assert written == table(), "run: python -m unseen.cli.specimens docs/protocols.md"


def test_the_page_explains_each_protocol_of_the_table() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- protocols:begin -->")
    prose = before + rest.partition("<!-- protocols:end -->")[2]
    assert not [specimen.profile.id for specimen in SPECIMENS if f"`{specimen.profile.id}`" not in prose]
