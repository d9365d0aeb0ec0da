"""The oblivious key-value store: what it decodes to, and how rarely it fails."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.computation.intersect import store
from unseen.computation.kernels import gf128, okvs
from unseen.computation.prg import Expander


def drawn(keys: int, seed: int = 0) -> np.ndarray:
    """Records as hashing gives them."""
    return Expander(seed.to_bytes(32, "big")).words((keys, 4))


def values_of(table: np.ndarray, grouped: store.Grouped, plan: store.Layout) -> np.ndarray:
    out = np.empty(len(grouped.records), dtype=np.uint64)
    okvs.decode(grouped.records, grouped.starts, plan.third, table, out)
    return out


@pytest.mark.parametrize("keys", [1, 2, 3, 17, 100, 1000, 40_000, 100_000])
def test_a_table_decodes_to_the_value_of_every_key(keys: int) -> None:
    plan, records = store.layout(keys), drawn(keys)
    grouped = store.grouped(records, plan)
    table = store.solved(grouped, plan)
    assert table is not None
    np.testing.assert_array_equal(values_of(table, grouped, plan), grouped.records[:, 3])
    np.testing.assert_array_equal(records[grouped.rows], grouped.records)


def test_no_table_fails_over_many_seeds_and_small_sizes() -> None:
    """The argument for 2^-40 a table is in `store`; two thousand tables here would show a slip of it."""
    sizes = [5, 20, 60, 150, 400, 1000]
    failed = 0
    for seed in range(2000):
        keys = sizes[seed % len(sizes)]
        plan = store.layout(keys)
        grouped = store.grouped(drawn(keys, seed), plan)
        table = store.solved(grouped, plan)
        failed += table is None or not np.array_equal(values_of(table, grouped, plan), grouped.records[:, 3])
    assert failed == 0


def test_contradicting_records_have_no_table() -> None:
    records = drawn(500)
    records[1] = records[0]
    records[1, 3] += np.uint64(1)
    plan = store.layout(500)
    assert store.solved(store.grouped(records, plan), plan) is None


def crowded(keys: int, crowd: int, seed: int) -> np.ndarray:
    """Records of which some share all their places, so that peeling leaves a core to elimination."""
    records = drawn(keys, seed)
    records[:crowd, :2] = records[0, :2]
    records[crowd : 2 * crowd, 0] = records[crowd, 0]  # and some two of three
    records[crowd : 2 * crowd, 1] ^= (records[crowd, 1] ^ records[crowd : 2 * crowd, 1]) & np.uint64(0xFFFFFFFF)
    return records


@pytest.mark.parametrize("crowd", [1, 3, 7])
def test_cells_that_no_key_determines_are_as_drawn_and_all_others_follow_from_the_values(crowd: int) -> None:
    """So a table of uniform values is uniform: as many cells stay as drawn as there are cells over keys, the
    rest is a bijection of the values. Two draws, the same values: the same cells stay; other values: none else."""
    for seed in range(40):
        plan, records = store.layout(120), crowded(120, crowd, seed)
        other_values = records.copy()
        other_values[:, 3] = drawn(120, 1000 + seed)[:, 3]
        stayed = []
        for given, fill in ((records, b"a"), (records, b"b"), (other_values, b"a")):
            grouped = store.grouped(given, plan)
            table = store.solved(grouped, plan, Expander(fill * 32))
            assert table is not None
            np.testing.assert_array_equal(values_of(table, grouped, plan), grouped.records[:, 3])
            stayed.append(table == Expander(fill * 32).words(table.shape))
        assert stayed[0].sum() == plan.cells - 120
        np.testing.assert_array_equal(stayed[0], stayed[1])
        np.testing.assert_array_equal(stayed[0], stayed[2])


def test_a_table_of_random_values_is_uniform_in_every_cell() -> None:
    """Over many draws under fixed keys: each bit of each cell is set half the time, whichever key uses it."""
    plan, records, draws = store.layout(20), crowded(20, 4, 3), 3000
    stream, counts = Expander(bytes(range(32))), np.zeros((plan.cells, 64), dtype=np.int64)
    for _ in range(draws):
        records[:, 3] = stream.words(20)
        table = store.solved(store.grouped(records, plan), plan, stream)
        assert table is not None
        counts += np.unpackbits(table.reshape(-1, 1).view(np.uint8), axis=1)
    deviations = (counts - draws / 2) / np.sqrt(draws / 4)
    assert np.abs(deviations).max() < 6
    assert 0.9 < (deviations**2).mean() < 1.1


def test_up_to_eight_keys_may_share_all_their_places_and_a_ninth_is_refused() -> None:
    """The dense columns carry what the sparse ones cannot tell apart: one key by the places, eight by them."""
    records, plan = drawn(300), store.layout(300)
    for crowd, solvable in ((9, True), (10, False)):
        crowded = records.copy()
        crowded[:crowd, :2] = crowded[0, :2]
        grouped = store.grouped(crowded, plan)
        table = store.solved(grouped, plan)
        assert (table is not None) == solvable
        if table is not None:
            np.testing.assert_array_equal(values_of(table, grouped, plan), grouped.records[:, 3])


def test_decoding_is_linear_over_the_larger_field() -> None:
    """decode(b + Δ·table) = decode(b) + Δ·value: what the intersection rests on."""
    keys, stream = 3000, Expander(bytes(32))
    plan, records = store.layout(keys), drawn(keys)
    grouped = store.grouped(records, plan)
    table = store.solved(grouped, plan)
    assert table is not None
    delta, b = stream.words(2), stream.words((plan.cells, 2))
    plain = store.decoded(grouped, plan, b, np.zeros(2, dtype=np.uint64))
    scaled = b.copy()
    gf128.add_scaled(table.reshape(-1), delta, scaled)
    np.testing.assert_array_equal(store.decoded(grouped, plan, scaled, delta), plain)


def test_the_layout_follows_from_the_number_of_keys_alone_and_holds_any_split_into_bins() -> None:
    for keys in (1, 10, 1 << 15, 1 << 18, 1 << 20):
        plan = store.layout(keys)
        grouped = store.grouped(drawn(keys), plan)
        assert np.diff(grouped.starts).max() * 1.2 < 3 * plan.third
        assert plan.cells < (1.4 if keys > 10_000 else 2) * keys + 64
