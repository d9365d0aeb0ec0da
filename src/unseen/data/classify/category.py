"""The categories that a column can be found to hold, and how sensitive each is.

Keys are those of the Fides taxonomy (`fideslang`). The class is that of JR/T 0171-2020 (C3 authenticates a person,
C2 names them or shows their finances, C1 is internal); the level follows from it as annex A of JR/T 0197-2020
maps classes to levels: C3 to 4, C2 to 3, C1 to 2. What GDPR articles 9 and 10 cover is level 4 whatever its
class. Level 5 is for data of national importance, which no column shows by itself: a steward sets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unseen.data.dataset import FinancialClass, Level

GENERAL: Final = "user"
"""Something about the person of the row, of no kind that is known here."""


@dataclass(frozen=True)
class Category:
    """A category's key, class in JR/T 0171, and whether GDPR article 9 or 10 covers it."""

    key: str
    financial: FinancialClass
    special: bool = False

    @property
    def level(self) -> Level:
        if self.special or self.financial is FinancialClass.C3:
            return Level.HIGHLY_SENSITIVE
        return Level.SENSITIVE if self.financial is FinancialClass.C2 else Level.INTERNAL


_C1: Final = (
    "user user.demographic.language user.contact.address.country user.contact.address.state user.contact.url"
)
_C2: Final = """
    user.name user.name.first user.name.last user.unique_id user.unique_id.pseudonymous user.account.username
    user.government_id user.government_id.national_identification_number user.government_id.passport_number
    user.government_id.drivers_license_number user.government_id.vehicle_registration
    user.government_id.immigration
    user.contact user.contact.email user.contact.phone_number user.contact.address user.contact.address.street
    user.contact.address.city user.contact.address.postal_code user.location.precise user.location.imprecise
    user.financial user.financial.bank_account user.financial.credit_card user.demographic
    user.demographic.date_of_birth user.demographic.age_range user.demographic.gender
    user.demographic.marital_status user.device.ip_address user.device.device_id user.device.cookie_id
    user.job_title user.workplace user.content.private user.behavior.purchase_history
"""
_C3: Final = "user.authorization.password user.authorization.credentials"
_C3_SPECIAL: Final = "user.biometric user.authorization.biometric"
_SPECIAL: Final = """
    user.health_and_medical user.health_and_medical.genetic user.demographic.race_ethnicity
    user.demographic.religious_belief user.demographic.political_opinion user.demographic.sexual_orientation
    user.demographic.profile user.criminal_history
"""
"""`user.demographic.profile` stands for union membership, which the taxonomy has no key for."""


def _table() -> dict[str, Category]:
    kinds = [
        (_C1, FinancialClass.C1, False),
        (_C2, FinancialClass.C2, False),
        (_C3, FinancialClass.C3, False),
        (_C3_SPECIAL, FinancialClass.C3, True),
        (_SPECIAL, FinancialClass.C2, True),
    ]
    return {key: Category(key, financial, special) for keys, financial, special in kinds for key in keys.split()}


CATEGORIES: Final = _table()
