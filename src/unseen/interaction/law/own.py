"""The institution's own policy: a folder in its home, of the same form as a law pack, asked beside the laws.

    HOME/policy/pack.yaml       id, name, law (whose policy it is), as_of
    HOME/policy/policies.cedar  rules with @id @article @reason @evidence @mend

Its rules may ask what a law pack's may (see `schema.cedarschema`). It can only narrow: laws and policy must all
permit. A policy that cannot be loaded or judged refuses every plan: a rule that is misspelt must not vanish.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.law.pack import Pack, load

FOLDER: Final = "policy"
ABOUT: Final = """\
id: own
name: Own policy
law: "Policy of {name}"
as_of: {day}
"""
DRAFT: Final = """\
// What this institution does not do, whatever the law permits. Rules may ask what law packs' rules may:
// unseen law explain PACK shows theirs. Each rule names itself, where it comes from, why, and how to mend.

@id("own-permit") @article("Own policy") @reason("Nothing in it stands against it.") @evidence("") @mend("")
permit (principal, action, resource);

@id("own-groups")
@article("Own policy, 1")
@reason("Groups of fewer than ten persons are never given out.")
@evidence("")
@mend("Agree on limits: {smallest_group: 10} or more.")
forbid (principal, action == Action::"disclose", resource)
when { context.smallestGroup < 10 };
"""


def own_policy(home: Path) -> Pack | None:
    """The policy of the institution at `home`; None if it has none. Raises RefusedError for one that is broken."""
    folder = home / FOLDER
    if not (folder / "pack.yaml").is_file():
        return None
    try:
        return load(folder)
    except (MisuseError, OSError, KeyError, TypeError, ValueError) as error:
        raise RefusedError(
            "own-policy",
            f"the policy in {folder} cannot be used: {error}",
            "mend it; until then nothing is granted",
        ) from error


def write_draft(home: Path, name: str, day: str) -> Path:
    """Write a policy to start from into the home. Raises MisuseError if there is one."""
    folder = home / FOLDER
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise MisuseError(f"{folder} is there already; edit its policies.cedar") from None
    (folder / "policies.cedar").write_text(DRAFT, encoding="utf-8")
    (folder / "pack.yaml").write_text(ABOUT.format(name=name, day=day), encoding="utf-8")
    return folder
