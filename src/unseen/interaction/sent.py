"""What was in fact sent in a run, by kind of message, held against the message tables of the plan.

The parties account for every kind of message, sender and receiver alike (see `testimony`); the plan's tables
come from the profiles of its protocols and from the building blocks. What is in no table, or goes beyond its
line's bound, was never declared to those who granted: that is an incident, whoever sent it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unseen.computation.blocks import BLOCKS
from unseen.computation.profile import Carries, Message
from unseen.interaction.plan import Plan
from unseen.interaction.receipt import Account, Count, Declared, Statement


def declared(plan: Plan) -> list[Declared] | None:
    """The plan's message table, building blocks included; None where a protocol of it declares none."""
    own = plan.messages()
    return None if own is None else [_declared(line) for line in (*own, *BLOCKS)]


def deviations(said: Statement) -> list[str]:
    """What was sent beyond what was declared, in words; none where all was declared, or nothing could be held."""
    if said.messages is None:
        return []
    table = [_message(line) for line in said.messages]
    return [words for account in said.accounts for words in _of(account, table)]


def _of(account: Account, table: Sequence[Message]) -> Iterable[str]:
    for peer, line in account.lines.items():
        for kind, count in line.kinds.items():
            found = [message for message in table if message.covers(kind)]
            if not found:
                yield f"{account.party} sent {peer} {_words(count)} of kind “{kind}”, which no protocol declares"
            elif not any(_within(message, count) for message in found):
                yield f"{account.party} sent {peer} {_words(count)} of kind “{kind}”, more than is declared"


def _within(message: Message, count: Count) -> bool:
    most_messages, most_bytes = message.most_messages, message.most_bytes
    return (most_messages is None or count.messages <= most_messages) and (
        most_bytes is None or count.bytes <= most_bytes
    )


def _words(count: Count) -> str:
    return f"{count.messages} message{'s' if count.messages != 1 else ''} ({count.bytes} bytes)"


def _declared(line: Message) -> Declared:
    return Declared(
        kind=line.kind, carries=line.carries.value, most_messages=line.most_messages, most_bytes=line.most_bytes
    )


def _message(line: Declared) -> Message:
    return Message(line.kind, Carries(line.carries), line.most_messages, line.most_bytes)
