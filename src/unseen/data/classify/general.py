"""Identifiers that are not a state's: cards, accounts, telephones, addresses of mail and machines, places.

Sources: ISO/IEC 7812-1 and the networks' published ranges (cards), ISO 13616 (IBAN), ITU-T E.164 and the five
jurisdictions' numbering plans (telephones), RFC 5321 (mail), RFC 791 and 4291 (IP), IEEE 802 (MAC), 3GPP TS 23.003
(IMEI), RFC 9562 (UUID).
"""

from __future__ import annotations

from typing import Final

from unseen.data.classify.digits import luhn, mod_97
from unseen.data.classify.recogniser import Recogniser

CARD: Final = "user.financial.credit_card"
ACCOUNT: Final = "user.financial.bank_account"
EMAIL: Final = "user.contact.email"
PHONE: Final = "user.contact.phone_number"
DEVICE: Final = "user.device.device_id"
IP: Final = "user.device.ip_address"
PLACE: Final = "user.location.precise"
PSEUDONYM: Final = "user.unique_id.pseudonymous"
STREET: Final = "user.contact.address.street"

_CARD: Final = (
    r"4(?:[ -]?\d){12}(?:(?:[ -]?\d){3}){0,2}"  # Visa
    r"|5[1-5](?:[ -]?\d){14}|2[2-7](?:[ -]?\d){14}"  # Mastercard
    r"|3[47](?:[ -]?\d){13}|3[068](?:[ -]?\d){12}|35(?:[ -]?\d){14}|(?:2131|1800)\d{11}"  # Amex, Diners, JCB
    r"|6(?:011|4[4-9]\d|5\d\d)(?:[ -]?\d){12}|62(?:[ -]?\d){14,17}"  # Discover, UnionPay
    r"|(?:50|5[6-9]|6\d)(?:[ -]?\d){10,17}"  # Maestro
)
_PHONE: Final = (
    r"(?:\+|00)[1-9]\d{0,2}[ .-]?(?:\(0\)[ .-]?)?\(?\d{1,4}\)?(?:[ .-]?\d{2,5}){1,4}(?: ?x\d+)?"  # E.164
    r"|(?:(?:\+|00)?1[ .-]?)?\([2-9]\d\d\)[ .-]?\d{3}[ .-]?\d{4}(?:x\d+)?"  # North America
    r"|(?:(?:\+|00)?1[ .-])?[2-9]\d\d[.-]\d{3}[.-]\d{4}(?:x\d+)?"
    r"|(?:\(\+44\)|\(0\d{1,5}\)|0\d{1,5})[ -]{0,2}\(?0?\)?\d{1,6}(?:[ -]?\d{2,6}){1,3}"  # Europe, with a trunk 0
    r"|0[1-9](?:[ .]\d\d){4}"  # France
    r"|0[5-9]0-\d{4}-\d{4}|\d{2,4}-\d{2,4}-\d{4}"  # Japan
    r"|04\d\d[ .-]?\d{3}[ .-]?\d{3}|\(?0[23478]\)?[ .-]{1,2}\d{4}[ .-]\d{4}|\d{4}-\d{4}"  # Australia
    r"|1[3-9]\d{9}|1[3-9]\d-\d{4}-\d{4}"  # China
)
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_HEX: Final = r"[0-9A-Fa-f]"
_GROUPS: Final = rf"{_HEX}{{1,4}}(?::{_HEX}{{1,4}})"
_IPV6: Final = rf"{_GROUPS}{{7}}|(?:{_GROUPS}{{0,6}})?::(?:{_GROUPS}{{0,6}})?"
_STREET: Final = (
    r"\d+[A-Za-z]?(?:[/-]\d+)?,? .*\b(?:street|st|road|rd|avenue|ave|av|lane|ln|drive|dr|court|ct"
    r"|way|boulevard|blvd"
    r"|place|pl|square|sq|terrace|parade|pde|crescent|highway|hwy|parkway|pkwy|trail|circle|cir"
    r"|rue|quai|chemin|impasse"
    r"|allée|cours)\b.*"
    r"|.*(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee|ring|damm|ufer|straat|laan|gatan|vägen|vej|gade|katu|tie)"
    r"[ ,].*\d.*"
    r"|(?:via|viale|piazza|corso|calle|avenida|av\.|plaza|paseo|rua|praça|ulica|ul\.|al\.|rue) .*\d.*"
    r"|\d+(?: ?(?:bis|ter|,))?,? (?:rue|avenue|boulevard|place|chemin|impasse|quai|allée|cours) .*"
    r"|(?:p\.? ?o\.? box|postfach|boîte postale) .*\d.*"
    r"|.*(?:[路街道巷弄村]|大道|胡同).{0,6}[座号號栋室楼].*"
    r"|.*[都道府県].*[市区町村].*\d+(?:-\d+)+.*"
)

GENERAL: Final = (
    Recogniser("card-luhn", CARD, _CARD, luhn, 0.1),
    Recogniser("iban", ACCOUNT, r"[A-Z]{2}\d\d(?: ?[A-Z0-9]{1,4}){3,8}", mod_97, 0.01),
    Recogniser("email", EMAIL, r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z0-9-]{2,}", chance=0.001),
    Recogniser("telephone", PHONE, _PHONE, chance=0.15),
    Recogniser("ipv4", IP, rf"(?:{_OCTET}\.){{3}}{_OCTET}(?:/\d\d?)?", chance=0.01),
    Recogniser("ipv6", IP, _IPV6, chance=0.01),
    Recogniser("mac", DEVICE, rf"{_HEX}{{2}}(?:[:-]{_HEX}{{2}}){{5}}", chance=0.001),
    Recogniser("imei", DEVICE, r"(?:01|35|86|99)\d{13}|(?:01|35|86|99)-\d{6}-\d{6}-\d", luhn, 0.1, "-"),
    Recogniser("uuid", PSEUDONYM, rf"\{{?{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}\}}?", chance=0.001),
    Recogniser("coordinates", PLACE, r"\(?-?\d{1,2}\.\d{3,}[,; ] ?-?\d{1,3}\.\d{3,}\)?", chance=0.01),
    Recogniser("user-agent", DEVICE, r"(?:Mozilla|Opera|Dalvik)/\d.*", chance=0.001),
    Recogniser("street", STREET, f"(?i){_STREET}", chance=0.05),
)

IN_TEXT: Final = (
    ("email", r"[\w.+-]+@[\w-]+\.[\w.]{2,}"),
    ("card", r"\b(?:\d[ -]?){13,19}\b"),
    ("telephone", r"(?:\+|\b00)\d[\d ().-]{7,}\d"),
    ("iban", r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){3,7}"),
    ("identity-paper", r"\b[A-Z]{1,2}\d{7,9}\b|\b\d{3}-\d\d-\d{4}\b"),
)
"""What free text may hold of a person, by patterns that are searched in it."""
