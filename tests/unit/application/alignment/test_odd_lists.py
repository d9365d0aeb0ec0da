"""Odd lists through the application, at once and in buckets, aligned and joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bucket_homes import ran, rows_at

from unseen.application.alignment import ALIGN
from unseen.errors import DataError, RefusedError
from unseen.interaction.agreement import from_yaml
from unseen.interaction.application import Request
from unseen.interaction.home import Home
from unseen.interaction.template import read

WAYS: dict[str, dict[str, Any]] = {
    "at-once": {},
    "in-buckets": {"buckets": 4},
    "joined": {"most_repeats": 1},
    "joined-in-buckets": {"most_repeats": 1, "buckets": 4},
}
ALIKE = [
    ("\u00e9", "e\u0301"),
    ("\ufb01n", "FIN"),
    ("stra\u00dfe", "STRASSE"),
    ("\uff11\uff12", "12"),
    ("a\u2003 b", "A B"),
]
"""Written otherwise, and the same by the rule."""
UNLIKE = [("\u0430", "a"), ("o", "0"), ("l1", "ll"), ("a\u200db", "ab"), ("\u03bf", "o\u0323")]
"""Alike to the eye, and not the same: Cyrillic, nought, a joiner between letters, Greek."""
LONGEST = 1 << 16

ways = pytest.mark.parametrize("way", list(WAYS))


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    return {name: Home.create(tmp_path / name, name, "127.0.0.1:1") for name in ("bank", "insurer")}


def common(
    homes: dict[str, Home], way: str, bank: pa.Array, insurer: pa.Array, least: int = 1, **more: Any
) -> Any:
    """The common keys at both parties, row by row, and the bank's result."""
    tables = {"bank": pa.table({"key": bank}), "insurer": pa.table({"key": insurer})}
    terms = read("alignment").replace("smallest_overlap: 1000", f"smallest_overlap: {least}")
    parties = {
        name: {"dataset": "d", "key": "key", "rows": max(len(tables[name]["key"]), 1), **more.get(name, {})}
        for name in tables
    }
    agreement = from_yaml(terms.replace("most_identifiers: 1000000", "most_identifiers: 2000000"))
    body = {"parties": parties, "most_unfit": more.get("most_unfit", 0.01), **WAYS[way]}
    plan = ALIGN.plan(Request("1" * 32, ALIGN.name, agreement.id, "bank", "0" * 64, body), agreement)
    results = ran(plan, homes, tables)
    found = []
    for name, home in homes.items():
        whole = home.path / "common.parquet"
        rows = pq.read_table(whole) if whole.exists() else rows_at(home, plan.job)
        found.append(rows["key"].to_pylist())
        assert len(found[-1]) == results[name]["common"]
    return found, results["bank"]


@ways
def test_alike_by_the_rule_meet_and_alike_to_the_eye_do_not(homes: dict[str, Home], way: str) -> None:
    ours, theirs = zip(*ALIKE, *UNLIKE, strict=True)
    found, _ = common(homes, way, pa.array(ours), pa.array(theirs), least=len(ALIKE))
    assert sorted(zip(*found, strict=True)) == sorted(ALIKE)


@ways
def test_keys_of_one_byte_and_of_64_kibibytes_meet_and_longer_ones_are_left_out(
    homes: dict[str, Home], way: str
) -> None:
    keys = ["k", "x" * LONGEST, "y" * (LONGEST - 1) + "z", "w" * (LONGEST + 1)]
    found, result = common(homes, way, pa.array(keys), pa.array(keys[::-1]), most_unfit=0.25)
    assert found[0] == found[1]
    assert sorted(found[0]) == sorted(keys[:3])
    assert any("malformed" in warning for warning in result["warnings"])


@ways
@pytest.mark.parametrize(
    "insurer",
    [
        pa.array(["7", "12345678901", "007", "x"]),
        pa.array([7.0, None, 12345678901.0] + [9.0] * 1),
        pa.array([7, 12345678901, 5], pa.uint64()),
    ],
    ids=["text", "fractions", "unsigned"],
)
def test_columns_of_unlike_types_meet_by_what_they_say(
    homes: dict[str, Home], way: str, insurer: pa.Array
) -> None:
    found, _ = common(homes, way, pa.array([7, 12345678901, 8]), insurer, most_unfit=0.25)
    assert sorted(found[0]) == [7, 12345678901]
    assert [str(int(key)) for key in found[1]] == [str(key) for key in found[0]]


@ways
def test_a_column_of_mixed_numbers_and_words_is_text(homes: dict[str, Home], way: str) -> None:
    found, _ = common(homes, way, pa.array(["1", "one", "1.0", " 2"]), pa.array(["1", "ONE", "2.0", "2"]))
    assert sorted(found[0]) == [" 2", "1", "one"]


@ways
@pytest.mark.parametrize("shared", [0, 1, 500])
def test_none_one_and_all_in_common(homes: dict[str, Home], way: str, shared: int) -> None:
    ours = [f"c{i}" for i in range(shared)] + [f"b{i}" for i in range(500 - shared)]
    theirs = [f"i{i}" for i in range(500 - shared)] + [f"c{i}" for i in range(shared)]
    if not shared:
        with pytest.raises(RefusedError, match="smallest-overlap"):
            common(homes, way, pa.array(ours), pa.array(theirs))
        return
    found, _ = common(homes, way, pa.array(ours), pa.array(theirs))
    assert found[0] == found[1]
    assert sorted(found[0]) == sorted(ours[:shared])


@ways
@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([], pa.string()), "no rows"),
        (pa.array([None, None], pa.string()), "empty|have no key"),
        (pa.array(["", " \t"]), "empty|have no key"),
        (pa.array([1.5, 2.5]), "fractions"),
        (pa.array([[1], [2]]), "single values"),
    ],
    ids=["empty", "nulls", "blanks", "broken", "nested"],
)
def test_a_list_without_a_key_says_so_with_its_data_set(
    homes: dict[str, Home], way: str, column: pa.Array, words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        common(homes, way, column, pa.array(["a"]))
    assert "'d'" in str(caught.value)


@ways
def test_a_million_copies_of_one_key_stop_it_or_count_once(homes: dict[str, Home], way: str) -> None:
    copies = pa.array(["u"] * 1_000_000 + ["a"])
    with pytest.raises(DataError, match=r"100\.00% of the keys are repeated|occurs 1,000,000 times"):
        common(homes, way, copies, pa.array(["a", "u"]))
    if not way.startswith("joined"):
        found, _ = common(homes, way, copies, pa.array(["a", "u"]), most_unfit=1.0)
        assert found[0] == found[1]
        assert sorted(found[0]) == ["a", "u"]
