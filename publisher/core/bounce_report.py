"""A bounce report: what somebody reported about a message of ours, and what that means for its subscriber."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What one report says. Only the first four are about a message of ours and are recorded."""

    PERMANENT = "permanent"  # the mailbox or its domain doesn't exist: stop sending
    TEMPORARY = "temporary"  # failed this time: counts, and several in a row stop the sending
    REFUSED = "refused"  # the message or its sender was rejected: not the mailbox's fault, and not counted
    COMPLAINT = "complaint"  # the subscriber reported the message as spam: never send again
    NOTHING = "nothing"  # delayed, delivered, or an automatic reply
    FOREIGN = "foreign"  # not about a message of ours, or unreadable
    FORGED = "forged"  # names a delivery without its signature
    KNOWN = "known"  # was processed before
    GONE = "gone"  # about a message of ours to a subscriber who has been deleted


KEPT = (Verdict.PERMANENT, Verdict.TEMPORARY, Verdict.REFUSED, Verdict.COMPLAINT)
"""The verdicts that are recorded, worst first."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a report is about: one of these, proved by a signature of ours or by an authenticated provider.

    delivery_id  the row of the ledger
    uid          the subscriber
    address      email address, as a provider names it
    asked        a subscriber's number, and the hour (since 1970) in which we sent them a confirmation email
    """

    delivery_id: int | None = None
    uid: str = ""
    address: str = ""
    asked: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.delivery_id or self.uid or self.address or self.asked)

    @property
    def key(self) -> str:
        """What stands for the message, or else for its subscriber, in the keys of reports."""
        if self.asked:
            return f"notice {self.asked[0]} {self.asked[1]}"
        return f"delivery {self.delivery_id}" if self.delivery_id else f"subscriber {self.uid}"


@dataclass(frozen=True, slots=True)
class Report:
    """One report, read and judged; nothing has been written yet.

    status   enhanced status code (RFC 3463), or ""
    words    the server's own words, short and without email addresses
    keys     must all be new, or the report was processed before; empty if it changes nothing
    """

    verdict: Verdict
    addressee: Addressee = Addressee()
    status: str = ""
    words: str = ""
    keys: tuple[str, ...] = ()
