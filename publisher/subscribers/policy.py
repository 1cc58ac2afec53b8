"""The settings that all operations on subscribers share, and the emails that these operations return for sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from publisher.core.characters import clean_line
from publisher.core.frozen import dataclass
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.tokens import TokenSigner


@dataclass(frozen=True, slots=True)
class SubscriptionPolicy:
    """The project's settings for subscribers.

    tokens           the signer of the tokens in subscription emails
    confirm_within   how long a token in an email is valid
    waits            how long a mailbox gets no further email that someone else can trigger: after the first one, after
                     the second, and so on. After the last wait and one more email, it gets none until its owner has
                     confirmed
    most_requests    the maximum number of emails that forms may trigger within an hour, to all mailboxes together; 0
                     for no limit
    farewell         whether to email people who have unsubscribed, with a link to come back
    keep_ip          whether to store the IP address with a consent event
    keep_user_agent  whether to store the user agent with a consent event
    bounce_limit     the number of bounces in a row after which nothing more is sent
    forget_after     how long after the last request subscribers who have not confirmed are deleted; if confirm_within
                     is longer, it is used instead
    """

    tokens: TokenSigner
    confirm_within: timedelta = timedelta(days=7)
    waits: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
    most_requests: int = 0
    farewell: bool = False
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

    CONFIRM = "confirm"  # follow the link and press the button to subscribe
    ALREADY = "already"  # someone asked what you are subscribed to; here are your preferences
    SUPPRESSED = "suppressed"  # someone asked for a newsletter, but this address is on the suppression list
    ADDRESS = "address"  # follow the link and press the button to get your newsletters at this address
    ACCOUNT = "account"  # with the link you can change your address, and download or delete your data
    FAREWELL = "farewell"  # you have been unsubscribed; follow the link and press the button to come back
    MOVED = "moved"  # your newsletters now go to a different address


@dataclass(frozen=True, slots=True)
class SubscriptionEmail:
    """An email about a subscription, which must be sent immediately and only once.

    uid          the subscriber's public uid; "" for an address that is not a subscriber's
    name         the subscriber's name if they have confirmed; otherwise "", because anyone could have typed it
    token        the token in the link; "" if the email has no such link
    newsletters  the newsletters that the email is about
    expires_at   when the token expires; None without a token
    """

    kind: SubscriptionEmailKind
    uid: str
    address: str
    name: str
    language: str
    token: str = ""
    newsletters: tuple[str, ...] = ()
    expires_at: datetime | None = None
