"""A finished alignment or count for the person who asked: lines on the terminal, and a page with a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape as plain

from unseen.application.alignment.picture import circles


def present(
    console: Console,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    report: Path,
    ledgers: Sequence[Path] = (),
) -> None:
    """Print this party's numbers and write the page. A party that is no recipient of the number gets the sizes."""
    for warning in result["warnings"]:
        console.print(f"[yellow]warning[/]  {plain(warning)}")
    for name, value in lines(result):
        console.print(f"  {plain(name):<24}{plain(value)}")
    if "prepared" in result:
        console.print(f"Use it once: prepared: {record['job']} in a request for align, with the same rows.")
    if "common" in result:
        report.write_text(page(record, result), encoding="utf-8")
        console.print(f"Report: {report.resolve().as_uri()}")


def lines(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The result in words: name and value of each line."""
    if "prepared" in result:
        one = result["party"] if result["prepared"] != result["party"] else result["partner"]
        ready = f"{result['listed']:,} of {result['prepared']}, for up to {result['capacity']:,} of {one}"
        return [("prepared", ready), ("seconds", f"{result['seconds']:.2f}")]
    own, theirs, me, partner = (result[name] for name in ("offered", "partner_offered", "party", "partner"))
    found = [(f"offered by {me}", f"{own:,}"), (f"offered by {partner}", f"{theirs:,}")]
    if "common" not in result:
        return [*found, ("common", "told to its recipients alone")]
    common = result["common"]
    if result.get("estimate"):
        between = result["interval"]
        found.append(
            (
                "common (an estimate)",
                f"about {common:,}; between {between['low']:,} and {between['high']:,}"
                f" with {between['confidence']:.0%} confidence",
            )
        )
    else:
        unit = result.get("rounded_to", 1)
        found.append(("common", f"{common:,}" + (f" (rounded to {unit:,})" if unit > 1 else "")))
    found += [(f"share of {me}'s", f"{common / own:.1%}"), (f"share of {partner}'s", f"{common / theirs:.1%}")]
    if "kind" in result:
        cut = [("buckets", f"{result['buckets']:,}, one after the other")] if "buckets" in result else []
        return [*found, *_joined(result), *cut, ("seconds", f"{result['seconds']:.2f}")]
    return [*found, ("method", f"{result['method']}: {result['why']}"), ("seconds", f"{result['seconds']:.2f}")]


def _joined(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a join has found by each key, and the rows of the joint table."""
    found = [
        (f"by {one['key']}", f"{one['common']:,} common of {one['offered']:,} and {one['partner_offered']:,}")
        for one in result["by_key"]
    ]
    if result["kind"] == "inner":
        return [*found, ("rows of the inner join", f"{result['rows']:,}")]
    if result["kind"] == "left":
        alone = f"{result['rows']:,}, of them {result['without_partner']:,} of {result['left']} without a partner"
        return [*found, ("rows of the left join", alone)]
    if result["party"] == result["left"]:
        return [*found, ("rows without a partner", f"{result['rows']:,}")]
    return [*found, ("rows without a partner", f"told to {result['left']} alone")]


def page(record: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """One self-contained HTML file; every word from outside is escaped."""
    picture = circles(
        (result["party"], result["offered"]), (result["partner"], result["partner_offered"]), result["common"]
    )
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in lines(result))
    warned = "".join(f"<li>{escape(warning)}</li>" for warning in result["warnings"])
    learned = "".join(
        f"<li><b>{escape(party)}</b>: {escape(sentence)}</li>"
        for party, sentences in record["plan"]["disclosures"].items()
        for sentence in sentences or ["nothing"]
    )
    return _PAGE.format(
        title=escape(record["title"]),
        picture=picture,
        rows=rows,
        warnings=f"<h2>Warnings</h2><ul>{warned}</ul>" if warned else "",
        learned=learned,
        plan=escape(record["plan_hash"]),
    )


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 46rem;
  margin: 2.5rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.5rem; border-bottom: 2px solid #0b6e4f; padding-bottom: .4rem }}
h2 {{ font-size: 1.05rem; color: #0b6e4f; margin: 1.4rem 0 .3rem }}
svg {{ width: 100%; max-width: 30rem; height: auto }} svg text {{ font-size: 15px }}
table {{ border-collapse: collapse }} th {{ text-align: left; font-weight: 550; padding: .2rem 1.5rem .2rem 0 }}
ul {{ margin: 0; padding-left: 1.1rem }} .hash {{ font: 12px monospace; overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1>
{picture}
<table>{rows}</table>
{warnings}<h2>What each party learned</h2><ul>{learned}</ul>
<p class="hash">plan {plan}</p>
</body></html>
"""
