"""The nouns of letters that came back: what somebody reported of one, and what that means for its reader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What one report says. Only the first four are about a letter of ours, and are kept."""

    PERMANENT = "permanent"  # the mailbox or its domain is gone: no more mail
    TEMPORARY = "temporary"  # not this time: it counts, and so many in a row stop the mail
    REFUSED = "refused"  # the letter or its sender was not wanted: no fault of the mailbox, and not counted
    COMPLAINT = "complaint"  # the reader called the letter spam: never again
    NOTHING = "nothing"  # still being tried, delivered, an answer by a machine
    FOREIGN = "foreign"  # not about a letter of ours, or not to be read
    FORGED = "forged"  # names a delivery without its signature
    KNOWN = "known"  # was counted before
    GONE = "gone"  # about a letter of ours, to somebody who is no longer in the record


KEPT = (Verdict.PERMANENT, Verdict.TEMPORARY, Verdict.REFUSED, Verdict.COMPLAINT)
"""The verdicts that change the record, the gravest for a mailbox first."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose letter a report is about: one of these, proven by a signature of ours or by who told it.

    delivery_id  the row of the ledger
    uid          the subscriber
    address      as an authenticated provider names it
    asked        the number of the subscriber who was asked to confirm, and the hour (since 1970) of that mail
    """

    delivery_id: int | None = None
    uid: str = ""
    address: str = ""
    asked: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.delivery_id or self.uid or self.address or self.asked)

    @property
    def letter(self) -> str:
        """What names the letter, or else its reader, in the keys of reports."""
        if self.asked:
            return f"notice {self.asked[0]} {self.asked[1]}"
        return f"delivery {self.delivery_id}" if self.delivery_id else f"subscriber {self.uid}"


@dataclass(frozen=True, slots=True)
class Report:
    """One report, read and judged; nothing is written yet.

    status   enhanced status code (RFC 3463), "" where none was given
    words    the server's own, short, without anybody's address
    keys     what must never be taken twice; none for a report that changes nothing
    """

    verdict: Verdict
    whose: Whose = Whose()
    status: str = ""
    words: str = ""
    keys: tuple[str, ...] = ()
