"""Keys of ASCII as the rules write them, many at once: loops over bytes, each with the rule itself as its oracle.

Nearly all keys are ASCII (numbers, addresses, days). A row that is not is marked `wide` and left empty here: it
goes the rule's own way through Unicode (`contract`, `key_rules`), which the tests hold these loops against, sign
by sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unseen.data.protect.kernel import kernel
from unseen.data.protect.text import Bytes, Numbers, Text

Truths = NDArray[np.bool_]

LONGEST_DOCUMENT: Final = 64
_ONE_DIGIT: Final = 5
"""As many times one digit, and nothing else, are a placeholder; noughts are in any number."""
_LONGEST_CODE: Final = 3
_TEL: Final = np.frombuffer(b"tel:", np.uint8).copy()


@dataclass(frozen=True)
class Numbering:
    """How a region's telephone numbers are read: its country's code, the prefixes that a national number may begin
    with, the prefix for calls abroad, whether a number may begin with nought; and the codes of all countries after
    which a nought before the number is none of it."""

    code: str
    trunks: Sequence[str]
    abroad: str
    nought: bool
    dropping: Sequence[str]


def normalised(text: Text) -> tuple[Text, Truths]:
    """Rows in lower case, without white space at their ends, each run of it one blank; and which are wide."""
    if _is_normal(text.data):
        return text, np.zeros(text.rows, bool)
    out, ends, wide = _room(text)
    at = _normalise(text.data, text.offsets, out, ends, wide)
    return Text(out[:at], ends, text.valid), wide & text.valid


def documents(text: Text) -> tuple[Text, Truths]:
    """Document numbers in capital letters without separators, missing where a row is none; and which are wide."""
    out, ends, wide = _room(text)
    formed = text.valid.copy()
    at = _document(text.data, text.offsets, out, ends, wide, formed)
    return Text(out[:at], ends, formed), wide & text.valid


def telephones(text: Text, how: Numbering) -> tuple[Text, Truths]:
    """Telephone numbers in the form of E.164, missing where a row is none; and which are wide."""
    out, ends, wide = _room(text, 1 + _LONGEST_CODE)
    formed = text.valid.copy()
    trunks, dropping = _table([*how.trunks, ""]), _table(how.dropping)
    fixed = (_octets(how.code), _octets(how.abroad), how.nought)
    at = _telephone(text.data, text.offsets, trunks, dropping, *fixed, out, ends, wide, formed)
    return Text(out[:at], ends, formed), wide & text.valid


def _room(text: Text, more: int = 0) -> tuple[Bytes, Numbers, Truths]:
    """Room for what is written, at most `more` signs a row longer than what is read."""
    size = len(text.data) + more * text.rows
    return np.empty(size, np.uint8), np.zeros(text.rows + 1, np.int64), np.zeros(text.rows, bool)


def _octets(word: str) -> Bytes:
    return np.frombuffer(word.encode("ascii"), np.uint8).copy()


def _table(words: Sequence[str]) -> Bytes:
    """One word a row, noughts (octets) after it."""
    table = np.zeros((len(words), max(map(len, words)) + 1), np.uint8)
    for row, word in zip(table, words, strict=True):
        row[: len(word)] = _octets(word)
    return table


@kernel
def _is_wide(data: Bytes, first: int, end: int) -> bool:
    wide = False
    for place in range(first, end):
        wide = wide or data[place] >= 128
    return wide


@kernel
def _is_normal(data: Bytes) -> bool:
    """Whether no sign is one that changes: a capital letter, white space, or beyond ASCII."""
    changes = False
    for place in range(data.shape[0]):
        sign = data[place]
        changes |= (sign <= 32) | (sign >= 128) | ((sign >= 65) & (sign <= 90))
    return not changes


@kernel
def _is_space(sign: int) -> bool:
    """What a regular expression calls white space."""
    return sign == 32 or sign == 9 or sign == 10 or sign == 12 or sign == 13


@kernel
def _is_trimmed(sign: int) -> bool:
    """What Unicode calls white space."""
    return sign == 32 or 9 <= sign <= 13 or 28 <= sign <= 31


@kernel
def _is_digit(sign: int) -> bool:
    return 48 <= sign <= 57


@kernel
def _normalise(data: Bytes, offsets: Numbers, out: Bytes, ends: Numbers, wide: Truths) -> int:
    at = 0
    for row in range(wide.shape[0]):
        first, end = offsets[row], offsets[row + 1]
        wide[row] = _is_wide(data, first, end)
        if not wide[row]:
            while first < end and _is_trimmed(data[first]):
                first += 1
            while end > first and _is_trimmed(data[end - 1]):
                end -= 1
            space = False
            for place in range(first, end):
                sign = data[place]
                if _is_space(sign):
                    if not space:
                        out[at] = 32
                        at += 1
                    space = True
                else:
                    out[at] = sign + 32 if 65 <= sign <= 90 else sign
                    at += 1
                    space = False
        ends[row + 1] = at
    return at


@kernel
def _document(data: Bytes, offsets: Numbers, out: Bytes, ends: Numbers, wide: Truths, formed: Truths) -> int:
    at = 0
    for row in range(wide.shape[0]):
        start, digits, other, same = at, 0, False, True
        wide[row] = _is_wide(data, offsets[row], offsets[row + 1])
        if not wide[row]:
            for place in range(offsets[row], offsets[row + 1]):
                sign = data[place]
                # blank - . / , _ ' :
                if _is_space(sign) or 44 <= sign <= 47 or sign == 95 or sign == 39 or sign == 58:
                    continue
                if 97 <= sign <= 122:
                    sign -= 32
                if _is_digit(sign):
                    digits += 1
                elif not 65 <= sign <= 90:
                    other = True
                out[at] = sign
                same = same and sign == out[start]
                at += 1
        length = at - start
        placeholder = same and digits == length and (length >= _ONE_DIGIT or (length > 0 and out[start] == 48))
        if other or digits == 0 or length > LONGEST_DOCUMENT or placeholder:
            formed[row] = False
            at = start
        ends[row + 1] = at
    return at


@kernel
def _begins(out: Bytes, first: int, end: int, word: Bytes) -> int:
    """How long the word is, if it stands there; -1 if not. A nought (octet) ends it."""
    for k in range(word.shape[0]):
        if word[k] == 0:
            return k
        if first + k >= end or out[first + k] != word[k]:
            return -1
    return int(word.shape[0])


@kernel
def _without(out: Bytes, first: int, end: int, count: int) -> int:
    """Take `count` octets out before `first`, moving up what follows; the new end."""
    for place in range(first, end):
        out[place - count] = out[place]
    return end - count


@kernel
def _copied_number(data: Bytes, first: int, end: int, out: Bytes, at: int) -> int:
    """A typed number without what stands between its signs, and without the nought in brackets of one that is
    written for callers from abroad."""
    if _begins(data, first, end, _TEL) == 4:
        first += 4
    abroad = end > first and data[first] == 43
    abroad = abroad or (end - first >= 2 and data[first] == 48 and data[first + 1] == 48)
    place = first
    while place < end:
        sign = data[place]
        if abroad and sign == 40 and place + 2 < end and data[place + 1] == 48 and data[place + 2] == 41:
            place += 3
            continue
        # blank - . / ( )
        if not (_is_space(sign) or 45 <= sign <= 47 or sign == 40 or sign == 41):
            out[at] = sign
            at += 1
        place += 1
    return at


@kernel
def _national(out: Bytes, start: int, at: int, trunks: Bytes, nought: bool) -> int:
    """How long the trunk prefix of a number without its country's code is; -1 for what is no such number."""
    for row in range(trunks.shape[0]):
        length = _begins(out, start, at, trunks[row])
        if length >= 0 and start + length < at:
            fits = nought or out[start + length] != 48
            for place in range(start + length, at):
                fits = fits and _is_digit(out[place])
            if fits:
                return length
    return -1


@kernel
def _telephone(
    data: Bytes,
    offsets: Numbers,
    trunks: Bytes,
    dropping: Bytes,
    code: Bytes,
    abroad: Bytes,
    nought: bool,
    out: Bytes,
    ends: Numbers,
    wide: Truths,
    formed: Truths,
) -> int:
    at = 0
    for row in range(wide.shape[0]):
        start = at
        wide[row] = _is_wide(data, offsets[row], offsets[row + 1])
        if not wide[row]:
            at = _copied_number(data, offsets[row], offsets[row + 1], out, at)
            length = abroad.shape[0]
            from_abroad = length > 0 and _begins(out, start, at, abroad) == length and start + length < at
            if from_abroad and 49 <= out[start + length] <= 57:
                at = _without(out, start + length, at, length - 1)
                out[start] = 43
            if at > start and out[start] == 43:
                for k in range(dropping.shape[0]):
                    place = start + 1 + _begins(out, start + 1, at, dropping[k])
                    if place > start and place + 1 < at and out[place] == 48 and 49 <= out[place + 1] <= 57:
                        at = _without(out, place + 1, at, 1)
                        break
            elif code.shape[0]:
                trunk = _national(out, start, at, trunks, nought)
                if trunk >= 0:
                    more = 1 + code.shape[0] - trunk
                    if more > 0:
                        for place in range(at - 1, start + trunk - 1, -1):
                            out[place + more] = out[place]
                        at += more
                    else:
                        at = _without(out, start + trunk, at, -more)
                    out[start] = 43
                    for k in range(code.shape[0]):
                        out[start + 1 + k] = code[k]
        right = 8 <= at - start <= 16 and out[start] == 43 and 49 <= out[start + 1] <= 57
        if right:
            for place in range(start + 2, at):
                right = right and _is_digit(out[place])
        if not right:
            formed[row] = False
            at = start
        ends[row + 1] = at
    return at
