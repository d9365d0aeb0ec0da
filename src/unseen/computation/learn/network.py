"""A small dense network on columns of several parties: rectified units, one logistic output, momentum.

    z1 = X W1 + b1        a1 = max(z1, 0)        …        p = 1 / (1 + exp(-(a W + b)))
    delta = (p - y)       gradients backwards layer by layer       v ← μ v - η gradient,   w ← w + v

Source: Rumelhart, Hinton, Williams, Nature 323 (1986); on shares as SecureML (Mohassel and Zhang, IEEE S&P 2017),
with exact comparisons for the rectifier. Each party's rows of a batch are masked once and used in every epoch.

Setting: semi-honest, any number of parties, all but one colluding; correlated randomness from the source. Nobody
learns anything but sizes and settings, and at the end whether all scores are in range: weights, activations,
gradients and scores stay shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic, functions
from unseen.computation.share.array import Shared, concatenate, from_owner, shared_zeros, summed
from unseen.computation.share.boolean import Bits, reveal_bits, to_numbers, where
from unseen.computation.share.compare import negative
from unseen.computation.share.private import PrivateMatrix, private_matrix
from unseen.computation.types import Index, Real
from unseen.errors import DataError, MisuseError, RangeError

PROFILE: Final = Profile(
    id="learn/network",
    title="A small dense network by stochastic gradient descent",
    source="SecureML (Mohassel and Zhang, IEEE S&P 2017), with exact comparisons",
    reveals=(
        Disclosure(Role.EACH, "the numbers of rows and columns, and the network's settings"),
        Disclosure(Role.EACH, "whether all scores of the trained network stay within ±27 (one bit)"),
        Disclosure(Role.DEALER, "the numbers of rows, columns, units and batches"),
    ),
    assumptions=("the source of correlated randomness colludes with no party",),
    failure="none while scores stay within ±27, which is checked at the end; beyond, gradients are wrong",
    messages=(Message("reveal/range", Carries.DISCLOSED, most_messages=1, most_bytes=24),),
)

COLUMN_FRACTION: Final = 14
FRACTION: Final = 20
"""Fractional bits of weights and activations."""
SLOPE_FRACTION: Final = 24
"""Fractional bits of errors and gradients."""
SERIES: Final = functions.FINE[1]


@dataclass(frozen=True)
class Settings:
    """All public. `hidden` are the layers' numbers of units; rows go in batches drawn anew from `seed`.

    A batch's rows stay together over all epochs; the batches' order does not.
    """

    hidden: tuple[int, ...] = (16,)
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 0.05
    momentum: float = 0.9
    penalty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1 or max(self.hidden) > 1024:
            raise MisuseError("a network has one hidden layer or more, of 1 to 1024 units")
        if self.epochs < 1 or self.batch < 1 or not 0 < self.learning_rate <= 1 or not 0 <= self.momentum < 1:
            raise MisuseError("epochs and batch are positive, the learning rate in (0, 1], momentum in [0, 1)")


@dataclass(frozen=True, eq=False)
class Features:
    """One party's columns: values (rows, columns) at the owner, None elsewhere."""

    owner: int
    columns: int
    rows: int
    values: Real | None = None


@dataclass(frozen=True, eq=False)
class Layer:
    """Weights (in, out) and biases (out,), shared."""

    weights: Shared
    biases: Shared


@dataclass(frozen=True, eq=False)
class Network:
    """A fitted network. `scales` are this party's own columns' means and inverse spreads, (2, columns)."""

    layers: tuple[Layer, ...]
    scales: Real | None

    def scores(self, circle: Circle, features: Sequence[Features]) -> Shared:
        """The log-odds of 1 for each row, (rows,), shared; nobody learns anything."""
        entered = [_enter(circle, side, self.scales, slice(0, side.rows)) for side in features]
        outputs, _ = _forward(entered, self.layers)
        return outputs[-1].reshape(-1)


def fit_network(
    circle: Circle,
    features: Sequence[Features],
    label: Real | None,
    label_owner: int,
    settings: Settings,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Network:
    """Fit to `label` (rows,) of 0 and 1, known to rank `label_owner`. Columns are standardised at home.

    Raises DataError at the owner for values that are not finite, MisuseError for a batch beyond the rows.
    """
    rows = features[0].rows
    if settings.batch > rows:
        raise MisuseError(f"a batch of {settings.batch} is more than the {rows} rows there are")
    mine = next((side.values for side in features if side.owner == circle.rank), None)
    scales = None if mine is None else _scales(mine)
    # First weights and the order of rows come from the public seed, drawn by all alike: no mask, no share.
    drawn = np.random.default_rng(settings.seed)
    batches = [
        _Batch(
            [_enter(circle, side, scales, chosen) for side in features],
            from_owner(
                circle, label_owner, None if label is None else label[chosen], chosen.shape, SLOPE_FRACTION
            ),
        )
        for chosen in _batches(drawn, rows, settings.batch)
    ]
    layers = _drawn(circle, drawn, [sum(side.columns for side in features), *settings.hidden, 1])
    speeds = [Layer(*(_like(part) for part in (layer.weights, layer.biases))) for layer in layers]
    for epoch in range(settings.epochs):
        for number in drawn.permutation(len(batches)):
            with circle.source.again(f"network, batch {number} of {_first_mask(batches)}"):
                gradients = _backward(batches[number], layers, settings)
                layers, speeds = _moved(layers, speeds, gradients, settings, len(batches[number].label.words))
        progress(epoch + 1, settings.epochs)
    for batch in batches:
        batch.forget()
    return Network(tuple(layers), scales)


def require_in_range(scores: Shared) -> None:
    """Raises RangeError at all where a shared score (n,) lies beyond ±27: training went astray. A bit is told."""
    reach = SERIES.reach
    outside = to_numbers(negative(concatenate([reach - scores, scores + reach]))).sum()
    if reveal_bits(negative((0.5 - outside.scaled_up(1)).reshape(1)), "range")[0]:
        raise RangeError(
            "scores leave the range of ±27 in which the network's gradients are right; take a smaller learning "
            "rate, a penalty, or bound extreme values of the columns"
        )


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some rows of all parties' columns, masked once, and their labels."""

    columns: Sequence[PrivateMatrix]
    label: Shared

    def forget(self) -> None:
        for matrix in self.columns:
            matrix.forget()


def _first_mask(batches: Sequence[_Batch]) -> int:
    """A name for one training, the same at all parties: the number of its first mask."""
    return batches[0].columns[0].number


def _forward(columns: Sequence[PrivateMatrix], layers: Sequence[Layer]) -> tuple[list[Shared], list[Bits]]:
    """What each layer puts out, (rows, units), and which units of the hidden ones are at rest."""
    outputs, resting, start = list[Shared](), list[Bits](), 0
    parts = []
    for matrix in columns:
        parts.append(matrix @ layers[0].weights[start : start + matrix.shape[1]])
        start += matrix.shape[1]
    product = summed(parts)
    for number, layer in enumerate(layers):
        if number:
            product = arithmetic.matrix_product(outputs[-1], layer.weights)
        z = arithmetic.rescale(product, FRACTION)
        z = Shared(z.circle, np.add(z.words, layer.biases.words), FRACTION)
        if number < len(layers) - 1:
            resting.append(negative(z))
            z = where(resting[-1], _like(z), z)
        outputs.append(z)
    return outputs, resting


def _backward(batch: _Batch, layers: Sequence[Layer], settings: Settings) -> list[Layer]:
    """The gradient of the mean loss, layer by layer, times the number of rows."""
    outputs, resting = _forward(batch.columns, layers)
    chance = functions.logistic(outputs[-1].reshape(-1), SERIES, fraction=SLOPE_FRACTION)
    delta = (chance - batch.label).reshape(-1, 1)
    gradients: list[Layer] = []
    for number in range(len(layers) - 1, -1, -1):
        if number:
            product = arithmetic.matrix_product(outputs[number - 1].T, delta)
        else:
            product = concatenate([matrix.transposed_times(delta) for matrix in batch.columns])
        gradients.insert(0, Layer(arithmetic.rescale(product, SLOPE_FRACTION), delta.sum(axis=0)))
        if number:
            back = arithmetic.matrix_product(delta, layers[number].weights.T)
            delta = arithmetic.rescale(back, SLOPE_FRACTION)
            delta = where(resting[number - 1], _like(delta), delta)
    return gradients


def _moved(
    layers: Sequence[Layer], speeds: Sequence[Layer], gradients: Sequence[Layer], settings: Settings, rows: int
) -> tuple[list[Layer], list[Layer]]:
    """One step with momentum; the penalty pulls weights, not biases, towards zero. One round for all layers."""
    rate = settings.learning_rate / rows
    wanted = []
    for layer, speed, gradient in zip(layers, speeds, gradients, strict=True):
        for weight, before, slope, pull in (
            (layer.weights, speed.weights, gradient.weights, settings.learning_rate * settings.penalty / rows),
            (layer.biases, speed.biases, gradient.biases, 0.0),
        ):
            new = arithmetic.public_product(before, settings.momentum, SLOPE_FRACTION)
            new = new - arithmetic.public_product(slope, rate, FRACTION)
            wanted.append(new - arithmetic.public_product(weight, pull, SLOPE_FRACTION) if pull else new)
    rounded = arithmetic.truncate_together(wanted, [SLOPE_FRACTION] * len(wanted))
    pairs = [Layer(*rounded[i : i + 2]) for i in range(0, len(rounded), 2)]
    moved = [
        Layer(layer.weights + speed.weights, layer.biases + speed.biases)
        for layer, speed in zip(layers, pairs, strict=True)
    ]
    return moved, pairs


def _drawn(circle: Circle, drawn: np.random.Generator, sizes: Sequence[int]) -> list[Layer]:
    """First weights from the public seed (He et al., ICCV 2015): what nobody has trained is no secret."""
    layers = []
    for inner, outer in pairwise(sizes):
        weights = drawn.normal(size=(inner, outer)) * np.sqrt(2.0 / inner)
        known = weights if circle.rank == 0 else None
        layers.append(
            Layer(from_owner(circle, 0, known, weights.shape, FRACTION), shared_zeros(circle, outer, FRACTION))
        )
    return layers


def _batches(drawn: np.random.Generator, rows: int, size: int) -> list[Index]:
    """Rows in batches of `size`, none left out but what does not fill one."""
    order = drawn.permutation(rows)
    return [order[start : start + size] for start in range(0, rows - size + 1, size)]


def _scales(values: Real) -> Real:
    """Means and inverse spreads, (2, columns); a constant column's spread counts as one."""
    if not np.isfinite(values).all():
        raise DataError("a column holds missing or infinite values; bin it or fill it before training")
    spread = values.std(axis=0)
    return np.stack([values.mean(axis=0), 1.0 / np.where(spread > 0, spread, 1.0)])


def _enter(circle: Circle, side: Features, scales: Real | None, chosen: Index | slice) -> PrivateMatrix:
    """Some rows of a party's standardised columns, masked once."""
    values = None
    if side.owner == circle.rank:
        if side.values is None or scales is None or side.values.shape != (side.rows, side.columns):
            raise MisuseError(f"the owner must bring values of shape ({side.rows}, {side.columns})")
        values = (side.values[chosen] - scales[0]) * scales[1]
    rows = side.rows if isinstance(chosen, slice) else len(chosen)
    return private_matrix(circle, side.owner, values, (rows, side.columns), COLUMN_FRACTION)


def _like(value: Shared) -> Shared:
    """Zeros of the same shape and precision."""
    return shared_zeros(value.circle, value.shape, value.fraction)
