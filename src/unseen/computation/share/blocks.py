"""Long vectors block by block: while one block waits for its opening, another is worked on.

An operation on millions of values goes through memory once a step, and the parties wait for each other and for
correlated randomness at every step. In blocks that stay in the cache, two at a time, one's messages travel while
the other's numbers are made, and the randomness of later blocks comes meanwhile. What is sent is the same; there
are more rounds, each a fraction as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from unseen.computation.correlation.announced import Announced
from unseen.computation.correlation.source import Kind
from unseen.computation.share.array import Shared
from unseen.computation.share.together import Steps, in_turns

BLOCK: Final = 1 << 17
"""Values of a block: a mebibyte of words."""
AT_ONCE: Final = 2


def in_blocks(
    values: Sequence[Shared],
    kinds: Callable[[int], Sequence[Kind]],
    steps: Callable[..., Steps[Shared]],
    block: int = BLOCK,
) -> Shared:
    """An elementwise protocol on arrays of one shape, block by block.

    `steps` takes one block of each array; `kinds` says what it asks for, in order, for so many values. Everything
    is announced at once.
    """
    circle, shape, size = values[0].circle, values[0].shape, values[0].size
    flat = [value.reshape(-1) for value in values]
    cuts = [slice(start, min(start + block, size)) for start in range(0, max(size, 1), block)]
    circles = [replace(circle, source=Announced(circle.source, kinds(cut.stop - cut.start))) for cut in cuts]

    def running() -> Iterator[Steps[Shared]]:
        for cut, own in zip(cuts, circles, strict=True):
            yield steps(*(Shared(own, value.words[cut], value.fraction) for value in flat))

    found = in_turns(running(), AT_ONCE)
    for own in circles:
        own.source.finish()
    words = found[0].words if len(found) == 1 else np.concatenate([part.words for part in found])
    return Shared(circle, words.reshape(shape), found[0].fraction)
