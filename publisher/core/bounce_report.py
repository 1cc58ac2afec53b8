"""Bounce reports: what a server or provider reports about a message of ours, and what it means for the subscriber."""

from __future__ import annotations

from enum import StrEnum

from publisher.core.frozen import dataclass


class Verdict(StrEnum):
    """The verdict of one report. Only the first four are recorded as bounces."""

    PERMANENT = "permanent"  # the mailbox or its domain doesn't exist: sending stops
    TEMPORARY = "temporary"  # the delivery failed this time: it is counted, and several in a row stop the sending
    REFUSED = "refused"  # the message or its sender was rejected: not the mailbox's fault, and not counted
    COMPLAINT = "complaint"  # the subscriber reported the message as spam: nothing is ever sent to them again
    UNSUBSCRIBED = "unsubscribed"  # the subscriber unsubscribed at the provider that sends our messages
    NOTHING = "nothing"  # delayed, delivered, or an automatic reply
    FOREIGN = "foreign"  # not about a message of ours, or unreadable
    FORGED = "forged"  # names a delivery without its signature
    KNOWN = "known"  # the report was processed before
    GONE = "gone"  # about a message of ours to a subscriber who has been deleted


KEPT = (Verdict.PERMANENT, Verdict.TEMPORARY, Verdict.REFUSED, Verdict.COMPLAINT)
"""The verdicts that are recorded as bounces, worst first."""

APPLIED = (*KEPT, Verdict.UNSUBSCRIBED)
"""The verdicts that are applied to the subscriber."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """The subscriber or message that a report is about.

    At most one field is set. Its value is proved by a signature of ours or by an authenticated provider.

    delivery_id  the id of the delivery's row in the ledger
    uid          the uid of the subscriber
    address      the email address that a provider named
    asked        the subscriber's id, and the hour (since 1970) in which we sent them a confirmation email
    """

    delivery_id: int | None = None
    uid: str = ""
    address: str = ""
    asked: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.delivery_id or self.uid or self.address or self.asked)

    @property
    def key(self) -> str:
        """The part of a report's key that identifies the message, or the subscriber if the message is unknown."""
        if self.asked:
            return f"notice {self.asked[0]} {self.asked[1]}"
        return f"delivery {self.delivery_id}" if self.delivery_id else f"subscriber {self.uid}"


@dataclass(frozen=True, slots=True)
class Report:
    """A report that has been read and judged, but not yet recorded.

    status      enhanced status code (RFC 3463), or ""
    words       the server's own words, shortened and without email addresses
    keys        identify the report: if any is already stored, it was processed before; empty if it changes nothing
    newsletter  the newsletter that was unsubscribed from; "" for all, and for other verdicts
    newsletter_key  the same, if only the key contained in an unsubscribe address is known
    """

    verdict: Verdict
    addressee: Addressee = Addressee()
    status: str = ""
    words: str = ""
    keys: tuple[str, ...] = ()
    newsletter: str = ""
    newsletter_key: str = ""
