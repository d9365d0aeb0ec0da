"""The scorecard's own messages between the label's holder and its partners, each named in `protocols`.

All of them go over the run's channels; lengths and contents of what a peer sends are checked before use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unseen.application.credit.columns import Binned
from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.learn.evidence import Weighed
from unseen.computation.types import Array, Index, Real
from unseen.encoding import canonical, parse_json
from unseen.errors import MisuseError, ProtocolError

MOST_BINS = 64
MOST_POINTS = 1 << 40
LABELS_LIMIT = 1 << 20
LABEL_LENGTH = 200


def shape(circle: Circle, party: str, columns: int, own: Binned | None) -> tuple[list[int], list[bool]]:
    """A party tells all how many bins each of its columns has, and whether they are ordered; `own` at that party.

    Raises ProtocolError for a number of bins that cannot be.
    """
    mine = None if own is None else np.array([own.widths, [bins.ordered for bins in own.bins]], dtype=np.int32)
    found, ordered = circle.tell_all(
        "credit/shape", circle.rank_of(party), mine, np.empty((2, columns), dtype=np.int32)
    )
    return _possible(party, found), [bool(flag) for flag in ordered]


def widths(circle: Circle, party: str, columns: int, own: Sequence[int] | None) -> list[int]:
    """A party tells all how many bins each of its columns has. Raises ProtocolError for what cannot be."""
    mine = None if own is None else np.array(own, dtype=np.int32)
    like = np.empty(columns, dtype=np.int32)
    return _possible(party, circle.tell_all("credit/widths", circle.rank_of(party), mine, like))


def _possible(party: str, found: Array) -> list[int]:
    if (found < 1).any() or (found > MOST_BINS).any():
        raise ProtocolError(party, f"has a column with no bin or more than {MOST_BINS}")
    return [int(width) for width in found]


def useful(
    circle: Circle, holder: str, columns: Mapping[str, int], flags: Mapping[str, Sequence[bool]] | None
) -> dict[str, list[bool]]:
    """The label's holder tells all which columns are in the model; `columns` are the parties' numbers of columns.

    Raises ProtocolError for anything but yes and no.
    """
    mine = None if flags is None else np.array([flag for name in columns for flag in flags[name]], dtype=np.uint8)
    told = circle.tell_all(
        "credit/useful", circle.rank_of(holder), mine, np.empty(sum(columns.values()), dtype=np.uint8)
    )
    if (told > 1).any():
        raise ProtocolError(holder, "said of a column neither that it is used nor that it is not")
    cuts = np.cumsum(list(columns.values()))[:-1]
    return {name: [bool(flag) for flag in part] for name, part in zip(columns, np.split(told, cuts), strict=True)}


def tell_weights(channel: Channel, weighed: Sequence[Weighed]) -> None:
    """Holder to partner: of each fine bin of its columns the merged bin and the weight."""
    channel.send("credit/merged", np.concatenate([np.asarray(w.merged, dtype=np.int32) for w in weighed]))
    channel.send("credit/weights", np.concatenate([w.weights[list(w.merged)] for w in weighed]))


def hear_weights(channel: Channel, widths: Sequence[int]) -> tuple[list[Index], list[Real]]:
    """The holder's answer, by column: of each fine bin the merged bin and its weight."""
    merged = channel.receive("credit/merged", np.int32, sum(widths)).astype(np.int64)
    weights = channel.receive("credit/weights", np.float64, sum(widths))
    if not np.isfinite(weights).all() or (np.abs(weights) > 32).any():
        raise ProtocolError(channel.peer, "sent weights of evidence that no counts give")
    cuts = np.cumsum(widths)[:-1]
    groups = np.split(merged, cuts)
    if any(not np.array_equal(np.unique(group), np.arange(group.max() + 1)) for group in groups):
        raise ProtocolError(channel.peer, "sent a merging of bins that is none")
    return groups, np.split(weights, cuts)


def tell_labels(channel: Channel, labels: Sequence[Sequence[str]]) -> None:
    """Partner to holder: the text of each merged bin of the columns in the model."""
    channel.send_bytes("credit/labels", canonical(labels))


def hear_labels(channel: Channel, wanted: Sequence[int]) -> list[list[str]]:
    """Raises ProtocolError unless there is one text a bin, of which each column has as many as `wanted`."""
    try:
        texts = parse_json(channel.receive_bytes("credit/labels", LABELS_LIMIT))
    except MisuseError as error:
        raise ProtocolError(channel.peer, "sent labels that cannot be read") from error
    if not isinstance(texts, list) or [len(c) if isinstance(c, list) else -1 for c in texts] != list(wanted):
        raise ProtocolError(channel.peer, "sent another number of labels than its columns have bins")
    return [[str(text)[:LABEL_LENGTH] for text in column] for column in texts]


def tell_points(channel: Channel, points: Sequence[Index]) -> None:
    """Holder to partner: the points of the partner's own merged bins."""
    channel.send("credit/points", np.concatenate([np.empty(0, np.int64), *points]))


def hear_points(channel: Channel, widths: Sequence[int]) -> list[Index]:
    """The points of our columns' merged bins, of which there are `widths`. Raises ProtocolError beyond reason."""
    points = channel.receive("credit/points", np.int64, sum(widths))
    if (np.abs(points) > MOST_POINTS).any():
        raise ProtocolError(channel.peer, f"sent points beyond {MOST_POINTS:,}")
    return np.split(points, np.cumsum(widths)[:-1]) if widths else []


def tell_reasons(channel: Channel, reasons: Index) -> None:
    """Partner to holder: for each row the numbers of its most adverse columns, -1 for none."""
    channel.send("credit/reasons", reasons.astype(np.int8))


def hear_reasons(channel: Channel, rows: int, most: int, columns: int) -> Index:
    """Raises ProtocolError for a column that is not in the model."""
    reasons = channel.receive("credit/reasons", np.int8, (rows, most)).astype(np.int64)
    if reasons.size and (reasons.min() < -1 or reasons.max() >= columns):
        raise ProtocolError(channel.peer, "gave a reason that is none of its columns")
    return reasons
