"""Real loans cut by columns between a lender and a bureau."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

GERMAN = Path(__file__).parents[4].parent / "shared" / "data" / "german_credit" / "germancredit.csv.gz"
LENDERS_COLUMNS = 8


@pytest.fixture(scope="session")
def german() -> dict[str, pd.DataFrame]:
    """1,000 loans; the bureau lacks some people and knows others."""
    loans = pd.read_csv(GERMAN)
    loans.insert(0, "id", [f"DE-{number:04d}" for number in range(len(loans))])
    columns = [name for name in loans.columns if name not in ("id", "creditability")]
    bad = (loans["creditability"] == "bad").astype(int)
    lender = loans[["id", *columns[:LENDERS_COLUMNS]]].assign(bad=bad)
    known = loans.sample(900, random_state=1)[["id", *columns[LENDERS_COLUMNS:]]]
    others = loans.sample(100, random_state=2)[["id", *columns[LENDERS_COLUMNS:]]]
    others["id"] = [f"XX-{number:04d}" for number in range(100)]
    return {"lender": lender, "bureau": pd.concat([known, others]).sample(frac=1, random_state=3)}
