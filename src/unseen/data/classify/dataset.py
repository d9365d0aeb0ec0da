"""What every column of a data set holds: rows drawn inside the source's engine, each column decided by itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.classify.category import CATEGORIES
from unseen.data.classify.column import Sample, classify_column, of_category
from unseen.data.dataset import Classified, Evidence
from unseen.data.number_column import is_number
from unseen.data.source import Source, open_source
from unseen.errors import MisuseError

if TYPE_CHECKING:
    from unseen.data.catalogue import Catalogue

SAMPLE_ROWS: Final = 4000


def classify(catalogue: Catalogue, name: str) -> dict[str, Classified]:
    """What each column was found to hold; nothing is recorded. Raises as the source and the catalogue do.

    The evidence counts sampled values and never holds one.
    """
    with open_source(catalogue.get(name).source) as source:
        return classify_source(source)


def classify_source(source: Source, columns: Collection[str] | None = None) -> dict[str, Classified]:
    """What columns of an open source were found to hold: those named, by our own rules alone, or all of them."""
    drawn = source.sample(SAMPLE_ROWS, columns)
    thorough = columns is None
    return {name: classify_column(name, sampled(drawn[name]), thorough) for name in drawn.column_names}


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
    return Sample(texts, temporal=pa.types.is_temporal(kind), numeric=is_number(kind))
