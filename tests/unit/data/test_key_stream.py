"""A key column batch by batch is judged as the whole column is."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.join_keys import join_keys
from unseen.data.key_rules import KeyForm, Rule, form_of
from unseen.data.key_stream import KeyStream
from unseen.errors import DataError

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "A b", "a  B", "0151 234567", "+49 151 234567", "x" * 70, "1990-02-28", "1990-02-30"]
    ),
    st.text(max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=30), st.integers(1, 30), st.sampled_from(list(Rule)))
def test_batches_give_the_keys_and_the_report_of_the_whole_column(
    values: list[str | None], size: int, rule: Rule
) -> None:
    form, column = KeyForm(rule), pa.array(values, pa.string())
    stream, keys, rows = KeyStream(form, 1.0), [], []
    for start in range(0, len(values), size):
        some, places = stream.take(column.slice(start, size))
        keys += some.to_pylist()
        rows += [start + int(place) for place in places]
    written, report = form.checked(column)
    try:
        whole = join_keys(written, 1.0, report)
    except DataError:
        with pytest.raises(DataError, match="no row has a key"):
            stream.require_usable()
        return
    first = dict(reversed(list(zip(keys, rows, strict=True))))
    assert sorted(first.values()) == whole.rows.tolist()
    fit = stream.fit(len(first))
    for share in ("rows", "empty", "duplicate", "malformed"):
        assert getattr(fit.report, share) == pytest.approx(getattr(report, share))
    assert fit.report.normalisation == report.normalisation
    assert fit.left_out == whole.left_out


def test_more_unfit_keys_than_tolerated_and_no_rows_are_errors() -> None:
    stream = KeyStream(form_of("unseen-key/1"), 0.2)
    stream.take(pa.array(["a", None, "b", ""]))
    with pytest.raises(DataError, match=r"50\.00% of the keys are empty, and 20\.00% are tolerated"):
        stream.require_usable()
    with pytest.raises(DataError, match="no rows"):
        KeyStream(form_of("unseen-key/1"), 0.2).fit(0)
    repeats = KeyStream(form_of("unseen-key/1"), 0.2)
    repeats.take(pa.array(["a", "A", "b", "c"]))
    repeats.require_usable()
    with pytest.raises(DataError, match=r"25\.00% of the keys are repeated"):
        repeats.fit(3)
