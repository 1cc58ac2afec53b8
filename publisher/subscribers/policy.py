"""What the operations on people have in common, and what they ask to be mailed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.subscribers.address import clean_line
from publisher.subscribers.tokens import TokenSigner

if TYPE_CHECKING:
    from publisher.store.consent import Evidence


@dataclass(frozen=True, slots=True)
class SubscriptionPolicy:
    """The project's own choices.

    confirm_within   how long a mailed token is good
    ask_every        how often, at most, anybody can cause a mail to one address
    keep_ip          whether the IP address is kept with an event of consent; likewise keep_user_agent
    bounce_limit     so many letters that came back in a row stop the mail
    forget_after     who never confirmed is deleted so long after they were asked; not before confirm_within
    """

    tokens: TokenSigner
    confirm_within: timedelta = timedelta(days=7)
    ask_every: timedelta = timedelta(hours=1)
    keep_ip: bool = False
    keep_user_agent: bool = False
    bounce_limit: int = 5
    forget_after: timedelta = timedelta(days=30)

    def kept(self, evidence: Evidence) -> Evidence:
        """Return what of the evidence may be kept, on one line each."""
        return replace(
            evidence,
            source=clean_line(evidence.source, 200),
            text_version=clean_line(evidence.text_version, 100),
            ip=clean_line(evidence.ip, 45) if self.keep_ip else "",
            user_agent=clean_line(evidence.user_agent, 300) if self.keep_user_agent else "",
        )


class SubscriptionEmailKind(StrEnum):
    """Which mail about a subscription."""

    CONFIRM = "confirm"  # press the button behind the token to subscribe
    ALREADY = "already"  # somebody asked for what you have; your preferences are here
    ADDRESS = "address"  # press the button behind the token to get letters here
    MOVED = "moved"  # your letters go to another address now


@dataclass(frozen=True, slots=True)
class SubscriptionEmail:
    """A mail about a subscription that is now to be sent, once.

    name         of a person whose mailbox has confirmed; "" otherwise, since anybody can have typed it
    token        for the link; "" where the mail has none
    newsletters  what the mail is about
    """

    kind: SubscriptionEmailKind
    uid: str
    address: str
    name: str
    language: str
    token: str = ""
    newsletters: tuple[str, ...] = ()
