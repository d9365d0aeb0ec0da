"""What a person reads after a regression."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from unseen.application.regression import APPLICATION
from unseen.application.regression.table import Line
from unseen.computation.learn.inference import coefficient


def shown(**more: Any) -> str:
    output = io.StringIO()
    console = Console(file=output, width=80)
    result = {"family": "logistic", "rows": 8872, "steps": 7, **more}
    record = {
        "title": "<Loans>",
        "plan_hash": "12",
        "agreement": "34",
        "plan": {"disclosures": {"lender": ["a < b"]}},
    }
    with TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        APPLICATION.present(console, record, result, page, [])
        lines = [
            line
            for line in output.getvalue().splitlines(True)
            if "report.html" not in line and "Report" not in line
        ]
        return "".join(lines) + (page.read_text() if more.get("evaluation") else "")


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


EVALUATION: dict[str, Any] = {
    "rows": 200,
    "scores": "hidden",
    "predicted": "outcome",
    "figures": {"auc": 0.8125, "log_loss": 0.4321},
    "bands": [
        {"rows": 100, "came": 60.0, "expected": 58.5, "lift": 1.5, "gain": 0.75},
        {"rows": 100, "came": 20.0, "expected": 21.5, "lift": 0.5, "gain": 1.0},
    ],
    "stability": 0.31,
}


def test_measures_on_other_rows_are_read_on_terminal_and_page_with_two_pictures() -> None:
    text = shown(evaluation=EVALUATION, own_stability={"income": 0.01})
    terminal, page = text.split("<!doctype html>")
    for words in ("200 other rows, from predictions that nobody saw", "0.8125", "another population", "75.0%"):
        assert words in terminal
    assert page.count("<svg") == 2
    assert "&lt;Loans&gt;" in page
    assert "a &lt; b" in page
    assert "0.4321" in page
