"""What a ledger tells of a run, in words for a supervisor: what was computed, when, by whose grant, who learned
what, what moved, and which checks passed. Nothing here is believed that verification did not check before.
"""

from __future__ import annotations

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
    lines.append(
        "  Checked: the receipt is signed by all parties; what each sent is what the other received; grants and"
        " result are those that this ledger recorded."
    )
    return lines


def stories(report: LedgerReport) -> list[str]:
    """All runs of a ledger, and what else it holds."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.kinds.items()))
    lines = [f"Ledger of {report.institution}: {report.entries} entries ({kinds})."]
    for run in report.runs.values():
        lines += ["", *story(report, run)]
    return lines
