"""The decision over one column: what its values show, what its name says, and which of both is believed.

Values decide alone where a check digit or a telling shape fits most of them. Where many numbers of that shape
would pass by chance, or there is no shape at all (a balance, an occupation), the column's name must say so and the
values must be able to be what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.classify import presidio
from unseen.data.classify.category import CATEGORIES, GENERAL, Category
from unseen.data.classify.digits import Truths
from unseen.data.classify.general import GENERAL as IN_GENERAL
from unseen.data.classify.general import IN_TEXT
from unseen.data.classify.names import match_names
from unseen.data.classify.national import IDENTIFIERS
from unseen.data.classify.recogniser import ALONE, Recogniser
from unseen.data.classify.vocabulary import DAY, Word, spoken_for
from unseen.data.dataset import Classified, Evidence

RECOGNISERS: Final = (*IN_GENERAL, *IDENTIFIERS)
MOST: Final = 0.7
"""The share of values that must be of a category for the values to decide."""
PLAUSIBLE: Final = 0.6
"""The share of values that must be able to be what the column's name says."""
FEW: Final = 12
"""Below so many values, a check digit that random numbers often pass does not decide alone."""
NAMES_MOST: Final = 0.3
"""The share of values in the lists of names that makes a column of names: lists are never complete."""
NAMES_AND_WORDS: Final = 0.02
SHORTEST_IDENTIFIER: Final = 8
TEXT_WORDS: Final = 4
TEXT_HOLDS: Final = 0.01
EVIDENCE_LIMIT: Final = 5


@dataclass(frozen=True)
class Sample:
    """Sampled values of one column as texts without nulls, and whether its type is a date's or a number's."""

    values: pa.Array
    temporal: bool = False
    numeric: bool = False

    @property
    def size(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Finding:
    """A category that speaks for a column: the share of values that are of it, and on what evidence."""

    category: str
    share: float
    chance: float
    evidence: tuple[Evidence, ...]
    named: bool = False
    special: bool = False

    @property
    def confidence(self) -> float:
        by_values = self.share * (1 - self.chance)
        return round(min(1.0, by_values + 0.1 * self.named), 3)


def classify_column(name: str, sample: Sample, thorough: bool = True) -> Classified:
    """What the column holds; `thorough` asks Presidio too, which takes seconds to load.

    A column of which nothing is known is GENERAL, with confidence 0.
    """
    if sample.size == 0:
        return _classified(Finding(GENERAL, 0.0, 0.0, (Evidence("no-values"),)))
    words = spoken_for(name)
    found = [*_by_value(sample, words), *_by_name(sample, words)]
    if not found:
        found = [*_names(sample, words), *_days(sample, words), *_text(sample)]
    if not found and thorough:
        found = _by_presidio(sample)
    if not found:
        return _classified(Finding(GENERAL, 0.0, 0.0, ()))
    return _classified(max(found, key=_weight))


def _weight(finding: Finding) -> tuple[bool, float]:
    """What both name and values say comes first, then what chance explains least."""
    return finding.named and finding.chance < 1, finding.confidence


def _classified(finding: Finding) -> Classified:
    category = CATEGORIES[finding.category]
    if finding.special:
        category = replace(category, special=True)
    return of_category(category, finding.confidence, finding.evidence)


def of_category(category: Category, confidence: float, evidence: tuple[Evidence, ...]) -> Classified:
    """A column of this category."""
    return Classified(
        category.key, category.level, category.financial, category.special, confidence, evidence[:EVIDENCE_LIMIT]
    )


# --- values ----------------------------------------------------------------------------------------------


def _by_value(sample: Sample, words: list[Word]) -> list[Finding]:
    """Categories whose recognisers fit most values; one category's recognisers count together."""
    if sample.temporal:
        return []
    said = {word.category for word in words}
    matched: dict[str, list[tuple[Recogniser, Truths]]] = {}
    for recogniser in RECOGNISERS:
        if recogniser.chance > ALONE and recogniser.category not in said:
            continue
        truths = recogniser.matches(sample.values)
        if truths.any():
            matched.setdefault(recogniser.category, []).append((recogniser, truths))
    found = []
    for category, pairs in matched.items():
        share = float(np.logical_or.reduce([truths for _, truths in pairs]).mean())
        chance = float(np.average([r.chance for r, _ in pairs], weights=[t.sum() for _, t in pairs]))
        named = category in said
        if share < MOST or (not named and sample.size < FEW and chance > 0.02):
            continue
        evidence = [Evidence(r.name, int(truths.sum()), sample.size) for r, truths in pairs]
        evidence.sort(key=lambda one: -one.matched)
        found.append(Finding(category, share, chance, tuple(evidence), named))
    return found


def _names(sample: Sample, words: list[Word]) -> list[Finding]:
    if sample.numeric or sample.temporal:
        return []
    found = []
    for category, truths in match_names(sample.values).items():
        share = float(truths.mean())
        if share >= NAMES_MOST:
            evidence = (Evidence("name-list", int(truths.sum()), sample.size),)
            found.append(Finding(category, share, 0.1, evidence, category in {word.category for word in words}))
    return found


def _days(sample: Sample, words: list[Word]) -> list[Finding]:
    """Dates that lie as dates of birth do: over decades, most of them of grown people, many before 1980."""
    if words:
        return []
    days = sample.values.filter(pc.match_substring_regex(sample.values, f"^(?:{DAY})$"))
    found = pc.struct_field(pc.extract_regex(days, r"(?P<year>(?:18|19|20)\d\d)"), "year")
    years = found.drop_null().cast(pa.int32()).to_numpy()
    if len(years) < MOST * sample.size or len(years) < FEW:
        return []
    low, middle, high = np.quantile(years, [0.05, 0.5, 0.95])
    if low < 1975 and middle < 2000 and high - low > 20:
        return [
            Finding(
                "user.demographic.date_of_birth", 0.6, 0.1, (Evidence("years-of-birth", len(years), sample.size),)
            )
        ]
    return []


def _text(sample: Sample) -> list[Finding]:
    """Free text: several words, and a share of values with something of a person in them."""
    if sample.numeric or sample.temporal:
        return []
    lengths = np.asarray(pc.count_substring_regex(sample.values, r"\p{Han}{2}|\pL{2,}"))
    evidence = []
    for rule, pattern in IN_TEXT:
        holds = pc.match_substring_regex(sample.values, pattern).to_numpy(zero_copy_only=False)
        if holds.any():
            evidence.append(Evidence(f"text-holds-{rule}", int(holds.sum()), sample.size))
    holding = max((one.matched for one in evidence), default=0) / sample.size
    wordy = float((lengths >= TEXT_WORDS).mean())
    distinct = pc.count_distinct(sample.values).as_py() / sample.size
    if (holding >= TEXT_HOLDS and wordy > 0.2) or (wordy > MOST and distinct > 0.5):
        said = (Evidence("free-text", int((lengths >= TEXT_WORDS).sum()), sample.size), *evidence)
        return [Finding("user.content.private", max(holding, 0.5), 0.1, said)]
    return []


def _by_presidio(sample: Sample) -> list[Finding]:
    """Identifiers that only Presidio knows; asked of nothing but distinct texts and long numbers: it is slow."""
    if sample.temporal or sample.size < FEW or pc.count_distinct(sample.values).as_py() < sample.size / 2:
        return []
    if pc.mean(pc.utf8_length(sample.values)).as_py() < SHORTEST_IDENTIFIER:
        return []
    return [
        Finding(category, matched / asked, 0.1, (Evidence(rule, matched, asked),))
        for category, (rule, matched, asked) in presidio.matched(sample.values).items()
        if matched >= MOST * asked
    ]


# --- names -----------------------------------------------------------------------------------------------


def _by_name(sample: Sample, words: list[Word]) -> list[Finding]:
    """Categories that the name says and most values could be."""
    found = []
    for place, word in enumerate(words):
        fits = pc.match_substring_regex(sample.values, f"^(?:{word.shape})$").to_numpy(zero_copy_only=False)
        if float(fits.mean()) >= PLAUSIBLE:
            evidence = (Evidence(word.rule or "column-name", int(fits.sum()), sample.size),)
            # The earlier word is the more telling one; 0.6 is what a name is worth without a check digit.
            found.append(Finding(word.category, 0.6 - 0.01 * place, 0.0, evidence, named=True))
    return found
