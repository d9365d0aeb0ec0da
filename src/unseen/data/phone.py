"""Telephone numbers in one form, E.164: `+`, the country's code, the number without a trunk prefix.

Source: ITU-T E.164 (11/2010) and its annex of country codes; trunk prefixes as the national plans notified to the
ITU have them. The tests compare every region with the `phonenumbers` library. Numbers with an extension, and
national ones where no region is given, are not well formed: they do not say whom they reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from unseen.errors import MisuseError

if TYPE_CHECKING:
    from unseen.data.key_kernels import Numbering

_BETWEEN: Final = r"[\s\-./()·‐‑‒–—−]"
_WELL_FORMED: Final = r"^\+[1-9][0-9]{6,14}$"


@dataclass(frozen=True)
class Region:
    """A country's code, the trunk prefix that a national number may begin with, the prefix for calls abroad."""

    code: str
    trunk: str = "0"
    abroad: str = "00"


def _regions() -> dict[str, Region]:
    trunk_zero = (
        "AE 971, AT 43, BE 32, BG 359, CH 41, CN 86, DE 49, FI 358, FR 33, GB 44, HR 385, IE 353, IN 91, LI 423,"
        " MY 60, NL 31, NZ 64, PH 63, RO 40, SA 966, SE 46, SI 386, SK 421, TR 90, UA 380, VN 84, ZA 27"
    )
    no_trunk = (
        "CY 357, CZ 420, DK 45, EE 372, ES 34, GR 30, IS 354, IT 39, LU 352, LV 371, MT 356, NO 47, PL 48, PT 351"
    )
    by_carrier_with_trunk, by_carrier = "ID 62, IL 972, KR 82, TH 66, TW 886", "HK 852, MX 52, SG 65"
    kinds = ((trunk_zero, "0", "00"), (no_trunk, "", "00"), (by_carrier_with_trunk, "0", ""), (by_carrier, "", ""))
    found = {
        "AU": Region("61", "0", "0011"),
        "CA": Region("1", "1", "011"),
        "HU": Region("36", "06", "00"),
        "JP": Region("81", "0", "010"),
        "LT": Region("370", "[08]", "00"),
        "RU": Region("7", "8", "810"),
        "US": Region("1", "1", "011"),
    }
    for listed, trunk, abroad in kinds:
        for name, code in (each.split() for each in listed.split(", ")):
            found[name] = Region(code, trunk, abroad)
    return found


REGIONS: Final = _regions()
"""By ISO 3166 code. Where the carrier is chosen by the prefix for calls abroad, only `+` stands for it."""
_TRUNK_AFTER_CODE: Final = "|".join(sorted({region.code for region in REGIONS.values() if region.trunk == "0"}))
_NOWHERE: Final = Region("", "", "00")
_NOUGHT_BELONGS: Final = ("39", "378")
"""Countries whose national numbers may begin with a nought of their own."""


def require_region(name: str) -> None:
    """Raises MisuseError for a region whose numbers are not known here."""
    if name not in REGIONS:
        raise MisuseError(f"no telephone region {name!r}; there are {', '.join(sorted(REGIONS))}")


def numbering(region: str) -> Numbering:
    """The region's rules as the kernels take them."""
    from unseen.data.key_kernels import Numbering

    rules = REGIONS.get(region, _NOWHERE)
    trunks = list(rules.trunk[1:-1]) if rules.trunk.startswith("[") else [rules.trunk] if rules.trunk else []
    nought = rules.code in _NOUGHT_BELONGS
    return Numbering(rules.code, trunks, rules.abroad, nought, _TRUNK_AFTER_CODE.split("|"))


def international(texts: pa.Array, region: str = "") -> pa.Array:
    """Numbers in the form of E.164, null where a text is none; `region` reads those without a country's code.

    Of any script; `key_kernels.telephones` does it for ASCII.
    """
    signs = pc.replace_substring_regex(texts, r"^tel:", "")
    abroad = pc.match_substring_regex(signs, r"^(?:\+|00)")
    signs = pc.if_else(abroad, pc.replace_substring(signs, "(0)", ""), signs)
    signs = pc.replace_substring_regex(signs, _BETWEEN, "")
    rules = REGIONS.get(region, _NOWHERE)
    if rules.abroad:
        signs = pc.replace_substring_regex(signs, f"^{rules.abroad}([1-9])", r"+\1")
    signs = pc.replace_substring_regex(signs, rf"^\+({_TRUNK_AFTER_CODE})0([1-9])", r"+\1\2")
    if rules.code:
        digit = "[0-9]" if rules.code in _NOUGHT_BELONGS else "[1-9]"
        signs = pc.replace_substring_regex(signs, rf"^(?:{rules.trunk})?({digit}[0-9]*)$", rf"+{rules.code}\1")
    formed = pc.match_substring_regex(signs, _WELL_FORMED)
    return pc.if_else(formed, signs, pa.scalar(None, pa.string()))
