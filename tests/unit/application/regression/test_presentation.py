"""What a person reads after a regression."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from unseen.application.regression import APPLICATION
from unseen.application.regression.table import Line
from unseen.computation.learn.inference import coefficient


def shown(**more: Any) -> str:
    output = io.StringIO()
    console = Console(file=output, width=80)
    result = {"family": "logistic", "rows": 8872, "steps": 7, **more}
    APPLICATION.present(console, {}, result, None, [])  # type: ignore[arg-type]
    return output.getvalue()


def line(party: str, name: str, value: float, error: float, inflation: float | None = None) -> Any:
    return Line(party, coefficient(name, value, error), inflation).as_json()


def test_the_recipient_reads_a_line_a_coefficient() -> None:
    lines = [line("", "(intercept)", -4.0, 0.2), line("bureau", "inquiries", 0.3233, 0.046, 1.32)]
    text = shown(coefficients=lines, kept=["inquiries"])
    assert "logistic regression on 8,872 rows, 7 steps" in text
    assert "kept: inquiries" in text
    expected = "inquiries bureau 0.323 0.046 7.03 <0.001 0.233 0.413 1.32"
    assert " ".join(text.splitlines()[-1].split()) == expected


def test_a_column_that_was_left_out_says_so_and_has_no_figures() -> None:
    text = shown(coefficients=[line("lender", "age", 0.0, 0.0)])
    assert text.splitlines()[-1].split() == ["age", "lender", "out"]
    assert "VIF" not in text


def test_who_is_no_recipient_reads_how_the_fit_went() -> None:
    assert shown() == "logistic regression on 8,872 rows, 7 steps\n"
    assert "R² 0.1830" in shown(r_squared=0.183)
