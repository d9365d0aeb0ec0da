"""What a ledger tells of a run, in words for a supervisor: what was computed, when, by whose grant, who learned
what, what moved, and which checks passed. Nothing here is believed that verification did not check before.
"""

from __future__ import annotations

from unseen.interaction.receipt import Statement
from unseen.interaction.sent import deviations
from unseen.interaction.verify import LedgerReport, Run


def story(report: LedgerReport, run: Run) -> list[str]:
    """One run, line by line."""
    said = run.statement
    lines = [
        f"Run {said.job}",
        f"  What: “{said.application}” under agreement {said.agreement[:12]}…, plan {said.plan[:12]}….",
        f"  When: receipt recorded {run.time} by {report.institution} (entry {run.entry} of its ledger).",
        f"  Who took part: {', '.join(said.parties)}.",
        "  By whose grant: "
        + "; ".join(f"{party} ({digest[:12]}…)" for party, digest in said.grants.items())
        + ".",
    ]
    for party, sentences in said.disclosures.items():
        lines.append(f"  {party} learned: {'; '.join(sentences) if sentences else 'nothing'}.")
    for account in said.accounts:
        for peer, line in account.lines.items():
            lines.append(
                f"  {account.party} sent {peer} {line.bytes} bytes in {line.messages} messages,"
                f" and {peer} confirmed them (digest {line.sent[:12]}…)."
            )
            lines += [f"    {count.messages} × {kind}: {count.bytes} bytes" for kind, count in line.kinds.items()]
    lines += _held(said)
    lines.append(
        "  Checked: the receipt is signed by all parties; what each sent is what the other received; grants and"
        " result are those that this ledger recorded."
    )
    return lines


def _held(said: Statement) -> list[str]:
    """What was sent, held against what the plan declares."""
    if said.messages is None:
        return ["  A protocol of this plan declares no message table: what was sent cannot be held against it."]
    if found := deviations(said):
        return [f"  INCIDENT: {words}." for words in found]
    return ["  All that was sent is of the kinds and within the bounds that the plan declares."]


def stories(report: LedgerReport) -> list[str]:
    """All runs of a ledger, and what else it holds."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.kinds.items()))
    lines = [f"Ledger of {report.institution}: {report.entries} entries ({kinds})."]
    for run in report.runs.values():
        lines += ["", *story(report, run)]
    return lines
