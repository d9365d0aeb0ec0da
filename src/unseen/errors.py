"""Every error that unseen raises on purpose.

    UnseenError
    ├── MisuseError          we were called wrongly: bad argument, bad file, bad configuration
    │   ├── RangeError       a number that does not fit the fixed-point range it was promised for
    │   └── DataError        a data set that cannot be used as it is (duplicate keys, one class)
    ├── PeerError            another party's fault or absence; `.party` names it
    │   ├── ProtocolError    it sent something malformed, out of order, too large or under a wrong plan;
    │   │                    `.party` is "a or b" where it cannot be known which of them
    │   └── PeerLostError    its connection closed or stayed silent past the deadline
    ├── RefusedError         a rule forbids it; `.rule` names the rule, `.mend` what would change the answer
    ├── VerificationError    a signature, digest, proof or ledger does not check
    ├── AbortedError         the run was stopped, by us or by the agreement's kill switch
    └── UnavailableError     something outside is missing now: a node that is down, a silent source

A message says what was wrong, where, and the mend. It never holds data, keys or shares: messages travel to
logs, ledgers and partners. Over the wire goes only `code`, from the closed list that this tree is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self


class UnseenError(Exception):
    """Root of all errors raised on purpose; anything else that reaches a user is a bug."""

    code: ClassVar[str] = "error"


class MisuseError(UnseenError):
    """The caller's own mistake: an argument, file or setting that cannot be used."""

    code = "misuse"


class RangeError(MisuseError):
    """A value outside the fixed-point range that the operation documents."""

    code = "range"


class DataError(MisuseError):
    """A data set that cannot be used as it is; the message names data set and column, never a value."""

    code = "data"


class PeerError(UnseenError):
    """Another party's fault or absence. `party` is its name in the agreement."""

    code = "peer"

    def __init__(self, party: str, message: str) -> None:
        super().__init__(f"{party}: {message}")
        self.party = party
        self.reason = message


class ProtocolError(PeerError):
    """The named party broke the protocol: malformed, out of order, too large, or under another plan."""

    code = "protocol"

    @classmethod
    def one_of(cls, parties: Iterable[str], message: str) -> Self:
        """For what one of these parties did, where nobody here can know which."""
        return cls(" or ".join(parties), message)


class PeerLostError(PeerError):
    """The named party's connection closed, or it stayed silent past the deadline."""

    code = "peer-lost"


class RefusedError(UnseenError):
    """A rule of an agreement, policy or law forbids the request.

    `rule` is the rule's stable name (for example `column-use`), `mend` what would change the answer.
    """

    code = "refused"

    def __init__(self, rule: str, message: str, mend: str = "") -> None:
        super().__init__(f"[{rule}] {message}" + (f". To mend: {mend}" if mend else ""))
        self.rule = rule
        self.reason = message
        self.mend = mend


class VerificationError(UnseenError):
    """A signature, digest, proof or ledger entry does not check."""

    code = "verification"


class AbortedError(UnseenError):
    """The run was stopped before its end."""

    code = "aborted"


class UnavailableError(UnseenError):
    """Something outside this process is missing now; trying again later may help."""

    code = "unavailable"
