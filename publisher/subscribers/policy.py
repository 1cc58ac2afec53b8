"""What operations on subscribers share: the project's settings, and the emails that they ask to be sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from publisher.store.subscriber_records import Evidence
from publisher.subscribers.address import clean_line
from publisher.subscribers.tokens import TokenSigner


@dataclass(frozen=True, slots=True)
class SubscriptionPolicy:
    """The project's settings for subscribers.

    confirm_within   how long a mailed token is valid
    ask_every        how often, at most, someone can cause an email to one address
    keep_ip          whether the IP address is stored with an event of consent
    keep_user_agent  the same for the user agent
    bounce_limit     after this many bounces in a row nothing more is sent
    forget_after     when to delete those who never confirmed, after they were asked; confirm_within if that is longer
    """

    tokens: TokenSigner
    confirm_within: timedelta = timedelta(days=7)
    ask_every: timedelta = timedelta(hours=1)
    keep_ip: bool = False
    keep_user_agent: bool = False
    bounce_limit: int = 5
    forget_after: timedelta = timedelta(days=30)

    def kept(self, evidence: Evidence) -> Evidence:
        """Return the parts of the evidence that may be stored, each on one line."""
        return replace(
            evidence,
            source=clean_line(evidence.source, 200),
            text_version=clean_line(evidence.text_version, 100),
            ip=clean_line(evidence.ip, 45) if self.keep_ip else "",
            user_agent=clean_line(evidence.user_agent, 300) if self.keep_user_agent else "",
        )


class SubscriptionEmailKind(StrEnum):
    """The kinds of subscription emails."""

    CONFIRM = "confirm"  # press the button behind the link to subscribe
    ALREADY = "already"  # someone asked for what you are subscribed to; here are your preferences
    ADDRESS = "address"  # press the button behind the link to get your newsletters at this address
    MOVED = "moved"  # your newsletters go to a different address now


@dataclass(frozen=True, slots=True)
class SubscriptionEmail:
    """An email about a subscription that is to be sent now, once.

    name         the subscriber's, if their mailbox has confirmed; otherwise "", since anyone could have typed it
    token        for the link; "" if the email has none
    newsletters  what the email is about
    """

    kind: SubscriptionEmailKind
    uid: str
    address: str
    name: str
    language: str
    token: str = ""
    newsletters: tuple[str, ...] = ()
