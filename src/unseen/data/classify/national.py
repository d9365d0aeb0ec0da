"""Identifiers that states give to persons and firms, by jurisdiction, with their check digits.

Sources: for the Union the members' own publications as collected in the OECD's tax identification number notes;
SSA (SSN) and IRS (EIN, ITIN); Japan, ordinance 85 of 2014 (My Number); the Australian Taxation Office and
Services Australia; GB 11643-1999 and GB 32100-2015 (China). Each scheme is compared in the tests with
implementations that are not ours.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.data.classify.digits import Digits, Truths, day_of, luhn, mod_11_2, mod_11_10, number, weighted
from unseen.data.classify.recogniser import Recogniser

NATIONAL: Final = "user.government_id.national_identification_number"

# --- European Union and its neighbours -------------------------------------------------------------------


def german_tax(digits: Digits) -> Truths:
    """Steuer-Identifikationsnummer: of the first ten digits one comes twice or thrice, and mod 11,10."""
    counts = np.stack([(digits[:, :10] == each).sum(axis=1) for each in range(10)], axis=1)
    valid: Truths = mod_11_10(digits) & (counts.max(axis=1) <= 3) & (counts.max(axis=1) >= 2) & (digits[:, 0] != 0)
    return valid


def french_nir(digits: Digits) -> Truths:
    """Numéro d'inscription au répertoire: the key is 97 less the number mod 97; 2A and 2B count as 19 and 18."""
    body = digits[:, :13].copy()
    for letter, stands in ((10, 9), (11, 8)):
        corsican = body[:, 6] == letter
        body[corsican, 5], body[corsican, 6] = 1, stands
    key = 10 * digits[:, 13] + digits[:, 14]
    valid: Truths = (97 - number(body) % 97 == key) & (body.max(axis=1) < 10)
    return valid


_DNI: Final = np.array([int(sign, 36) for sign in "TRWAGMYFPDXBNJZSQVHLCKE"])


def spanish(digits: Digits) -> Truths:
    """DNI and NIE: the letter is the number mod 23; X, Y, Z stand for 0, 1, 2."""
    body = digits[:, :-1].copy()
    body[:, 0] = np.where(body[:, 0] >= 33, body[:, 0] - 33, body[:, 0])
    valid: Truths = _DNI[number(body) % 23] == digits[:, -1]
    return valid


_ODD: Final = np.array(
    [*[1, 0, 5, 7, 9, 13, 15, 17, 19, 21] * 2, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
)


def italian(digits: Digits) -> Truths:
    """Codice fiscale: odd places by a table, even places as they count, the sum mod 26 is a letter."""
    even = np.where(digits > 9, digits - 10, digits)
    total = _ODD[digits[:, 0:15:2]].sum(axis=1) + even[:, 1:15:2].sum(axis=1)
    valid: Truths = total % 26 == digits[:, 15] - 10
    return valid


def dutch(digits: Digits) -> Truths:
    """Burgerservicenummer: the test by eleven."""
    valid: Truths = (weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0) & (number(digits) > 0)
    return valid


def belgian(digits: Digits) -> Truths:
    """Rijksregisternummer: 97 less the first nine digits mod 97; for births since 2000 with a 2 before them."""
    key, body = number(digits[:, 9:]), number(digits[:, :9])
    valid: Truths = (97 - body % 97 == key) | (97 - (body + 2_000_000_000) % 97 == key)
    return valid


def polish(digits: Digits) -> Truths:
    """PESEL."""
    months = (10 * digits[:, 2] + digits[:, 3]) % 20
    valid: Truths = (
        (weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0) & (months >= 1) & (months <= 12)
    )
    return valid


def portuguese(digits: Digits) -> Truths:
    """Número de identificação fiscal."""
    left = weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    valid: Truths = np.where(left < 2, 0, 11 - left) == digits[:, 8]
    return valid


def swedish(digits: Digits) -> Truths:
    """Personnummer: Luhn over the last ten digits, which begin with a date."""
    last = digits[:, -10:]
    valid: Truths = luhn(last) & day_of(last, 0, 2, 4)
    return valid


_HETU: Final = np.array([int(sign, 36) for sign in "0123456789ABCDEFHJKLMNPRSTUVWXY"])


def finnish(digits: Digits) -> Truths:
    """Henkilötunnus: date, sign of the century, number, and a sign that is all digits mod 31."""
    body = digits[:, [0, 1, 2, 3, 4, 5, -4, -3, -2]]
    valid: Truths = _HETU[number(body) % 31] == digits[:, -1]
    valid &= day_of(digits, 4, 2, 0)
    return valid


def austrian(digits: Digits) -> Truths:
    """Sozialversicherungsnummer: the fourth digit is a sum mod 11."""
    total = weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    valid: Truths = (total == digits[:, 3]) & day_of(digits, 8, 6, 4)
    return valid


def czech(digits: Digits) -> Truths:
    """Rodné číslo of ten digits, Slovakia's too: nine mod eleven, ten being 0; women's months have 50 more."""
    months = (10 * digits[:, 2] + digits[:, 3]) % 50 % 20
    valid: Truths = (number(digits[:, :9]) % 11 % 10 == digits[:, 9]) & (months >= 1) & (months <= 12)
    return valid


def romanian(digits: Digits) -> Truths:
    """Cod numeric personal."""
    left = weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    valid: Truths = (np.where(left == 10, 1, left) == digits[:, 12]) & day_of(digits, 1, 3, 5)
    return valid


def bulgarian(digits: Digits) -> Truths:
    """Edinen grazhdanski nomer."""
    months = (10 * digits[:, 2] + digits[:, 3]) % 20
    check = weighted(digits, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10
    valid: Truths = (check == digits[:, 9]) & (months >= 1) & (months <= 12)
    return valid


def greek(digits: Digits) -> Truths:
    """AMKA: a date and Luhn."""
    valid: Truths = luhn(digits) & day_of(digits, 4, 2, 0)
    return valid


def irish(digits: Digits) -> Truths:
    """Personal public service number: seven digits and a letter mod 23, a second letter counting nine times."""
    total = weighted(digits, (8, 7, 6, 5, 4, 3, 2))
    if digits.shape[1] == 9:
        second = digits[:, 8] - 9
        total = total + 9 * np.where(second > 9, 0, second)  # W, T and X count for nothing
    left = total % 23
    valid: Truths = np.where(left == 0, 32, left + 9) == digits[:, 7]
    return valid


def baltic(digits: Digits) -> Truths:
    """Estonia's isikukood and Lithuania's asmens kodas: two rounds of weights mod 11."""
    first = weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    second = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11
    check = np.where(first < 10, first, np.where(second < 10, second, 0))
    valid: Truths = (check == digits[:, 10]) & day_of(digits, 1, 3, 5)
    return valid


EUROPE: Final = (
    Recogniser("de-tax-id", NATIONAL, r"[1-9]\d{10}|[1-9]\d \d{3} \d{3} \d{3}", german_tax, 0.1),
    Recogniser("fr-nir", NATIONAL, r"[1-478] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", french_nir, 0.01),
    Recogniser("es-dni-nie", NATIONAL, r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]", spanish, 0.05),
    Recogniser("it-codice-fiscale", NATIONAL, r"(?i)[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", italian, 0.04),
    Recogniser("nl-bsn", NATIONAL, r"\d{9}|\d{4}\.\d{2}\.\d{3}", dutch, 0.1),
    Recogniser("be-register", NATIONAL, r"\d{11}|\d\d\.\d\d\.\d\d-\d{3}\.\d\d", belgian, 0.03),
    Recogniser("pl-pesel", NATIONAL, r"\d{11}", polish, 0.05),
    Recogniser("pt-nif", NATIONAL, r"[125689]\d{8}|[125689]\d\d \d{3} \d{3}", portuguese, 0.1),
    Recogniser("se-personnummer", NATIONAL, r"(?:(?:19|20)?\d{6})[-+]?\d{4}", swedish, 0.04, r"[-+]"),
    Recogniser("fi-hetu", NATIONAL, r"(?i)\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", finnish, 0.02, r"[-+]"),
    Recogniser("at-svnr", NATIONAL, r"\d{10}|\d{4} \d{6}", austrian, 0.04),
    Recogniser("cz-rodne-cislo", NATIONAL, r"\d{6}/?\d{4}", czech, 0.1),
    Recogniser("ro-cnp", NATIONAL, r"[1-9]\d{12}", romanian, 0.04),
    Recogniser("bg-egn", NATIONAL, r"\d{10}", bulgarian, 0.1),
    Recogniser("gr-amka", NATIONAL, r"\d{11}", greek, 0.1),
    Recogniser("hr-oib", NATIONAL, r"\d{11}", mod_11_10, 0.1),
    Recogniser("ie-pps", NATIONAL, r"(?i)\d{7}[A-W][A-IWTX]?", irish, 0.05),
    Recogniser("ee-lt-code", NATIONAL, r"[1-6]\d{10}", baltic, 0.04),
    Recogniser("gb-nino", NATIONAL, r"(?i)[A-CEGHJ-PR-TW-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", chance=0.01),
    Recogniser(
        "eu-vat",
        NATIONAL,
        r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI"
        r"|SK) ?U?\d{8,12}(?:B\d\d)?",
        chance=0.02,
    ),
    Recogniser("dk-cpr", NATIONAL, r"[0-3]\d[01]\d\d\d-\d{4}", chance=0.1),
)

# --- United States -----------------------------------------------------------------------------------------


def social_security(digits: Digits) -> Truths:
    """SSN and ITIN: neither area 000 or 666, nor group 00, nor serial 0000."""
    area, group, serial = number(digits[:, :3]), number(digits[:, 3:5]), number(digits[:, 5:])
    valid: Truths = (area > 0) & (area != 666) & (group > 0) & (serial > 0)
    return valid


UNITED_STATES: Final = (
    Recogniser("us-ssn", NATIONAL, r"\d{3}-\d\d-\d{4}|\d{3} \d\d \d{4}", social_security, 0.05),
    Recogniser("us-ssn-bare", NATIONAL, r"\d{9}", social_security, 0.9),
    Recogniser("us-ein", NATIONAL, r"(?:0[1-6]|[1-6]\d|7[1-7]|8[0-8]|9[0-589])-\d{7}", chance=0.1),
)

# --- Japan -------------------------------------------------------------------------------------------------


def my_number(digits: Digits) -> Truths:
    """Individual number: weights 6 5 4 3 2 7 6 5 4 3 2 mod 11."""
    left = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    valid: Truths = np.where(left <= 1, 0, 11 - left) == digits[:, 11]
    return valid


def japanese_firm(digits: Digits) -> Truths:
    """Corporate number: nine less the sum of the last twelve digits, weighted 2 and 1 by turns, mod 9."""
    body = digits[:, 1:][:, ::-1]
    total = (body * np.where(np.arange(12) % 2 == 0, 1, 2)).sum(axis=1)
    valid: Truths = 9 - total % 9 == digits[:, 0]
    return valid


JAPAN: Final = (
    Recogniser("jp-my-number", NATIONAL, r"\d{12}|\d{4}[- ]\d{4}[- ]\d{4}", my_number, 0.1),
    Recogniser("jp-corporate-number", NATIONAL, r"[1-9]\d{12}", japanese_firm, 0.12),
)

# --- Australia ---------------------------------------------------------------------------------------------


def tax_file(digits: Digits) -> Truths:
    """Tax file number of nine or eight digits."""
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if digits.shape[1] == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    valid: Truths = (weighted(digits, weights) % 11 == 0) & (number(digits) > 0)
    return valid


def business(digits: Digits) -> Truths:
    """Australian business number: the first digit less one, then mod 89."""
    less = digits.copy()
    less[:, 0] -= 1
    valid: Truths = weighted(less, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0
    return valid


def medicare(digits: Digits) -> Truths:
    """Medicare card number: the ninth digit is a weighted sum of eight mod 10."""
    valid: Truths = weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == digits[:, 8]
    return valid


AUSTRALIA: Final = (
    Recogniser("au-tfn", NATIONAL, r"\d{3} ?\d{3} ?\d{2,3}", tax_file, 0.1),
    Recogniser("au-abn", NATIONAL, r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", business, 0.02),
    Recogniser("au-medicare", NATIONAL, r"[2-6]\d{3} ?\d{5} ?[1-9](?:[ /-]?[1-9])?", medicare, 0.1),
)

# --- China -------------------------------------------------------------------------------------------------

_CREDIT_CODE: Final = np.array(
    ["0123456789ABCDEFGHJKLMNPQRTUWXY".find(sign) for sign in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
)


def resident(digits: Digits) -> Truths:
    """Resident identity number of 18 signs: a date of birth and mod 11-2."""
    valid: Truths = mod_11_2(digits) & day_of(digits, 6, 10, 12, 4)
    return valid


def credit_code(digits: Digits) -> Truths:
    """Unified social credit code of a firm: 18 signs mod 31."""
    values = _CREDIT_CODE[digits]
    weights = [pow(3, place, 31) for place in range(17)]
    valid: Truths = (31 - weighted(values, weights) % 31) % 31 == values[:, 17]
    valid &= values.min(axis=1) >= 0
    return valid


CHINA: Final = (
    Recogniser("cn-resident-id", NATIONAL, r"[1-8]\d{16}[\dXx]", resident, 0.01),
    Recogniser("cn-credit-code", NATIONAL, r"[0-9A-HJ-NPQRTUWXY]{18}", credit_code, 0.04),
)

IDENTIFIERS: Final = (*EUROPE, *UNITED_STATES, *JAPAN, *AUSTRALIA, *CHINA)
