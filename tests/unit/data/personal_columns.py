"""Two hundred labelled columns, made by Faker and checked by python-stdnum, and how a classifier does on them.

    python tests/unit/data/personal_columns.py

prints the table of docs/benchmarks.md. Each kind of identifier comes under a telling name, under a name that says
nothing, and with a tenth of its values spoiled; decoys have the same shapes without the check digits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path

import pandas as pd
import pyarrow as pa
from faker import Faker

from unseen.data.classify.category import GENERAL
from unseen.data.classify.column import classify_column
from unseen.data.classify.dataset import sampled

ROWS = 120
NATIONAL = "user.government_id.national_identification_number"
CARD = "user.financial.credit_card"
ACCOUNT = "user.financial.bank_account"
EMAIL = "user.contact.email"
PHONE = "user.contact.phone_number"
IP = "user.device.ip_address"
DEVICE = "user.device.device_id"
PSEUDONYM = "user.unique_id.pseudonymous"
PATTERNS = (CARD, ACCOUNT, EMAIL, PHONE, NATIONAL, IP, DEVICE, PSEUDONYM)
"""Categories of pattern identifiers, of which at least 0.95 must be found and 0.95 of what is found be right."""

VALIDATED = {
    "us_ssn": ("us.ssn", "###-##-####", NATIONAL),
    "steuer_id": ("de.idnr", "###########", NATIONAL),
    "nir": ("fr.nir", "1##1###########", NATIONAL),
    "dni": ("es.dni", "########A", NATIONAL),
    "bsn": ("nl.bsn", "#########", NATIONAL),
    "rijksregister": ("be.nn", "##0########", NATIONAL),
    "pesel": ("pl.pesel", "##0#1######", NATIONAL),
    "nif": ("pt.nif", "2########", NATIONAL),
    "personnummer": ("se.personnummer", "##0#1#-####", NATIONAL),
    "hetu": ("fi.hetu", "1#0#7#-###A", NATIONAL),
    "svnr": ("at.vnr", "####1#0#7#", NATIONAL),
    "rodne_cislo": ("cz.rc", "##0#1#####", NATIONAL),
    "cnp": ("ro.cnp", "1##0#1#######", NATIONAL),
    "egn": ("bg.egn", "##0#1#####", NATIONAL),
    "amka": ("gr.amka", "1#0########", NATIONAL),
    "oib": ("hr.oib", "###########", NATIONAL),
    "pps": ("ie.pps", "#######AA", NATIONAL),
    "isikukood": ("ee.ik", "3##0#1#####", NATIONAL),
    "corporate_number": ("jp.cn", "#############", NATIONAL),
    "tfn": ("au.tfn", "#########", NATIONAL),
    "abn": ("au.abn", "###########", NATIONAL),
    "resident_id": ("cn.ric", "1101011980101#####", NATIONAL),
    "credit_code": ("cn.uscc", "911100#########A##", NATIONAL),
    "imei": ("imei", "35#############", DEVICE),
}
"""Column name: the module of stdnum that judges, a form (# any digit, A any letter), the category."""

FAKED = {
    "card_no": (("en_US",), lambda fake: fake.credit_card_number(), CARD),
    "iban": (("de_DE", "fr_FR", "en_GB", "it_IT", "nl_NL"), lambda fake: fake.iban(), ACCOUNT),
    "email": (("en_US", "de_DE"), lambda fake: fake.email(), EMAIL),
    "us_phone": (("en_US",), lambda fake: fake.phone_number(), PHONE),
    "telefon": (("de_DE",), lambda fake: fake.phone_number(), PHONE),
    "telephone": (("fr_FR",), lambda fake: fake.phone_number(), PHONE),
    "keitai_phone": (("ja_JP",), lambda fake: fake.phone_number(), PHONE),
    "cn_mobile": (("zh_CN",), lambda fake: fake.phone_number(), PHONE),
    "mobile": (("en_AU",), lambda fake: fake.phone_number(), PHONE),
    "ip": (("en_US",), lambda fake: fake.ipv4(), IP),
    "last_ip": (("en_US",), lambda fake: fake.ipv6(), IP),
    "mac": (("en_US",), lambda fake: fake.mac_address(), DEVICE),
    "user_agent": (("en_US",), lambda fake: fake.user_agent(), DEVICE),
    "guid": (("en_US",), lambda fake: str(fake.uuid4()), PSEUDONYM),
    "codice_fiscale": (("it_IT",), lambda fake: fake.ssn(), NATIONAL),
    "name": (("en_US", "de_DE", "fr_FR"), lambda fake: fake.name(), "user.name"),
    "customer_name": (("zh_CN", "ja_JP"), lambda fake: fake.name(), "user.name"),
    "vorname": (("de_DE", "en_US"), lambda fake: fake.first_name(), "user.name.first"),
    "surname": (("en_US", "de_DE"), lambda fake: fake.last_name(), "user.name.last"),
    "dob": (("en_US",), lambda fake: str(fake.date_of_birth(None, 18, 90)), "user.demographic.date_of_birth"),
}
"""Column name: locales, what makes a value, the category. All are told from other columns by values alone."""

NAMED = {
    "session_id": (lambda fake: fake.bothify("????####????").lower(), "user.device.cookie_id"),
    "sexual_orientation": (lambda fake: fake.random_element(["a", "b"]), "user.demographic.sexual_orientation"),
    "website": (lambda fake: fake.url(), "user.contact.url"),
    "state": (lambda fake: fake.state(), "user.contact.address.state"),
    "client_no": (lambda fake: fake.numerify("%#######"), "user.unique_id"),
    "driving_licence": (
        lambda fake: fake.bothify("?#######").upper(),
        "user.government_id.drivers_license_number",
    ),
    "smoker": (lambda fake: fake.random_element(["yes", "no"]), "user.health_and_medical"),
    "birth_date": (
        lambda fake: fake.date_of_birth(None, 18, 90).strftime("%d.%m.%Y"),
        "user.demographic.date_of_birth",
    ),
    "longitude": (lambda fake: str(fake.longitude()), "user.location.precise"),
    "household_income": (lambda fake: str(fake.random_int(900, 99000)), "user.financial"),
    "net_salary": (lambda fake: str(fake.random_int(900, 9000)), "user.financial"),
    "nationality": (lambda fake: fake.country(), "user.contact.address.country"),
    "cvc": (lambda fake: fake.credit_card_security_code(), "user.authorization.credentials"),
    "street": (lambda fake: fake.street_address(), "user.contact.address.street"),
    "city": (lambda fake: fake.city(), "user.contact.address.city"),
    "zip": (lambda fake: fake.postcode(), "user.contact.address.postal_code"),
    "home_address": (lambda fake: fake.address().replace("\n", ", "), "user.contact.address"),
    "country": (lambda fake: fake.country(), "user.contact.address.country"),
    "passport_no": (lambda fake: fake.passport_number(), "user.government_id.passport_number"),
    "licence_plate": (lambda fake: fake.license_plate(), "user.government_id.vehicle_registration"),
    "gender": (lambda fake: fake.random_element(["m", "f", "x"]), "user.demographic.gender"),
    "age": (lambda fake: str(fake.random_int(18, 99)), "user.demographic.age_range"),
    "marital_status": (lambda fake: fake.random_element(["single", "married"]), "user.demographic.marital_status"),
    "occupation": (lambda fake: fake.job(), "user.job_title"),
    "employer": (lambda fake: fake.company(), "user.workplace"),
    "username": (lambda fake: fake.user_name(), "user.account.username"),
    "password": (lambda fake: fake.password(), "user.authorization.password"),
    "cvv": (lambda fake: fake.credit_card_security_code(), "user.authorization.credentials"),
    "annual_income": (lambda fake: f"{fake.random_int(9000, 250000)}.{fake.random_int(0, 99)}", "user.financial"),
    "account_balance": (lambda fake: str(fake.random_int(-900, 90000)), "user.financial"),
    "bank_account_no": (lambda fake: fake.bban(), ACCOUNT),
    "latitude": (lambda fake: str(fake.latitude()), "user.location.precise"),
    "religion": (lambda fake: fake.random_element(["none", "islam"]), "user.demographic.religious_belief"),
    "ethnicity": (lambda fake: fake.random_element(["a", "b"]), "user.demographic.race_ethnicity"),
    "union_member": (lambda fake: fake.random_element(["yes", "no"]), "user.demographic.profile"),
    "diagnosis": (lambda fake: fake.random_element(["J45", "E11"]), "user.health_and_medical"),
    "blood_type": (lambda fake: fake.random_element(["A+", "0-"]), "user.health_and_medical"),
    "criminal_record": (lambda fake: fake.random_element(["yes", "no"]), "user.criminal_history"),
    "political_party": (lambda fake: fake.random_element(["red", "blue"]), "user.demographic.political_opinion"),
    "customer_id": (lambda fake: fake.bothify("C#######"), "user.unique_id"),
    "note": (lambda fake: f"called {fake.email()} about the loan again", "user.content.private"),
}
"""Column name: what makes a value, and the category, which only the name can tell."""

DECOYS: dict[str, Callable[[Faker], str]] = {
    **{f"ref_{length}": lambda fake, n=length: fake.numerify("%" + "#" * (n - 1)) for length in range(6, 20)},
    **{
        f"code_{length}": lambda fake, n=length: fake.bothify("?" * 2 + "#" * n).upper() for length in range(3, 12)
    },
    "amount": lambda fake: f"{fake.random_int(1, 9999)}.{fake.random_int(10, 99)}",
    "opened": lambda fake: str(fake.date_between("-12y", "today")),
    "booked_at": lambda fake: str(fake.date_time_between("-3y")),
    "status": lambda fake: fake.random_element(["open", "closed"]),
    "grade": lambda fake: fake.random_element("ABCDE"),
    "rate": lambda fake: f"0.{fake.random_int(10, 999)}",
    "currency": lambda fake: fake.currency_code(),
    "branch": lambda fake: fake.numerify("####"),
    "product": lambda fake: fake.random_element(["loan", "card", "deposit", "lease"]),
    "bic": lambda fake: fake.swift(),
    "isbn": lambda fake: fake.isbn13(),
    "colour": lambda fake: fake.color_name(),
    "digest": lambda fake: fake.sha1(),
    "version": lambda fake: f"{fake.random_int(0, 9)}.{fake.random_int(0, 99)}.{fake.random_int(0, 99)}",
    "channel": lambda fake: fake.random_element(["app", "web", "branch"]),
    "card_network": lambda fake: fake.credit_card_provider(),
    "national_id_type": lambda fake: fake.random_element(["SSN", "NIR"]),
    "sequence": lambda fake: str(100_000_000 + fake.unique.random_int(0, 99_999)),
    "tracking": lambda fake: fake.bothify("1Z ### ??# ## #### ### #").upper(),
    "file": lambda fake: fake.file_name(),
    "word": lambda fake: fake.word(),
    "euro": lambda fake: f"EUR {fake.random_int(1, 999)}",
    "hour": lambda fake: fake.time(),
    "score": lambda fake: str(fake.random_int(300, 850)),
}


@dataclass(frozen=True)
class Labelled:
    """A column's name, its values, and the category that it truly holds."""

    name: str
    values: list[str]
    category: str


def generated() -> list[Labelled]:
    """All columns, the same each time."""
    draw = random.Random(2026)
    Faker.seed(2026)
    columns: list[Labelled] = []
    for name, (module, form, category) in VALIDATED.items():
        values = _validated(module, form, draw)
        columns += _variants(name, values, category, draw, 3)
    for name, (locales, make, category) in FAKED.items():
        fake = Faker(list(locales))
        columns += _variants(name, [make(fake) for _ in range(ROWS)], category, draw, 2)
    fake = Faker(["en_US"])
    fake.seed_instance(2026)
    for name, (make, category) in NAMED.items():
        columns.append(Labelled(name, [make(fake) for _ in range(ROWS)], category))
    for name, decoy in DECOYS.items():
        columns.append(Labelled(name, [decoy(fake) for _ in range(ROWS)], GENERAL))
    return columns


def _variants(name: str, values: list[str], category: str, draw: random.Random, count: int) -> list[Labelled]:
    spoiled = [value if draw.random() > 0.1 else draw.choice(["n/a", "0", "unknown"]) for value in values]
    number = draw.randrange(10**4)
    made = [
        Labelled(name, values, category),
        Labelled(f"c{number}", values, category),
        Labelled(f"field_{number}", spoiled, category),
    ]
    return made[:count]


def _validated(module: str, form: str, draw: random.Random) -> list[str]:
    """Numbers of the form that the oracle accepts: the last two signs are tried until it does."""
    oracle = import_module(f"stdnum.{module}")
    signs = {"#": "0123456789", "A": "ABCDEFGHJKLMNPQRTUWXY"}
    last = [place for place, sign in enumerate(form) if sign in signs][-2:]
    endings = list(product(*(signs[form[place]] for place in last)))
    found: list[str] = []
    for _ in range(100 * ROWS):
        number = [draw.choice(signs.get(sign, sign)) for sign in form]
        draw.shuffle(endings)
        for ending in endings:
            for place, sign in zip(last, ending, strict=True):
                number[place] = sign
            if oracle.is_valid("".join(number)):
                found.append("".join(number))
                break
        if len(found) == ROWS:
            return found
    raise AssertionError(f"{module} accepts hardly any number of the form {form}")


def of_faker_bank(folder: Path) -> list[Labelled]:
    """The columns of `faker_bank_customers_5000`, with the truth that its SOURCE.md states."""
    truth = {
        "full_name": "user.name",
        "national_id": NATIONAL,
        "passport_no": "user.government_id.passport_number",
        "email": EMAIL,
        "mobile_phone": PHONE,
        "home_address": "user.contact.address",
        "card_number": CARD,
        "card_expiry": CARD,
        "iban": ACCOUNT,
        "bank_account_no": ACCOUNT,
        "ip_address": IP,
        "device_mac": DEVICE,
        "licence_plate": "user.government_id.vehicle_registration",
        "username": "user.account.username",
        "customer_id": "user.unique_id",
        "sex": "user.demographic.gender",
        "date_of_birth": "user.demographic.date_of_birth",
        "city": "user.contact.address.city",
        "postcode": "user.contact.address.postal_code",
        "employer": "user.workplace",
        "occupation": "user.job_title",
        "annual_income": "user.financial",
        "note": "user.content.private",
    }
    return _labelled(folder / "faker_bank_customers_5000.csv.gz", truth)


def of_name_generator(folder: Path, file: str) -> list[Labelled]:
    """The columns of fakenamegenerator.com's files."""
    truth = {
        "Gender": "user.demographic.gender",
        "Title": "user.demographic.gender",
        "GivenName": "user.name.first",
        "MiddleInitial": "user.name",
        "Surname": "user.name.last",
        "MothersMaiden": "user.name.last",
        "StreetAddress": "user.contact.address.street",
        "City": "user.contact.address.city",
        "State": "user.contact.address.state",
        "StateFull": "user.contact.address.state",
        "ZipCode": "user.contact.address.postal_code",
        "Country": "user.contact.address.country",
        "CountryFull": "user.contact.address.country",
        "EmailAddress": EMAIL,
        "Username": "user.account.username",
        "Password": "user.authorization.password",
        "BrowserUserAgent": DEVICE,
        "TelephoneNumber": PHONE,
        "Birthday": "user.demographic.date_of_birth",
        "Age": "user.demographic.age_range",
        "CCNumber": CARD,
        "CCExpires": CARD,
        "CVV2": "user.authorization.credentials",
        "NationalID": NATIONAL,
        "Occupation": "user.job_title",
        "Company": "user.workplace",
        "Domain": "user.contact.url",
        "BloodType": "user.health_and_medical",
        "GUID": PSEUDONYM,
        "Latitude": "user.location.precise",
        "Longitude": "user.location.precise",
    }
    return _labelled(folder / file, truth)


def _labelled(path: Path, truth: dict[str, str]) -> list[Labelled]:
    table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    return [Labelled(name, table[name].to_list()[:2000], truth.get(name, GENERAL)) for name in table.columns]


@dataclass(frozen=True)
class Score:
    """Columns of a category: how many there are, how many were found, how many of those truly are of it."""

    there: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 1.0


def measured(columns: Iterable[Labelled]) -> tuple[dict[str, Score], list[str]]:
    """Scores by category, and a line for each column that was taken for something else."""
    said = [(column, classify_column(column.name, sampled(pa.array(column.values)))) for column in columns]
    categories = sorted({column.category for column, _ in said} | {found.category for _, found in said})
    scores = {
        category: Score(
            sum(column.category == category for column, _ in said),
            sum(found.category == category for _, found in said),
            sum(column.category == category == found.category for column, found in said),
        )
        for category in categories
    }
    wrong = [
        f"{column.name}: {column.category} taken for {found.category} ({found.evidence})"
        for column, found in said
        if column.category != found.category
    ]
    return scores, wrong


def table(scores: dict[str, Score]) -> str:
    """As Markdown."""
    lines = ["| category | columns | precision | recall |", "| --- | --- | --- | --- |"]
    for category, score in scores.items():
        name = "(none of them)" if category == GENERAL else category
        lines.append(f"| {name} | {score.there} | {score.precision:.2f} | {score.recall:.2f} |")
    return "\n".join(lines)


def main() -> None:
    folder = Path(__file__).parents[4] / "shared" / "data" / "pii_identities"
    sets = {
        "Generated": generated(),
        "faker_bank_customers_5000": of_faker_bank(folder),
        "fakenamegenerator_100": of_name_generator(folder, "fakenamegenerator_100.csv.gz"),
        "fakenamegenerator_3000": of_name_generator(folder, "fakenamegenerator_3000.csv.gz"),
    }
    for title, columns in sets.items():
        scores, wrong = measured(columns)
        print(f"\n**{title}**: {len(columns)} columns, {len(wrong)} wrong\n\n{table(scores)}\n")
        print("\n".join(wrong))


if __name__ == "__main__":
    main()
