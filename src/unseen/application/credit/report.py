"""The model report: one self-contained page that a risk committee can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from unseen.errors import MisuseError

STEPS: Final = ("align", "bin", "train", "evaluate")
FOUR_FIFTHS: Final = 0.8
PALETTE: Final = ("#0b6e4f", "#3d5a80", "#8d6a9f", "#c08497")


@dataclass(frozen=True)
class Context:
    """What the page says besides the model: title, date, plan and agreement, what was learned, what checks out.

    `bytes_sent` counts all parties, the dealer included; `seconds` the whole job.
    """

    title: str
    date: str
    plan: str
    agreement: str
    disclosures: Mapping[str, Sequence[str]]
    bytes_sent: int
    seconds: float
    ledgers: Sequence[str]
    ledgers_verified: bool


def write_report(path: Path, result: Mapping[str, Any], context: Context) -> Path:
    """Write the page; returns its path. Raises MisuseError where the plotting extra is missing."""
    try:
        page = render(result, context)
    except ImportError as error:
        raise MisuseError("the report's plots need matplotlib; install unseen[report]") from error
    path.write_text(page, encoding="utf-8")
    return path


def render(result: Mapping[str, Any], context: Context) -> str:
    """The page as text."""
    from unseen.application.credit import plots

    card = result["scorecard"]
    parties = list(dict.fromkeys(column["party"] for column in card))
    colours = dict(zip(parties, cycle(PALETTE), strict=False))
    shown = [column for column in card if column["bins"]]
    points = [entry["points"] for column in shown for entry in column["bins"]] or [0]
    span = min(points), max(points)
    figures = "".join(_column(column, colours[column["party"]], span) for column in shown)
    weighed = [column for column in shown if "rows" in column["bins"][0]]
    body = [
        _head(result, context),
        _section(
            "Both models on the same held-out customers",
            f'<div class="pair"><figure>{plots.roc(result)}<figcaption>ROC</figcaption></figure>'
            f"<figure>{plots.ks(result)}<figcaption>Kolmogorov–Smirnov</figcaption></figure></div>",
        ),
        _section("Score distribution by outcome", f"<figure>{plots.distribution(result)}</figure>"),
        *(
            [_section("Weight of each column", f"<figure>{plots.importance(weighed, colours)}</figure>")]
            if weighed
            else []
        ),
        _section("Scorecard", _card_table(card, result) + f'<div class="grid">{figures}</div>'),
        *([_section("The model under attack", _self_test(result["self_test"]))] if "self_test" in result else []),
        *([_section("Fairness", _fairness(result["fairness"]))] if "fairness" in result else []),
        *([_section("Parity with pooled data", _parity(result["parity"]))] if "parity" in result else []),
        _section("What each party learned", _disclosures(context)),
        _section("What it cost", _costs(result, context)),
        _section("What proves it", _proof(context)),
    ]
    return _PAGE.replace("{title}", escape(context.title)).replace("{body}", "\n".join(body))


def in_order(steps: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Steps as they follow on each other: canonical JSON keeps them by name."""
    return [(name, steps[name]) for name in STEPS if name in steps]


def _head(result: Mapping[str, Any], context: Context) -> str:
    rows = result["rows"]
    tiles = "".join(
        f'<div class="tile"><span>{label}</span><b>{result["joint"][key]:.3f}</b>'
        f"<small>alone {result['alone'][key]:.3f}</small></div>"
        for key, label in (("auc", "AUC"), ("ks", "KS"), ("gini", "Gini"))
    )
    return (
        f"<header><p class='brand'>unseen</p><h1>{escape(context.title)}</h1>"
        f"<p>{rows['aligned']:,} common customers, {result['bad_share']:.1%} of them bad; trained on "
        f"{rows['training']:,}, measured on {rows['held_out']:,} held out. {escape(context.date)}</p>"
        f"<div class='tiles'>{tiles}</div></header>"
    )


def _column(column: Mapping[str, Any], colour: str, span: tuple[float, float]) -> str:
    from unseen.application.credit import plots

    return (
        f"<figure><figcaption><b>{escape(column['description'])}</b> "
        f"<span class='party' style='color:{colour}'>{escape(column['party'])}</span></figcaption>"
        f"{plots.points(column, colour, span)}</figure>"
    )


def _card_table(card: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> str:
    scale = result["scale"]
    rows = "".join(
        f"<tr><td>{escape(c['description'])}</td><td>{escape(c['party'])}</td>"
        f"<td class='n'>{c['coefficient']:.3f}</td><td class='n'>{c['standard_error']:.3f}</td>"
        f"<td class='n'>{_p(c['p_value'])}</td><td class='n'>{_information(c)}</td>"
        f"<td class='n'>{_span(c)}</td></tr>"
        for c in card
    )
    hidden = (
        "<p>What the bins of other parties' columns count and weigh nobody has seen: it stayed on shares. Their "
        "points are shown where the agreement says so.</p>"
        if result.get("tables") == "nobody"
        else ""
    )
    return (
        f"<p>{scale['score']:.0f} points stand for odds of {scale['odds']:.0f} good to one bad; every "
        f"{scale['double']:.0f} points double them. A customer's score is the sum of one line a column.</p>"
        f"{hidden}<table><thead><tr><th>column</th><th>held by</th><th class='n'>coefficient</th>"
        "<th class='n'>std. error</th><th class='n'>p</th><th class='n'>information value</th>"
        "<th class='n'>points</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _information(column: Mapping[str, Any]) -> str:
    found = column["information_value"]
    return "unseen" if found is None else f"{found:.3f}"


def _span(column: Mapping[str, Any]) -> str:
    points = [entry["points"] for entry in column["bins"]]
    return f"{min(points)} to {max(points)}" if points else "unseen"


def _self_test(tested: Mapping[str, Any]) -> str:
    """What attacks achieved, in words."""
    member, items = tested["membership"], []
    items.append(
        f"<li><b>Who was trained on</b>: by their losses, trained-on customers are told from others with an AUC "
        f"of {member['auc']:.3f} (0.5 is a toss); the best threshold gains {member['advantage']:.1%}.</li>"
    )
    for party, labels in tested.get("labels_by_partner", {}).items():
        items.append(
            f"<li><b>Who is bad</b>: from all that it has seen, {escape(party)} ranks customers with an AUC of "
            f"{labels['auc']:.3f}, measured on {labels['rows']:,} of them without showing its ranking.</li>"
        )
    items.append(
        "<li><b>The partners' columns</b>: how often their bins can be guessed from the points stands in each "
        "partner's own result, where it knows its points.</li>"
    )
    return f"<ul>{''.join(items)}</ul>"


def _parity(found: Mapping[str, Any]) -> str:
    from unseen.application.credit import summary

    return (
        "<p>The partners opened their columns for this run, and the same scorecard was built of pooled data in "
        f"the clear. The two lie apart: {escape(summary.parity(found))}.</p>"
    )


def _fairness(judged: Mapping[str, Any]) -> str:
    """Approvals by protected group, with both measures in words."""
    rows = "".join(
        f"<tr><td>{escape(g['name'])}</td><td class='n'>{g['persons']:,}</td><td class='n'>{g['approved']:,}</td>"
        f"<td class='n'>{g['approval_rate']:.1%}</td>"
        f"<td class='n'>{g['good_approved'] / max(g['good'], 1):.1%}</td></tr>"
        for g in judged["groups"]
    )
    low = judged["disparate_impact"] < FOUR_FIFTHS
    return (
        f"<p>Approved: customers whose chance of a bad outcome is at most {judged['most_bad']:.0%}. Who belongs "
        f"to which group stands in {escape(judged['column'])}, which {escape(judged['party'])} keeps.</p>"
        f"<p>Disparate impact <b class='{'bad' if low else 'good'}'>{judged['disparate_impact']:.2f}</b> (least "
        "approval rate over the greatest; below 0.80 is taken for adverse impact in US practice); equal "
        f"opportunity <b>{judged['equal_opportunity']:.1%}</b> (distance between approval rates of good "
        "customers).</p>"
        "<table class='narrow'><thead><tr><th>group</th><th class='n'>persons</th><th class='n'>approved</th>"
        "<th class='n'>approval rate</th><th class='n'>of good ones</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _disclosures(context: Context) -> str:
    parts = []
    for party, sentences in context.disclosures.items():
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) or "<li>nothing</li>"
        parts.append(f"<div><h3>{escape(party)}</h3><ul>{items}</ul></div>")
    return f'<div class="learned">{"".join(parts)}</div>'


def _costs(result: Mapping[str, Any], context: Context) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class='n'>{step['seconds']:.2f}</td>"
        f"<td class='n'>{step['bytes'] / 1e6:,.2f}</td></tr>"
        for name, step in in_order(result["steps"])
    )
    return (
        "<table class='narrow'><thead><tr><th>step</th><th class='n'>seconds</th>"
        "<th class='n'>megabytes between the parties</th></tr></thead><tbody>"
        f"{rows}<tr class='sum'><td>whole job, with the dealer</td><td class='n'>{context.seconds:.2f}</td>"
        f"<td class='n'>{context.bytes_sent / 1e6:,.2f}</td></tr></tbody></table>"
    )


def _proof(context: Context) -> str:
    state = "all ledgers verify" if context.ledgers_verified else "a ledger does NOT verify"
    items = "".join(f"<li>{escape(line)}</li>" for line in context.ledgers)
    return (
        f"<p><b class='{'good' if context.ledgers_verified else 'bad'}'>{state}</b></p><ul>{items}</ul>"
        f"<p class='hash'>plan {escape(context.plan)}<br>agreement {escape(context.agreement)}</p>"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _p(value: float) -> str:
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><style>
:root{--ink:#1f2933;--soft:#52606d;--line:#e4e7eb;--good:#0b6e4f;--bad:#c8553d}
*{box-sizing:border-box}
body{margin:0;background:#f5f7f8;color:var(--ink);
font:15px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1060px;margin:0 auto;padding:32px 24px 64px}
header{padding:8px 0 20px}header p{color:var(--soft);margin:4px 0}
.brand{letter-spacing:.18em;text-transform:uppercase;font-size:12px;color:var(--good)!important;font-weight:600}
h1{font-size:30px;line-height:1.2;margin:2px 0 6px;font-weight:650}
h2{font-size:18px;margin:0 0 12px;font-weight:620}h3{margin:0 0 6px;font-size:15px}
section{background:#fff;border:1px solid var(--line);border-radius:10px;padding:22px 24px;margin-top:18px}
.tiles{display:flex;gap:14px;margin-top:16px;flex-wrap:wrap}
.tile{background:#fff;border:1px solid var(--line);border-radius:10px;padding:12px 20px;min-width:150px}
.tile span{color:var(--soft);font-size:13px;display:block}.tile b{font-size:28px;color:var(--good);font-weight:620}
.tile small{color:var(--soft);margin-left:10px}
figure{margin:0}figure svg{width:100%;height:auto;display:block}
figcaption{color:var(--soft);font-size:13px;margin:4px 0}
figcaption b{color:var(--ink)}.party{float:right;font-size:12px}
.pair,.grid{display:grid;grid-template-columns:1fr 1fr;gap:20px 32px;align-items:start}.grid{margin-top:22px}
table{border-collapse:collapse;width:100%;font-size:14px}.narrow{max-width:560px}
th{color:var(--soft);font-weight:550;text-align:left;border-bottom:1px solid #cbd2d9;padding:6px 10px 6px 0}
td{border-bottom:1px solid var(--line);padding:6px 10px 6px 0}
.n{text-align:right;font-variant-numeric:tabular-nums}
.sum td{font-weight:600;border-bottom:0}
.learned{display:grid;grid-template-columns:repeat(auto-fit,minmax(270px,1fr));gap:12px 30px}
ul{margin:0;padding-left:18px}li{margin:3px 0}
.good{color:var(--good)}.bad{color:var(--bad)}.hash{font:12px/1.6 ui-monospace,Menlo,monospace;color:var(--soft);
overflow-wrap:anywhere}
@media(max-width:720px){.pair,.grid{grid-template-columns:1fr}}
</style></head><body><main>
{body}
</main></body></html>
"""
