"""The settings that all operations on subscribers share, and the emails that these operations return for sending."""

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

    tokens           the signer of the tokens in subscription emails
    confirm_within   how long a mailed token is valid
    ask_every        the shortest interval between two emails to the same address that anyone can trigger
    keep_ip          whether to store the IP address with a consent event
    keep_user_agent  whether to store the user agent with a consent event
    bounce_limit     the number of bounces in a row after which nothing more is sent
    forget_after     how long after the last request to delete subscribers who have not confirmed; if confirm_within is
                     longer, it is used instead
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
    """An email about a subscription, which must be sent immediately and only once.

    name         the subscriber's name if they have confirmed; otherwise "", because anyone could have typed it
    token        the token in the link; "" if the email has no such link
    newsletters  the newsletters that the email is about
    """

    kind: SubscriptionEmailKind
    uid: str
    address: str
    name: str
    language: str
    token: str = ""
    newsletters: tuple[str, ...] = ()
