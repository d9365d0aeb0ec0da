"""The table of all rules for docs/law.md, written from the packs: `python -m unseen.interaction.law.table`.

A test holds the page against it, so that page and policies cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from unseen.interaction.law.pack import Pack, packs


def markdown() -> str:
    """One table a pack: rule, article, the facts that it looks at, and what it refuses or requires."""
    return "\n".join(line for pack in packs().values() for line in _table(pack)) + "\n"


def _table(pack: Pack) -> Iterator[str]:
    yield f"### {pack.name}"
    yield f"{pack.law}. As of {pack.as_of.isoformat()}."
    yield ""
    yield "| rule | article | looks at | refuses, or requires | because |"
    yield "| --- | --- | --- | --- | --- |"
    for rule in pack.rules.values():
        if rule.forbids:
            opened = (
                f"requires {' or '.join(f'`{kind}`' for kind in rule.evidence)}" if rule.evidence else "refuses"
            )
            looks = ", ".join(rule.looks_at)
            yield f"| `{rule.id}` | {rule.article} | {looks} | {opened} | {rule.reason} |"
    yield ""


if __name__ == "__main__":
    print(markdown(), end="")
