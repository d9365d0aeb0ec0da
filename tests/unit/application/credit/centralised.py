"""The scorecard's pipeline on pooled data in the clear: bins, weights of evidence, scikit-learn's regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from blake3 import blake3
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from unseen.computation.learn.binning import level_bins, number_bins, pooled
from unseen.computation.learn.evidence import weigh

SMALLEST_GROUP = 20


@dataclass
class Centralised:
    """Coefficients by column, the intercept, the AUC of the held-out rows, and of each column the weights of
    evidence by bin and the information value; `odds` of good by person."""

    coefficients: pd.Series
    intercept: float
    auc: float
    odds: pd.Series
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    information: dict[str, float] = field(default_factory=dict)


def centralised(
    tables: Mapping[str, pd.DataFrame], seed: str, penalty: float = 1.0, hidden: bool = False
) -> Centralised:
    """`hidden`: as where nobody sees the tables of columns other than the lender's: bins pooled by rows alone."""
    joined = tables["lender"]
    for party in sorted(set(tables) - {"lender"}):
        joined = joined.merge(tables[party], on="id")
    lots = [blake3(seed.encode() + b"/held-out/" + name.lower().encode()).digest() for name in joined["id"]]
    training = len(joined) - round(0.3 * len(joined))
    joined = joined.assign(lot=lots).sort_values("lot").reset_index(drop=True)
    bad = joined["bad"].to_numpy(float)
    smallest, coded = int(np.ceil(0.05 * training)), {}
    weights, information = {}, {}
    for party in sorted(tables):
        for name in sorted(set(tables[party].columns) - {"id", "bad"}):
            index, width, ordered = _index(joined[name], training, smallest)
            index = pooled(np.bincount(index[:training], minlength=width), SMALLEST_GROUP)[index]
            if hidden and party != "lender":
                codes, found, informed = _by_pandas(index, bad, training)
            else:
                codes, found, informed = _merged(index, width, ordered, bad, training)
            if len(found) > 1 and informed >= 0.005:
                coded[name], weights[name], information[name] = codes, found, informed
    design = pd.DataFrame(coded)
    model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit(design[:training], bad[:training])
    scores = model.decision_function(design)
    return Centralised(
        pd.Series(model.coef_[0], design.columns),
        float(model.intercept_[0]),
        float(roc_auc_score(bad[training:], scores[training:])),
        pd.Series(-scores, joined["id"].str.lower()),
        weights,
        information,
    )


def _index(column: pd.Series, training: int, smallest: int) -> tuple[np.ndarray, int, bool]:
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(float)
        numbers = number_bins(values[:training], 5, smallest)
        return numbers.index(values), len(numbers.labels), True
    texts = column.to_numpy(object)
    levels = level_bins(texts[:training], smallest)
    return levels.index(texts), len(levels.labels), False


def _merged(
    index: np.ndarray, width: int, ordered: bool, bad: np.ndarray, training: int
) -> tuple[np.ndarray, np.ndarray, float]:
    rows = np.bincount(index[:training], minlength=width)
    worse = np.bincount(index[:training], weights=bad[:training], minlength=width)
    weighed = weigh(np.column_stack([rows, worse]).astype(int), ordered, SMALLEST_GROUP, 5)
    return weighed.weights[np.asarray(weighed.merged)[index]], weighed.weights, weighed.information


def _by_pandas(index: np.ndarray, bad: np.ndarray, training: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The formula of docs/learning.md, half a row added to each count, written with pandas alone."""
    table = pd.crosstab(index[:training], bad[:training])
    share = (table + 0.5) / (table.sum() + 0.5)
    weights = np.log(share[0.0] / share[1.0])
    codes = pd.Series(index).map(weights).to_numpy()
    return codes, weights.to_numpy(), float(((share[0.0] - share[1.0]) * weights).sum())
