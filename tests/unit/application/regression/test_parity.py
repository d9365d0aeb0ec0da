"""The pooled regression that a parity run compares with, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from unseen.application.regression.parity import pooled_fit
from unseen.application.regression.request import Family
from unseen.errors import MisuseError

FAMILIES = {
    Family.LINEAR: sm.families.Gaussian(),
    Family.LOGISTIC: sm.families.Binomial(),
    Family.POISSON: sm.families.Poisson(),
    Family.GAMMA: sm.families.Gamma(sm.families.links.Log()),
}


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_pooled_fit_is_that_of_statsmodels(family: Family, weighted: bool) -> None:
    draw = np.random.default_rng(3)
    design = sm.add_constant(draw.normal(size=(400, 3)))
    score = design @ np.array([0.3, 0.5, -0.4, 0.1])
    offset = np.zeros(400) if family is Family.LINEAR else draw.normal(size=400) / 5
    label = {
        Family.LINEAR: score + draw.normal(size=400),
        Family.LOGISTIC: (draw.random(400) < 1 / (1 + np.exp(-score))).astype(float),
        Family.POISSON: draw.poisson(np.exp(score)).astype(float),
        Family.GAMMA: draw.gamma(2.0, np.exp(score) / 2.0),
    }[family]
    weights = draw.integers(1, 5, 400).astype(float) if weighted else np.ones(400)
    expected = sm.GLM(label, design, FAMILIES[family], offset=offset, freq_weights=weights).fit(tol=1e-12)
    np.testing.assert_allclose(pooled_fit(family, design, label, weights, offset), expected.params, atol=1e-7)


def test_a_label_that_the_columns_give_away_has_no_pooled_optimum() -> None:
    design = sm.add_constant(np.linspace(-1, 1, 40))
    with np.errstate(all="ignore"), pytest.raises((MisuseError, np.linalg.LinAlgError)):
        pooled_fit(Family.LOGISTIC, design, (design[:, 1] > 0).astype(float), np.ones(40), np.zeros(40))
