"""The scorecard's own messages between the label's holder and a partner, each named in `protocols`.

All of them go over the run's channels; lengths and contents of what a peer sends are checked before use.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseen.application.credit.columns import Binned
from unseen.computation.channel import Channel
from unseen.computation.learn.evidence import Weighed
from unseen.computation.types import Index, Real
from unseen.encoding import canonical, parse_json
from unseen.errors import MisuseError, ProtocolError

MOST_BINS = 64
MOST_POINTS = 1 << 40
LABELS_LIMIT = 1 << 20
LABEL_LENGTH = 200


def tell_shape(channel: Channel, own: Binned) -> None:
    """Partner to holder: how many bins each column has, and whether they are ordered."""
    ordered = [bins.ordered for bins in own.bins]
    channel.send("credit/shape", np.array([own.widths, ordered], dtype=np.int32))


def hear_shape(channel: Channel, columns: int) -> tuple[list[int], list[bool]]:
    """Raises ProtocolError for a number of bins that cannot be."""
    widths, ordered = channel.receive("credit/shape", np.int32, (2, columns))
    if (widths < 1).any() or (widths > MOST_BINS).any():
        raise ProtocolError(channel.peer, f"has a column with no bin or more than {MOST_BINS}")
    return widths.tolist(), [bool(flag) for flag in ordered]


def tell_weights(channel: Channel, weighed: Sequence[Weighed], useful: Sequence[bool]) -> None:
    """Holder to partner: for each column whether it is used, each fine bin's merged bin and weight."""
    tell_useful(channel, useful)
    channel.send("credit/merged", np.concatenate([np.asarray(w.merged, dtype=np.int32) for w in weighed]))
    channel.send("credit/weights", np.concatenate([w.weights[list(w.merged)] for w in weighed]))


def hear_weights(channel: Channel, widths: Sequence[int]) -> tuple[list[bool], list[Index], list[Real]]:
    """The holder's answer: usefulness, and of each fine bin the merged bin and its weight, by column."""
    useful = hear_useful(channel, len(widths))
    merged = channel.receive("credit/merged", np.int32, sum(widths)).astype(np.int64)
    weights = channel.receive("credit/weights", np.float64, sum(widths))
    if not np.isfinite(weights).all() or (np.abs(weights) > 32).any():
        raise ProtocolError(channel.peer, "sent weights of evidence that no counts give")
    cuts = np.cumsum(widths)[:-1]
    groups = np.split(merged, cuts)
    if any(not np.array_equal(np.unique(group), np.arange(group.max() + 1)) for group in groups):
        raise ProtocolError(channel.peer, "sent a merging of bins that is none")
    return useful, groups, np.split(weights, cuts)


def tell_useful(channel: Channel, useful: Sequence[bool], tag: str = "credit/useful") -> None:
    """Holder to partner: which of some columns, known by their order, are in the model."""
    channel.send(tag, np.array(useful, dtype=np.uint8))


def hear_useful(channel: Channel, columns: int, tag: str = "credit/useful") -> list[bool]:
    """Raises ProtocolError for anything but yes and no."""
    flags = channel.receive(tag, np.uint8, columns)
    if (flags > 1).any():
        raise ProtocolError(channel.peer, "said of a column neither that it is used nor that it is not")
    return [bool(flag) for flag in flags]


def tell_labels(channel: Channel, labels: Sequence[Sequence[str]]) -> None:
    """Partner to holder: the text of each merged bin of the columns in the model."""
    channel.send_bytes("credit/labels", canonical(labels))


def hear_labels(channel: Channel, weighed: Sequence[Weighed]) -> list[list[str]]:
    """Raises ProtocolError unless there is one text a merged bin."""
    try:
        texts = parse_json(channel.receive_bytes("credit/labels", LABELS_LIMIT))
    except MisuseError as error:
        raise ProtocolError(channel.peer, "sent labels that cannot be read") from error
    wanted = [len(w.weights) for w in weighed]
    if not isinstance(texts, list) or [len(c) if isinstance(c, list) else -1 for c in texts] != wanted:
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
