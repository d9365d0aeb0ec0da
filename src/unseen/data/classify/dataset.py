"""What every column of a data set holds: rows drawn inside the source's engine, each column decided by itself."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.catalogue import Catalogue
from unseen.data.classify.category import CATEGORIES
from unseen.data.classify.column import Sample, classify_column, of_category
from unseen.data.dataset import Classified, Evidence
from unseen.data.source import open_source
from unseen.errors import MisuseError

SAMPLE_ROWS: Final = 4000


def classify(catalogue: Catalogue, name: str) -> dict[str, Classified]:
    """What each column was found to hold; nothing is recorded. Raises as the source and the catalogue do.

    The evidence counts sampled values and never holds one.
    """
    entry = catalogue.get(name)
    with open_source(entry.source) as source:
        drawn = source.sample(SAMPLE_ROWS)
    return {column: classify_column(column, sampled(drawn[column])) for column in drawn.column_names}


def declared(key: str) -> Classified:
    """What a steward says a column holds, by a key of the taxonomy. Raises MisuseError, naming those there are."""
    if key not in CATEGORIES:
        raise MisuseError(f"{key!r} is no category that is known here; use one of {', '.join(sorted(CATEGORIES))}")
    return of_category(CATEGORIES[key], 1.0, (Evidence("declared"),))


def sampled(column: pa.Array | pa.ChunkedArray) -> Sample:
    """A column's values as texts, without nulls and blanks. Nested values count as none."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = whole.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_null(kind):
        return Sample(pa.array([], pa.string()))
    texts = pc.utf8_trim_whitespace(whole.drop_null().cast(pa.string()))
    texts = texts.filter(pc.not_equal(texts, ""))
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return Sample(texts, temporal=pa.types.is_temporal(kind), numeric=numeric)
