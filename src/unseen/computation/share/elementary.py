"""Quotients, roots and logarithms of shared numbers whose range is public.

A number is brought into [1/4, 1) by a shared power of four; there a short Fourier series in Z_2^32 guesses the
function to a few thousandths, and one step of Newton's method on all bits squares that error. A range that spans
no power of four needs no comparison.

Source: Catrina and Saxena, FC 2010 (normalisation, Newton's iteration on fixed-point shares); Aly and Smart, ACNS
2019, for roots and logarithms by the same normalisation; the guess as in `share.smooth`. Setting: any number of
semi-honest parties, all but one colluding. Nobody learns anything; no failure probability. Numbers outside of
their stated range give wrong results, without a sign of it.
"""

from __future__ import annotations

from math import log
from typing import Final

import numpy as np

from unseen.computation.correlation.bit_kinds import Lift
from unseen.computation.correlation.kinds import CorrectedProduct, Triple, Truncation
from unseen.computation.correlation.source import Kind
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.arithmetic import corrected_product, multiply, multiply_kinds, product, rescale
from unseen.computation.share.array import Shared
from unseen.computation.share.blocks import in_blocks
from unseen.computation.share.boolean import where
from unseen.computation.share.functions import lift, lift_together
from unseen.computation.share.normalise import (
    HIGHEST,
    LOWEST,
    NORMALISATION,
    Span,
    normalise,
    normalise_kinds,
    ring_product,
    span,
)
from unseen.computation.share.smooth import Smooth, fitted, series, series_kinds
from unseen.computation.share.together import Steps, together
from unseen.computation.types import Real
from unseen.errors import MisuseError

_GUESS_BITS: Final = 12
_VALUE_BITS: Final = _GUESS_BITS + 3
"""A guess, at most a little over four, keeps below 2^_VALUE_BITS."""


def _fits(powers: int, base: int, fine: bool) -> bool:
    """Whether a guess times base^k, k up to `powers`, keeps within Z_2^32, with room to be lifted."""
    return bool(powers) and not fine and _VALUE_BITS + powers * (base // 2) < 30


def _bytes(words: int, fine: bool, count: int, powers: int, parties: int, *, small: bool) -> int:
    """Of the normalisation, a guess (angle, liftings, product with its factor), and so many words."""
    factor = 12 if small else 16 + 4 * (not fine)
    guess = 4 * 64 * -(-count // 64) + 4 * count + bool(powers) * factor * count
    normalised = NORMALISATION.bytes_sent(count, powers, fine, parties) if NORMALISATION.bytes_sent else 0
    return normalised + parties * (parties - 1) * (guess + 8 * words * count)


_ASSUMPTION: Final = ("inputs within the stated range; beyond it the value is wrong",)
RECIPROCAL: Final = Profile(
    id="share/reciprocal",
    title="Reciprocal of positive shared numbers of a public range",
    source="Catrina and Saxena, FC 2010",
    assumptions=_ASSUMPTION,
    failure="none within the range; relative error below 5e-6, and two steps",
    rounds=lambda count, powers, fine: 11 + bool(powers) - 5 * (not powers) + _fits(powers, 4, fine),
    bytes_sent=lambda count, powers, fine, parties: _bytes(
        6, fine, count, powers, parties, small=_fits(powers, 4, fine)
    ),
)
DIVISION: Final = Profile(
    id="share/division",
    title="Quotient of shared numbers, the denominator positive and of a public range",
    source="Catrina and Saxena, FC 2010",
    assumptions=_ASSUMPTION,
    failure="none within the range; relative error below 5e-6, and three steps",
    rounds=lambda count, powers, fine: 10 + bool(powers) - 5 * (not powers) + _fits(powers, 4, fine),
    bytes_sent=lambda count, powers, fine, parties: _bytes(
        6, fine, count, powers, parties, small=_fits(powers, 4, fine)
    ),
)
ROOT: Final = Profile(
    id="share/square-root",
    title="Square root, and inverse square root, of positive shared numbers of a public range",
    source="Aly and Smart, ACNS 2019",
    assumptions=_ASSUMPTION,
    failure="none within the range; relative error below 5e-6, and two steps",
    rounds=lambda count, powers, fine: 13 + bool(powers) - 5 * (not powers) + _fits(powers, 2, fine),
    bytes_sent=lambda count, powers, fine, parties: _bytes(
        9, fine, count, powers, parties, small=_fits(powers, 2, fine)
    ),
)
LOGARITHM: Final = Profile(
    id="share/logarithm",
    title="Natural logarithm of positive shared numbers of a public range",
    source="Aly and Smart, ACNS 2019",
    assumptions=_ASSUMPTION,
    failure="none within the range; error below 5e-6, and one step",
    rounds=lambda count, powers: 7 - 5 * (not powers),
    bytes_sent=lambda count, powers, parties: (
        (NORMALISATION.bytes_sent(count, powers, True, parties) if NORMALISATION.bytes_sent else 0)
        + parties * (parties - 1) * (4 * 64 * -(-count // 64) + 8 * count)
    ),
)

QUOTIENT_BITS: Final = 42
"""|a/b| stays below 2^(QUOTIENT_BITS - fraction)."""
_STEP_BITS: Final = 20
"""Fractional bits of the factor, close to one, by which Newton's step corrects a guess."""
_OPERAND_BITS: Final = 48
"""An operand's bits from the top of its range down: more are dropped."""


def _inverse_root(z: Real) -> Real:
    return np.asarray(z**-0.5)


_RECIPROCAL: Final = Smooth(np.reciprocal, LOWEST, HIGHEST, 2e-3, 4, 1, relative=True)
_INVERSE_ROOT: Final = Smooth(_inverse_root, LOWEST, HIGHEST, 1e-3, 4, 1, relative=True)
_LOGARITHM: Final = Smooth(np.log, LOWEST, HIGHEST, 4e-6, 6, 1)


def reciprocal(x: Shared, least: float, most: float, fraction: int = fixed.FRACTION) -> Shared:
    """1/x elementwise for x in [least, most], public and positive: up to 13 rounds.

    The range may span 2^24, or 2^26 where `most` is an even power of two.
    Relative error below 5e-6, and two steps of the result. 1/least must stay below 2^(62 - fraction).
    """
    reach = span(least, most)
    x, bits = _trimmed(x, reach), _guess_fraction(reach, 4)

    def kinds(count: int) -> list[Kind]:
        corrected = multiply_kinds(count, x.fraction + bits - _STEP_BITS)
        corrected += multiply_kinds(count, bits + _STEP_BITS - fraction)
        return [*_guess_kinds(count, reach, _RECIPROCAL, 4), *corrected]

    def steps(part: Shared) -> Steps[Shared]:
        guess = yield from _guess(part, reach, _RECIPROCAL, 4)
        error = yield from multiply.steps(part, guess, _STEP_BITS)
        return (yield from multiply.steps(guess, 2.0 - error, fraction))

    return in_blocks([x], kinds, steps)


def divide(
    above: Shared,
    below: Shared,
    least: float,
    most: float,
    fraction: int = fixed.FRACTION,
    signed: bool = False,
) -> Shared:
    """above / below elementwise, for public positive denominators in [least, most], a range as of `reciprocal`.

    Up to 12 rounds. Relative error below 5e-6, and three steps of the result. |quotient| must stay below
    2^(42 - fraction) and below 2^(50 - fraction of `above`) / (`most` rounded up to a power of four). `signed`:
    denominators lie in ±[least, most]; four rounds, and a comparison and two choices an element, more.
    """
    if above.shape != below.shape:
        raise MisuseError(f"shapes {above.shape} and {below.shape} do not divide")
    if signed:
        negative = below < 0.0
        above, below = together(where.steps(negative, -above, above), where.steps(negative, -below, below))
    reach = span(least, most)
    if above.fraction + reach.exponent > 46:
        raise MisuseError(
            "a quotient has no room: take fewer fractional bits for the numerator, or a smaller denominator"
        )
    below = _trimmed(below, reach)
    # The quotient of the guess is corrected as the guess itself would be; 2 - error lies near one.
    guess_bits = _guess_fraction(reach, 4)
    above = above.scaled_up(max(0, fraction + 1 - guess_bits - above.fraction))
    below = below.scaled_up(max(0, _STEP_BITS + 1 - guess_bits - below.fraction))
    bits, error_bits = above.fraction + guess_bits - fraction, below.fraction + guess_bits - _STEP_BITS

    def correction(count: int) -> CorrectedProduct:
        return CorrectedProduct(count, bits, error_bits, _STEP_BITS)

    def kinds(count: int) -> list[Kind]:
        return [*_guess_kinds(count, reach, _RECIPROCAL, 4), correction(count)]

    def steps(over: Shared, under: Shared) -> Steps[Shared]:
        guess = yield from _guess(under, reach, _RECIPROCAL, 4)
        return (yield from corrected_product.steps(over, under, guess, 2.0, correction(over.size)))

    return in_blocks([above, below], kinds, steps)


def square_root(x: Shared, least: float, most: float, fraction: int = fixed.FRACTION) -> Shared:
    """√x elementwise for x in [least, most], public and positive, a range as of `reciprocal`: up to 15 rounds.

    Relative error below 5e-6, and two steps of the result.
    """
    return _root(x, span(least, most), fraction, inverse=False)


def inverse_square_root(x: Shared, least: float, most: float, fraction: int = fixed.FRACTION) -> Shared:
    """1/√x elementwise for x in [least, most], public and positive, a range as of `reciprocal`: up to 15 rounds.

    Relative error below 5e-6, and two steps of the result.
    """
    return _root(x, span(least, most), fraction, inverse=True)


def logarithm(x: Shared, least: float, most: float, fraction: int = fixed.FRACTION) -> Shared:
    """The natural logarithm elementwise for x in [least, most], public and positive, a range as of `reciprocal`.

    Up to 7 rounds. Error below 5e-6, and one step of the result. Up to 50 fractional bits.
    """
    reach, found = span(least, most, fine=True), fitted(_LOGARITHM, fine=True)

    def kinds(count: int) -> list[Kind]:
        dropped = [Truncation(count, found.fraction - fraction)] if found.fraction > fraction else []
        return [*normalise_kinds(count, reach), *series_kinds(count, found), *dropped]

    def steps(part: Shared) -> Steps[Shared]:
        z = yield from normalise.steps(part, reach)
        words = yield from series.steps(part.circle, z.angles(_LOGARITHM.period), found)
        words -= z.count() * np.uint64(round(log(4.0) * 2.0**found.fraction))
        whole = Shared(part.circle, words.reshape(part.shape), found.fraction) + reach.exponent * log(2.0)
        return (yield from rescale.steps(whole, fraction))

    return in_blocks([x], kinds, steps)


def _root(x: Shared, reach: Span, fraction: int, *, inverse: bool) -> Shared:
    """With y a guess of 1/√x, (3 - x·y²)/2 corrects it, and x·y as a guess of √x."""
    x = _trimmed(x, reach)
    bits, root_bits = _guess_fraction(reach, 2), 36 - reach.exponent // 2

    def kinds(count: int) -> list[Kind]:
        asked = _guess_kinds(count, reach, _INVERSE_ROOT, 2)
        asked += multiply_kinds(count, x.fraction + bits - root_bits)
        asked += multiply_kinds(count, root_bits + bits - _STEP_BITS)
        return asked + multiply_kinds(count, (bits if inverse else root_bits) + _STEP_BITS + 1 - fraction)

    def steps(part: Shared) -> Steps[Shared]:
        guess = yield from _guess(part, reach, _INVERSE_ROOT, 2)
        root = yield from multiply.steps(part, guess, root_bits)
        error = yield from multiply.steps(root, guess, _STEP_BITS)
        correction = 1.5 - Shared(error.circle, error.words, _STEP_BITS + 1)
        return (yield from multiply.steps(guess if inverse else root, correction, fraction))

    return in_blocks([x], kinds, steps)


def _guess_fraction(reach: Span, base: int) -> int:
    """Fractional bits of a guess: x = z·2^exponent·4^-k, and the function takes x's inverse, or its root's."""
    return _GUESS_BITS + (reach.exponent if base == 4 else reach.exponent // 2)


def _guess_kinds(count: int, reach: Span, smooth: Smooth, base: int) -> list[Kind]:
    """What `_guess` asks for, in order."""
    found, fine = fitted(smooth), reach.lane == 64
    kinds = [*normalise_kinds(count, reach), *series_kinds(count, found)]
    dropped = found.fraction - _GUESS_BITS
    if _fits(reach.powers, base, fine):
        return [*kinds, Lift(count, dropped, 32), Triple(count, 32), Lift(count)]
    kinds += [Lift(count)] if reach.powers and not fine else []
    return [*kinds, Lift(count, dropped), *([Triple(count)] if reach.powers else [])]


def _guess(x: Shared, reach: Span, smooth: Smooth, base: int) -> Steps[Shared]:
    """A function of x that is that of z times base^k, up to a public power of two: to 12 bits, in up to 9 rounds.

    The product stays in the small ring where it fits there, and is lifted; else its factors are.
    """
    circle, found = x.circle, fitted(smooth)
    z = yield from normalise.steps(x, reach)
    small = yield from series.steps(circle, z.angles(smooth.period), found)
    rough = (small, found.fraction - _GUESS_BITS)
    power = z.power(base) if reach.powers else None
    if power is not None and _fits(reach.powers, base, reach.lane == 64):
        (short,) = yield from lift_together.steps(circle, [rough], lane=32)
        whole = yield from ring_product.steps(circle, short, power, circle.source.ask(Triple(x.size, 32)))
        wide = yield from lift.steps(circle, whole)
        return Shared(circle, wide.reshape(x.shape), _guess_fraction(reach, base))
    lifted = [(power, 0), rough] if power is not None and reach.lane == 32 else [rough]
    *factors, value = yield from lift_together.steps(circle, lifted)
    guess = Shared(circle, value.reshape(x.shape), _guess_fraction(reach, base))
    if power is None:
        return guess
    factor = Shared(circle, (factors[0] if factors else power).reshape(x.shape), 0)
    return (yield from product.steps(guess, factor))


def _trimmed(x: Shared, reach: Span) -> Shared:
    """Without bits that are too small to matter, so that products have room; seldom needed, then one round."""
    spare = x.fraction + reach.exponent - _OPERAND_BITS
    return rescale(x, x.fraction - spare) if spare > 0 else x
