"""Purposes by standard vocabularies, and the legal bases, as agreements name them.

Source: W3C Data Privacy Vocabulary 2 (prefix `dpv:`), purposes; fideslang 3 data uses (prefix `fides:`).
A purpose outside the table is `unknown`: packs then ask for evidence of their own.
"""

from __future__ import annotations

import re
from enum import StrEnum
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
