"""Work shared out over cores."""

from __future__ import annotations

import pytest

from unseen.computation.threads import cores, each, slices
from unseen.errors import DataError


def test_results_come_in_the_order_of_the_items() -> None:
    assert each(lambda number: number * number, list(range(50))) == [number * number for number in range(50)]
    assert each(abs, []) == []


def test_the_first_failure_is_raised() -> None:
    def fail(number: int) -> int:
        if number > 2:
            raise DataError(f"{number} is too many")
        return number

    with pytest.raises(DataError, match="3 is too many"):
        each(fail, [1, 2, 3, 4])


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_slices_cover_everything_once(count: int) -> None:
    found = [number for part in slices(count) for number in range(count)[part]]
    assert found == list(range(count))
    assert len(slices(count)) == min(cores(), count)
