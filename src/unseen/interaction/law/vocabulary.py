"""Purposes by standard vocabularies, and the legal bases, as agreements name them.

Source: W3C Data Privacy Vocabulary 2, purposes (`dpv:`, `sector-finance:`) and personal data (`pd:`); fideslang 3,
data uses and categories (`fides:`). Their names lie in `vocabularies/`, with origin and licence; an agreement may
use no others. A purpose that is not in the table below is `unknown` to the packs, which then ask for more.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final


class Field(StrEnum):
    """The field of law and business that a purpose belongs to."""

    CREDIT = "credit"
    FRAUD = "fraud"
    LAUNDERING = "laundering"
    SUPERVISION = "supervision"
    MARKETING = "marketing"
    ANALYTICS = "analytics"
    UNKNOWN = "unknown"


PURPOSES: Final = {
    "dpv:CreditChecking": Field.CREDIT,
    "dpv:MaintainCreditCheckingDatabase": Field.CREDIT,
    "dpv:MaintainCreditRatingDatabase": Field.CREDIT,
    "sector-finance:CreditChecking": Field.CREDIT,
    "sector-finance:MaintainCreditCheckingDatabase": Field.CREDIT,
    "sector-finance:MaintainCreditRatingDatabase": Field.CREDIT,
    "sector-finance:CreditScoreEvaluation": Field.CREDIT,
    "sector-finance:CreditHistoryEvaluation": Field.CREDIT,
    "sector-finance:CreditLimitDetermination": Field.CREDIT,
    "sector-finance:FraudManagement": Field.FRAUD,
    "sector-finance:TransactionFraudManagement": Field.FRAUD,
    "sector-finance:IdentityFraudManagement": Field.FRAUD,
    "sector-finance:PhishingAttackManagement": Field.FRAUD,
    "sector-finance:AntiMoneyLaunderingManagement": Field.LAUNDERING,
    "sector-finance:AntiMoneyLaunderingCompliance": Field.LAUNDERING,
    "sector-finance:CustomerDueDiligence": Field.LAUNDERING,
    "sector-finance:RegulatoryCompliance": Field.SUPERVISION,
    "sector-finance:TransactionReportingCompliance": Field.SUPERVISION,
    "dpv:FraudPreventionAndDetection": Field.FRAUD,
    "dpv:MaintainFraudDatabase": Field.FRAUD,
    "dpv:IdentityVerification": Field.FRAUD,
    "dpv:CounterMoneyLaundering": Field.LAUNDERING,
    "dpv:LegalCompliance": Field.SUPERVISION,
    "dpv:Marketing": Field.MARKETING,
    "dpv:DirectMarketing": Field.MARKETING,
    "dpv:PersonalisedAdvertising": Field.MARKETING,
    "dpv:TargetedAdvertising": Field.MARKETING,
    "dpv:ServiceUsageAnalytics": Field.ANALYTICS,
    "dpv:ServiceOptimisation": Field.ANALYTICS,
    "dpv:ResearchAndDevelopment": Field.ANALYTICS,
    "fides:essential.fraud_detection": Field.FRAUD,
    "fides:essential.legal_obligation": Field.SUPERVISION,
    "fides:marketing.advertising": Field.MARKETING,
    "fides:analytics.reporting": Field.ANALYTICS,
}

BASES: Final = (
    "consent",
    "contract",
    "legal-obligation",
    "vital-interests",
    "public-task",
    "legitimate-interests",
)
"""In the order of GDPR art. 6(1), letters a to f."""
NO_BASIS: Final = "none"
_LETTER: Final = re.compile(r"GDPR art\. ?6\(1\)\(([a-f])\)")


_PURPOSE_FILES: Final = ("dpv-purposes.txt", "fideslang-uses.txt")
_CATEGORY_FILES: Final = ("dpv-personal-data.txt", "fideslang-categories.txt", "own.txt")


@cache
def purposes() -> frozenset[str]:
    """All purposes that the vocabularies name."""
    return _terms(_PURPOSE_FILES)


@cache
def categories() -> frozenset[str]:
    """All categories of personal data that the vocabularies name."""
    return _terms(_CATEGORY_FILES)


def unknown(term: str, among: frozenset[str]) -> str:
    """What is wrong with a term, with those that look like it; empty if a vocabulary has it."""
    if term in among:
        return ""
    near = get_close_matches(term, among, n=3, cutoff=0.6)
    hint = f"like it: {', '.join(near)}" if near else "unseen law terms lists those there are"
    return f"{term[:80]!r} is in no vocabulary ({hint})"


def _terms(names: tuple[str, ...]) -> frozenset[str]:
    folder = files(__package__) / "vocabularies"
    lines = (line for name in names for line in (folder / name).read_text(encoding="utf-8").splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def field_of(purpose: str) -> Field:
    """The field of a purpose as an agreement names it."""
    return PURPOSES.get(purpose, Field.UNKNOWN)


def basis_of(text: str) -> str:
    """The legal basis that a text begins with, by name or by its letter in the GDPR; else `none`.

    `contract: loan agreement` is `contract`, and so is `GDPR art. 6(1)(b): loan agreement`.
    """
    if letter := _LETTER.match(text):
        return BASES["abcdef".index(letter[1])]
    word = text.partition(":")[0].strip().lower().replace(" ", "-").replace("_", "-")
    return word if word in BASES else NO_BASIS
