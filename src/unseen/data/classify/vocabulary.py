"""What a column's name says it holds: words of five languages, and the shape that its values must then have.

A name alone proves nothing; it is believed where most values could be what it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

TEXT: Final = r".*\pL.*"
NUMBER: Final = r"-?[\d., ]+(?:[eE][+-]?\d+)?%?"
DAY: Final = (
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d\d){1,2}|(?:19|20)\d{6}"
    r"|\d{1,2} \pL+\.? \d{4}|\pL+ \d{1,2}, \d{4}"
)
CODE: Final = r"[\pL\d][\pL\d ./_-]*"
ANY: Final = r"(?s).+"
LEVELS: Final = r".{1,40}"


@dataclass(frozen=True)
class Word:
    """A category, the words of a name that speak for it, and the shape of its values (RE2, matched whole).

    `special` marks what GDPR articles 9 and 10 cover beyond the category's own table.
    """

    category: str
    words: str
    shape: str = ANY
    rule: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?:^|_)(?:{self.words})(?:_|$)|{self._unspaced}")

    @property
    def _unspaced(self) -> str:
        """Words of scripts without blanks count wherever they stand."""
        parts = [part for part in self.words.split("|") if not part.isascii() and part.isalpha()]
        return "|".join(re.escape(part) for part in parts) or r"(?!)"


VOCABULARY: Final = (
    # What authenticates
    Word(
        "user.authorization.password", "password|passwd|pwd|passphrase|passwort|mot_de_passe|密码|口令|パスワード"
    ),
    Word(
        "user.authorization.credentials",
        "cvv2?|cvc2?|cvn2?|pin|pin_code|otp|secret|security_code|api_key|token|验证码",
    ),
    Word(
        "user.biometric",
        "fingerprint|face_?id|faceprint|iris|retina|voiceprint|biometric\\w*|指纹|人脸|虹膜|声纹|指紋",
    ),
    # Special categories
    Word(
        "user.health_and_medical",
        "diagnos\\w*|icd_?(?:9|10)?(?:_code)?|disease|illness|medical\\w*|health\\w*"
        "|blood_?(?:type|group)|allerg\\w*|disabilit\\w*"
        "|disabled|medication|prescription|treatment|patient_?\\w*|hiv\\w*|pregnan\\w*|smoker"
        "|krankheit|gesundheit\\w*|maladie|santé"
        "|病史|疾病|诊断|健康|血型|病歴|診断|血液型",
    ),
    Word("user.health_and_medical.genetic", "genetic\\w*|genome|dna|genotype|基因|遺伝\\w*"),
    Word(
        "user.demographic.religious_belief",
        "religio\\w*|faith|church|denomination|konfession|kirche\\w*|宗教|信仰",
    ),
    Word(
        "user.demographic.race_ethnicity",
        "race|ethnic\\w*|ethnie|民族|人種|hautfarbe|skin_colou?r",
    ),
    Word(
        "user.demographic.political_opinion",
        "politic\\w*|political_party|party_(?:membership|affiliation)|parteizugeh\\w*|政治面貌|政党|支持政党",
    ),
    Word(
        "user.demographic.profile",
        "(?:trade|labou?r)_?union\\w*|union_(?:member\\w*|fees?|dues)|unionized|gewerkschaft\\w*|syndicat"
        "|工会|労働組合",
        rule="union",
    ),
    Word("user.demographic.sexual_orientation", "sexual_\\w+|orientation_sexuelle|性取向|性的指向"),
    Word(
        "user.criminal_history",
        "criminal\\w*|conviction\\w*|offen[cs]e|felony|vorstrafen?|犯罪\\w*|前科|casier_judiciaire",
    ),
    # Papers
    Word(
        "user.government_id.passport_number",
        "passport(?:_?(?:no|num|number|id))?|reisepass\\w*|passeport\\w*|护照\\w*|旅券\\w*|パスポート",
        r"(?i)[A-Z0-9][A-Z0-9 -]{5,11}",
    ),
    Word(
        "user.government_id.drivers_license_number",
        "(?:drivers?|driving)_?licen[cs]e\\w*|licen[cs]e_?(?:no|number)|führerschein\\w*"
        "|fuehrerschein\\w*|permis_de_conduire|驾驶证\\w*|免許\\w*",
        r"(?i)[A-Z0-9][A-Z0-9 *-]{4,20}",
    ),
    Word(
        "user.government_id.vehicle_registration",
        "licen[cs]e_plate|plate(?:_?(?:no|number))?|number_plate|vehicle_?reg\\w*|vin"
        "|kennzeichen|immatriculation|车牌\\w*|ナンバープレート",
        r"[\pL\d][\pL\d ·.-]{2,19}",
    ),
    Word(
        "user.government_id.national_identification_number",
        "national_?id\\w*|ssn|social_?security\\w*|tax_?(?:id|no|number|file)\\w*|tin|itin|ein"
        "|nino|national_?insurance\\w*|tfn|abn|medicare\\w*"
        "|steuer_?(?:id|nummer)|nir|dni|nie|codice_?fiscale|bsn|pesel|personnummer"
        "|identity_?(?:no|number|card)|id_?card\\w*|id_?(?:no|number)|citizen_?id"
        "|身份证\\w*|证件号\\w*|マイナンバー|個人番号|my_?number|kojin_bango|resident_?id",
        r"(?i)[A-Z0-9][A-Z0-9 ./+-]{5,22}",
    ),
    # Accounts
    Word(
        "user.financial.credit_card",
        "(?:credit_?|debit_?|bank_?|payment_?)?card_?(?:no|num|number|pan)?|pan|cc_?(?:no|num"
        "|number)?|kreditkarte\\w*|(?:card|cc)_?(?:expiry|exp\\w*|valid\\w*)|银行卡\\w*|卡号"
        "|カード番号",
        r"[\d ,.*/-]{4,23}|\d[\d.,]*[eE]\+?\d+|\pL{3}-\d\d",
    ),
    Word(
        "user.financial.bank_account",
        "iban|(?:bank_?)?(?:account|acct|acc)_?(?:no|num|number|id)|bank_?account\\w*"
        "|konto(?:nummer)?|compte_bancaire|银行账号|账号|账户|口座番号",
        r"(?i)[A-Z0-9][A-Z0-9 -]{4,40}",
    ),
    # Contact
    Word(
        "user.contact.email",
        "e_?mails?(?:_?(?:address|addr))?|courriel|邮箱|电子邮件|メール\\w*",
        r"[^@\s]+@[^@\s]+",
    ),
    Word(
        "user.contact.phone_number",
        "(?:tele)?phone(?:_?(?:no|num|number))?|(?:mobile|cell|home|work"
        "|contact)_?(?:phone)?(?:_?(?:no|num|number))?|tel|telefon\\w*|telephone_?\\w*|handy\\w*"
        "|téléphone|portable|手机\\w*|电话\\w*|電話\\w*|携帯\\w*",
        r"\+?[\d(][\d ()./x+-]{4,24}",
    ),
    Word(
        "user.contact.address.postal_code",
        "zip(?:_?code)?|post(?:al)?_?code|plz|postleitzahl|code_postal|邮编|邮政编码|郵便番号",
        r"(?i)[A-Z0-9][A-Z0-9 -]{2,9}",
    ),
    Word("user.contact.address.street", "street\\w*|street_?(?:address|name)|strasse|straße|rue|街道", TEXT),
    Word(
        "user.contact.address.city",
        "city|town|ort|stadt|ville|municipality|suburb|城市|市区町村|(?:birth_?)?place_of_birth|birth_?place",
        TEXT,
    ),
    Word(
        "user.contact.address.state",
        "state|state_full|province|region|county|prefecture|bundesland|省份|都道府県|residence_state",
        r".*\pL.*",
    ),
    Word(
        "user.contact.address.country", "country\\w*|nation|nationality|citizenship|land|pays|国家|国籍|国", TEXT
    ),
    Word(
        "user.contact.address",
        "(?:home|postal|mailing|billing|residential|full"
        "|delivery)?_?addr(?:ess)?(?:_?(?:line)?_?\\d)?|anschrift|adresse|wohnort|住址|地址|住所",
        TEXT,
    ),
    Word("user.contact.url", "url|website|homepage|domain|web_?site", r"(?i)[a-z0-9:/.-]+\.[a-z]{2,}.*"),
    # The person
    Word("user.name.first", "(?:first|given|fore|christian)_?name|vorname|prénom|prenom|fname|名", TEXT),
    Word(
        "user.name.last",
        "(?:last|family|sur|maiden)_?name|surname|nachname|familienname|nom_de_famille|lname"
        "|mothers_maiden\\w*|姓",
        TEXT,
    ),
    Word(
        "user.name",
        "(?:full|customer|client|person|holder|account_?holder|card_?holder|beneficiary|owner"
        "|contact|applicant|borrower|insured|patient|employee|legal|middle)_?(?:full_?)?name"
        "|name|nom|middle_?(?:name|initial)|姓名|氏名|名前|客户名称|borrower|cardholder",
        TEXT,
    ),
    Word(
        "user.demographic.date_of_birth",
        "dob|birth_?(?:day|date)|date_?of_?birth|born(?:_on)?|geburts(?:datum|tag)"
        "|date_de_naissance|naissance|出生\\w*|生年月日|生日",
        DAY,
    ),
    Word(
        "user.demographic.age_range",
        "age|age_?(?:range|group|band|years)|alter|âge|年龄|年齢",
        r"\d{1,3}(?:\.\d+)?|\d{1,3} ?[-–] ?\d{1,3}|\d{2,3}\+|[<>]=? ?\d{1,3}",
    ),
    Word("user.demographic.gender", "gender|sex|geschlecht|sexe|salutation|anrede|title|性别|性別", LEVELS),
    Word(
        "user.demographic.marital_status",
        "marital\\w*|marriage|married|civil_?status|familienstand|personal_status\\w*|婚姻\\w*|婚姻状况",
        LEVELS,
    ),
    Word(
        "user.demographic.language",
        "(?:native_|preferred_)?language|mother_?tongue|sprache|langue|语言|言語",
        LEVELS,
    ),
    Word("user.job_title", "occupation|job(?:_?title)?|profession|beruf|métier|职业|職業|position_title", TEXT),
    Word(
        "user.workplace", "employer(?:_?name)?|company|workplace|arbeitgeber|employeur|雇主|工作单位|勤務先", TEXT
    ),
    Word(
        "user.account.username",
        "user_?name|login(?:_?(?:name|id))?|user_?login|nickname|screen_?name|benutzername|用户名|ユーザー名",
        r"\S{3,64}",
    ),
    # Machines and places
    Word(
        "user.device.ip_address",
        "ip|ip_?(?:v4|v6)?_?(?:addr|address)?|client_?ip|last_?ip",
        r"[0-9a-fA-F:.]{3,45}(?:/\d+)?",
    ),
    Word(
        "user.device.device_id",
        "(?:device|hardware)_?(?:id|mac|uuid|serial)|mac(?:_?(?:addr|address))?|imei|imsi|idfa"
        "|gaid|advertising_?id|android_?id|user_?agent|browser_?user_?agent|设备\\w*",
        ANY,
    ),
    Word("user.device.cookie_id", "cookie(?:_?id)?|session_?id", CODE),
    Word(
        "user.location.precise",
        "lat|lon|lng|latitude|longitude|geo_?\\w*|gps\\w*|coordinates?|经度|纬度|緯度|経度",
        r"\(?-?\d{1,3}(?:\.\d+)?(?:[,; ]+-?\d{1,3}(?:\.\d+)?)?\)?",
    ),
    # Finances
    Word(
        "user.financial",
        "(?:\\w+_)?(?:balance|income|salary|wage|wages|revenue|net_?worth|earnings|pension"
        "|turnover)(?:_\\w+)?|inc|annual_inc|(?:credit_?)?limit(?:_\\w+)?|bill_amt\\d?"
        "|pay_amt\\d?|credit_?amount"
        "|funded_amnt|loan_?(?:amount|amnt)|(?:total_)?(?:rev|bal)_?\\w*|savings|debt|einkommen"
        "|gehalt|kontostand|vermögen|revenus?|solde|salaire|收入|余额|工资|存款|资产|年収|残高"
        "|給与",
        NUMBER,
    ),
    # Numbers that stand for the person
    Word(
        "user.unique_id",
        "(?:customer|client|member|person|subject|user|account_holder|cust|party|borrower"
        "|policy_?holder|kunden?)_?(?:id|no|num|number|nr|key|ref)|kundennummer|numéro_client"
        "|客户号|客户编号|顧客番号|会員番号",
        CODE,
    ),
    Word("user.unique_id.pseudonymous", "guid|uuid|pseudonym|hashed?_?\\w*|token_?id", CODE),
)

ABOUT_SOMETHING: Final = re.compile(
    r"_(?:type|kind|network|flag|status|set|count|cnt|source|version|verified|verification_status"
    r"|country_code|scheme|format)$"
)
"""Endings that make of a name a word about the thing, not the thing: `card_network`, `national_id_type`."""


def plain_name(name: str) -> str:
    """A column's name as words in lower case, parted by underscores: `CCNumber` and `cc-number` alike."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^\w]+|_+", "_", parted.lower()).strip("_")


def spoken_for(name: str) -> list[Word]:
    """The words of the vocabulary that a column's name says, the most telling first."""
    plain = plain_name(name)
    if ABOUT_SOMETHING.search(plain) and not re.search(r"marital|civil|personal_status|blood", plain):
        return []
    return [word for word in VOCABULARY if word.pattern.search(plain)]
