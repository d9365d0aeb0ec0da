"""How a join key is written, by what it is: rules with a version that both sides must have in common.

A plan names the rule of every key (`unseen-phone/1`), so that both sides prove to use the same. What a side's own
columns look like before is its own affair and stands after the rule: `unseen-phone/1:DE` reads numbers without a
country's code as German ones. A value that is no such thing (no number, no date, a placeholder) gives no key: two
rows must never meet on "unknown".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from unseen.data import phone
from unseen.data.classify.national import IDENTIFIERS
from unseen.data.contract import KEY_BYTES_LIMIT, KeyReport, measured, normalised, whole, with_wide
from unseen.data.protect.text import read
from unseen.errors import MisuseError


class Rule(StrEnum):
    """Rules by their names; a rule that is written otherwise one day gets another version."""

    KEY = "unseen-key/1"
    """Any text: Unicode form NFKC, case folded, white space at the ends removed and runs of it made one space."""
    PHONE = "unseen-phone/1"
    """A telephone number in the form of E.164. Detail: the region of numbers without a country's code."""
    DOCUMENT = "unseen-document/1"
    """A document's or tax number: letters in upper case and digits alone, one digit at least, and not one digit
    throughout. Detail: a scheme whose check digits must be right."""
    EMAIL = "unseen-email/1"
    """An e-mail address, case folded throughout. No provider's own customs (dots, plus signs) are undone."""
    DATE = "unseen-date/1"
    """A day as YYYY-MM-DD, years 1850 to 2150. Detail: the order of parts, DMY or MDY, where the year is last."""


_BETWEEN: Final = r"[\s\-./,_'’·:‐‑‒–—−]"
_DOCUMENT: Final = r"^[\p{L}\p{N}]+$"
_LONGEST_DOCUMENT: Final = 64
_ONE_DIGIT: Final = "^(?:0+|" + "|".join(f"{digit}{{5,}}" for digit in range(1, 10)) + ")$"
_EMAIL: Final = r"^[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+$"
_ISO: Final = r"^(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})(?:[t ].*)?$"
_ORDERS: Final = {
    "DMY": r"^(?P<d>\d{1,2})[./ -](?P<m>\d{1,2})[./ -](?P<y>\d{4})$",
    "MDY": r"^(?P<m>\d{1,2})[./ -](?P<d>\d{1,2})[./ -](?P<y>\d{4})$",
}
_SEPARATORS_MATTER: Final = {"us-ssn", "us-ein", "dk-cpr", "fi-hetu", "se-personnummer", "eu-vat"}
SCHEMES: Final = {one.name: one for one in IDENTIFIERS if one.check and one.name not in _SEPARATORS_MATTER}
"""Numbers whose check digits are known, by name; those whose separators carry meaning are left out."""


@dataclass(frozen=True)
class KeyForm:
    """A rule, and how this side's column is to be read (`detail`, empty: as the rule says)."""

    rule: Rule
    detail: str = ""

    def __post_init__(self) -> None:
        if not self.detail:
            return
        if self.rule is Rule.PHONE:
            phone.require_region(self.detail)
        else:
            known = {Rule.DOCUMENT: tuple(SCHEMES), Rule.DATE: tuple(_ORDERS)}.get(self.rule, ())
            if self.detail not in known:
                there = ", ".join(sorted(known)) or "none"
                raise MisuseError(f"the rule {self.rule} knows no {self.detail!r}; there are: {there}")

    def __str__(self) -> str:
        return f"{self.rule}:{self.detail}" if self.detail else str(self.rule)

    def written(self, values: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Values as this rule writes them, (n,) strings, null where there is none.

        Raises DataError for a column of fractions, which no key is.
        """
        read_as = whole(values)
        if self.rule is not Rule.DATE:
            return self._of(read_as)
        # There are few days and many rows: each day is written once.
        listed = pc.dictionary_encode(read_as)
        listed = listed.combine_chunks() if isinstance(listed, pa.ChunkedArray) else listed
        return self._of(listed.dictionary).take(listed.indices)

    def _of(self, values: pa.Array | pa.ChunkedArray) -> pa.Array:
        return self._from(normalised(values))

    def _from(self, texts: pa.Array) -> pa.Array:
        return _blank_to_null(_WRITERS[self.rule](texts, self.detail))

    def check(self, values: pa.Array | pa.ChunkedArray) -> KeyReport:
        """How fit a column is to be joined on by this rule: empty, repeated, malformed. Errors as `written`."""
        return self.checked(values)[1]

    def checked(self, values: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, KeyReport]:
        """`written` and `check` at once."""
        keys, empty, malformed = self.sorted_out(values)
        return keys, measured(keys, empty, malformed, str(self))

    def sorted_out(self, values: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array, pa.Array]:
        """`written`, and of each row whether it was empty and whether it is no such key."""
        texts = normalised(whole(values))
        empty = pc.fill_null(pc.equal(texts, ""), True)
        # Days are written once each; all else from the texts that are there already.
        keys = self.written(values) if self.rule is Rule.DATE else self._from(texts)
        return keys, empty, pc.and_not(pc.is_null(keys), empty)


def form_of(text: str) -> KeyForm:
    """Read `unseen-phone/1:DE`. Raises MisuseError, naming the rules there are."""
    name, _, detail = text.partition(":")
    if name not in set(Rule):
        raise MisuseError(f"no key rule {name!r}; there are {', '.join(Rule)}")
    return KeyForm(Rule(name), detail)


def parse_key(text: str) -> tuple[str, KeyForm]:
    """Read COLUMN=RULE. Raises MisuseError, naming the rules there are."""
    column, _, rule = text.partition("=")
    if not (column and rule):
        raise MisuseError(f"write a key as COLUMN=RULE, for example phone=unseen-phone/1:DE, not {text!r}")
    return column, form_of(rule)


def require_same(forms: dict[str, KeyForm]) -> None:
    """Raises MisuseError unless all parties' columns are written by one rule. By party."""
    if len({form.rule for form in forms.values()}) > 1:
        told = ", ".join(f"{party} {form.rule}" for party, form in sorted(forms.items()))
        raise MisuseError(f"one key is written by different rules ({told}); name the same rule for both sides")


def _blank_to_null(texts: pa.Array) -> pa.Array:
    return _kept(texts, pc.greater(pc.binary_length(texts), 0))


def _kept(texts: pa.Array, formed: pa.Array) -> pa.Array:
    """Null where a text is not formed. Nothing is copied where all that are there are."""
    if formed.null_count == texts.null_count and pc.all(pc.fill_null(formed, True)).as_py():
        return texts
    return pc.if_else(formed, texts, pa.scalar(None, texts.type))


def _key(texts: pa.Array, detail: str) -> pa.Array:
    return _kept(texts, pc.less_equal(pc.binary_length(texts), KEY_BYTES_LIMIT))


def _phone(texts: pa.Array, region: str) -> pa.Array:
    from unseen.data import key_kernels

    plain, wide = key_kernels.telephones(read(texts), phone.numbering(region))
    if not wide.any():
        return plain.arrow()
    return with_wide(plain.arrow(), wide, phone.international(texts.filter(pa.array(wide)), region))


def _document(texts: pa.Array, scheme: str) -> pa.Array:
    from unseen.data import key_kernels

    plain, wide = key_kernels.documents(read(texts))
    signs = plain.arrow()
    if wide.any():
        signs = with_wide(signs, wide, document_signs(texts.filter(pa.array(wide))))
    if scheme:
        signs = _kept(signs, pa.array(SCHEMES[scheme].matches(pc.fill_null(signs, ""))))
    return signs


def document_signs(texts: pa.Array) -> pa.Array:
    """Document numbers of any script by the rule itself: `key_kernels.documents` does it for ASCII."""
    signs = pc.utf8_upper(pc.replace_substring_regex(texts, _BETWEEN, ""))
    formed = pc.and_(pc.match_substring_regex(signs, _DOCUMENT), pc.match_substring_regex(signs, "[0-9]"))
    formed = pc.and_(formed, pc.less_equal(pc.utf8_length(signs), _LONGEST_DOCUMENT))
    return _kept(signs, pc.and_(formed, pc.invert(pc.match_substring_regex(signs, _ONE_DIGIT))))


def _email(texts: pa.Array, detail: str) -> pa.Array:
    return _kept(texts, pc.match_substring_regex(texts, _EMAIL))


def _date(texts: pa.Array, order: str) -> pa.Array:
    iso = _day(texts, _ISO)
    return pc.coalesce(iso, _day(texts, _ORDERS[order])) if order else iso


def _day(texts: pa.Array, pattern: str) -> pa.Array:
    parts = pc.extract_regex(texts, pattern)
    year, month, day = (pc.struct_field(parts, name) for name in "ymd")
    iso = pc.binary_join_element_wise(year, _two(month), _two(day), "-")
    # strptime takes 31 February for a day in March: what does not come back as it was is no day.
    back = pc.strftime(pc.strptime(iso, "%Y-%m-%d", "s", error_is_null=True), "%Y-%m-%d")
    plausible = pc.and_(pc.greater_equal(year, "1850"), pc.less_equal(year, "2150"))
    return _kept(iso, pc.and_(pc.equal(iso, back), plausible))


def _two(digits: pa.Array) -> pa.Array:
    return pc.utf8_lpad(digits, 2, "0")


_WRITERS: Final[dict[Rule, Callable[[pa.Array, str], pa.Array]]] = {
    Rule.KEY: _key,
    Rule.PHONE: _phone,
    Rule.DOCUMENT: _document,
    Rule.EMAIL: _email,
    Rule.DATE: _date,
}
