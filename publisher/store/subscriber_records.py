"""What the store takes and returns for subscribers, as plain values, and how they become text in a column.

Nothing here loads SQLAlchemy, so the rooms above may import this module at no cost.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent

# What a consent event is called when a newsletter got a new name; its detail is the old and the new one.
RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """A subscriber to add.

    address        normalised already (see subscribers/address.py)
    subscriptions  may be empty
    consent        what is known about their consent; recorded if the address is new
    """

    address: str
    name: str = ""
    language: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    consent: str = ""


@dataclass(frozen=True, slots=True)
class AddOptions:
    """What all subscribers of one batch have in common.

    source  where they come from, for the history of consent
    event   ADDED, READDED or IMPORTED: what the operator vouches for
    """

    at: datetime
    source: str
    event: SubscriberEvent = SubscriberEvent.ADDED


class Added(StrEnum):
    """The result of adding one subscriber. A refusal has the name of the status that caused it."""

    ADDED = "added"
    SUBSCRIBED = "subscribed"  # an active subscriber gained a newsletter
    UPDATED = "updated"  # an active subscriber has different topics now
    UNCHANGED = "unchanged"
    RETURNED = "returned"  # they had unsubscribed or bounced, and the operator vouches that they asked to come back
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    MOVED = "moved"  # the subscriber of this address uses a different one now

    @property
    def refused(self) -> bool:
        return self not in (Added.ADDED, Added.SUBSCRIBED, Added.UPDATED, Added.UNCHANGED, Added.RETURNED)

    @property
    def reason(self) -> str:
        """Why they were refused, as words that follow the address."""
        return "moved to another address" if self is Added.MOVED else REFUSALS[SubscriberStatus(self.value)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a consent, or its end, came from.

    source        the form, link, file or command
    text_version  which wording of the form was shown; "" if there was no form
    ip            "" unless the project keeps it; the same is true of user_agent
    """

    source: str
    text_version: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One entry in a subscriber's history of consent."""

    at: datetime
    what: str
    source: str
    detail: str
    text_version: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class PendingChange:
    """What happens when a token is used.

    subscriptions  newsletters to subscribe to, or to choose different topics of
    address        the new address, if that is what is confirmed
    mailed         the newsletters that the email names; the others were asked for later, perhaps by someone else
    """

    subscriptions: tuple[Subscription, ...] = ()
    name: str = ""
    language: str = ""
    address: str = ""
    mailed: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[Subscription, ...]:
        """The subscriptions that the email names."""
        return tuple(wish for wish in self.subscriptions if wish.newsletter in self.mailed)

    def joined(self, later: PendingChange) -> PendingChange:
        """Return this change with the newsletters that a later request adds.

        The later request may come from someone else, so it changes nothing that the email is about.
        """
        names = {wish.newsletter for wish in self.subscriptions}
        more = tuple(wish for wish in later.subscriptions if wish.newsletter not in names)
        return replace(self, subscriptions=self.subscriptions + more)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that was mailed. The database has its hash and never the token itself."""

    token_hash: str
    purpose: str
    subscriber_id: int
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    change: PendingChange


def address_key(address: str) -> str:
    """Return a text that is equal for all spellings of an address, whatever their case, Unicode form and width.

    NFKC maps characters that differ only in looks, such as fullwidth letters, to one. The key is for comparing; email
    is sent to the address as it was written.
    """
    if address.isascii():
        return address.lower()
    composed = unicodedata.normalize("NFKC", address)
    return unicodedata.normalize("NFKC", composed.casefold())


def encode_topics(topics: Iterable[str]) -> str:
    """Return a selection of topics as a sorted JSON array without repeats, so that equal selections are equal text.

    No topics, which means all of them, is [].
    """
    return json.dumps(sorted(set(topics)), ensure_ascii=False, separators=(",", ":"))


def decode_topics(text: str) -> tuple[str, ...]:
    """Return the topics that `encode_topics` wrote."""
    return tuple(json.loads(text))


def encode_subscription(subscription: Subscription) -> str:
    """Return a subscription as the detail of a consent event: its newsletter, and its topics if there are any."""
    topics = f" {encode_topics(subscription.topics)}" if subscription.topics else ""
    return f"{subscription.newsletter}{topics}"


def decode_subscription(detail: str) -> Subscription:
    """Return the subscription that `encode_subscription` wrote."""
    newsletter, _, topics = detail.partition(" ")
    return Subscription(newsletter, decode_topics(topics or "[]"))


def encode_change(change: PendingChange) -> str:
    """Return a pending change as JSON."""
    chosen = [[each.newsletter, list(each.topics)] for each in change.subscriptions]
    value = {"subscriptions": chosen, "name": change.name, "language": change.language, "address": change.address}
    value["mailed"] = list(change.mailed)
    return json.dumps({key: part for key, part in value.items() if part}, ensure_ascii=False)


def decode_change(text: str) -> PendingChange:
    """Return the pending change that `encode_change` wrote."""
    value = json.loads(text)
    chosen = tuple(Subscription(newsletter, tuple(topics)) for newsletter, topics in value.pop("subscriptions", ()))
    # The first versions did not keep which newsletters the email names: it named all of them.
    mailed = tuple(value.pop("mailed", [wish.newsletter for wish in chosen]))
    return PendingChange(chosen, **value, mailed=mailed)


def current_name(newsletter: str, history: Sequence[ConsentEvent]) -> str:
    """Return what a newsletter is called after the renamings in a subscriber's history."""
    for event in history:
        before, _, after = event.detail.partition(" ")
        if event.what == RENAMED and newsletter == before:
            newsletter = after
    return newsletter
