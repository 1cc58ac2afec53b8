"""What the operator does: add, unsubscribe and suppress subscribers, and find those of a newsletter that is gone.

Everything here is done by hand, for one address at a time. Files of subscribers are in csv_import.py.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent
from publisher.store.subscriber_records import Added, Evidence, NewSubscriber
from publisher.subscribers.address import clean_language, clean_name, normalise

if TYPE_CHECKING:
    from publisher.store import Store

COMMAND_LINE = "command line"

_AGAIN = "only with the person's new consent: add them with --again"
HINTS = {
    Added.UNSUBSCRIBED: _AGAIN,
    Added.BOUNCED: _AGAIN,
    Added.COMPLAINED: "they reported an email as spam; no one else can take that back",
    Added.MOVED: _AGAIN,
    Added.SUPPRESSED: "`publisher subscribers suppress --lift` takes that back, with the person's consent",
}


def subscribe(
    store: Store,
    address: str,
    *,
    newsletters: Iterable[str],
    at: datetime,
    name: str = "",
    topics: Iterable[str] = (),
    language: str = "",
    source: str = COMMAND_LINE,
    again: bool = False,
) -> Added:
    """Subscribe an address to newsletters, and record where the consent came from; return the result.

    A known subscriber gets the name, language and topics that are given.

    topics  tag slugs; none means all
    again   the operator vouches that someone who unsubscribed or bounced asked to come back
    Raises SubscriberError for an unusable address, and if the subscriber unsubscribed, bounced, complained or is
    suppressed.
    """
    chosen = tuple(topics)
    new = NewSubscriber(
        address=normalise(address),
        name=clean_name(name),
        language=clean_language(language),
        subscriptions=tuple(Subscription(newsletter, chosen) for newsletter in newsletters),
    )
    added = store.subscribers.add(new, at=at, source=source, again=again)
    if added.refused:
        said = added.reason if added is Added.MOVED else f"is {added.value} and is not mailed"
        raise SubscriberError(f"{new.address} {said}", hint=HINTS[added])
    if new.name or new.language:
        with store.subscribers.transaction(at) as transaction:
            if known := transaction.find(new.address):
                transaction.describe(known, name=new.name or None, language=new.language)
    return added


def unsubscribe(
    store: Store, address: str, newsletter: str | None = None, *, at: datetime, source: str = COMMAND_LINE
) -> bool:
    """Unsubscribe an address from one newsletter, or from all, and record it; return whether anything changed.

    Raises SubscriberError for an unusable address and for one that is not known.
    """
    bare = normalise(address)
    if store.subscribers.get(bare) is None:
        raise SubscriberError(f"{bare} is not a subscriber")
    return store.subscribers.remove(bare, newsletter, at=at, source=source)


def suppress(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Put an address, known or not, on the suppression list; return whether it is new there.

    Raises SubscriberError for an unusable address.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        if (
            subscriber is not None
            and transaction.apply(subscriber, SubscriberEvent.SUPPRESSED) is not subscriber.status
        ):
            transaction.record(subscriber, "suppressed", Evidence(source))
        return transaction.suppress(bare, SuppressionReason.SUPPRESSED, source)


def lift_suppression(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Take an address off the suppression list; return whether it was on it. This alone sends nothing to anyone.

    Raises SubscriberError for an unusable address, and for a subscriber who reported an email as spam.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        if subscriber is not None and subscriber.status is SubscriberStatus.COMPLAINED:
            raise SubscriberError(f"{bare} {REFUSALS[subscriber.status]}")
        if subscriber is not None and transaction.apply(subscriber, SubscriberEvent.LIFTED) is not subscriber.status:
            transaction.record(subscriber, "lifted", Evidence(source))
        return transaction.lift(bare)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list that people write with spaces, commas or semicolons."""
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))


@dataclass(frozen=True, slots=True)
class Orphaned:
    """Active subscriptions to a newsletter that the configuration does not have: it was renamed or deleted.

    near  the newsletter that it may be called now; "" if there is no such one
    """

    newsletter: str
    readers: int
    near: str

    @property
    def message(self) -> str:
        """What is wrong, in one line."""
        readers = "1 subscriber" if self.readers == 1 else f"{self.readers:,} subscribers"
        return f"{readers} of {self.newsletter}, which is not a newsletter in publisher.toml"

    @property
    def hint(self) -> str:
        """How to fix it."""
        renamed = f"publisher subscribers rename-newsletter {self.newsletter} {self.near or 'NEW'}"
        return f"{renamed}, if that is its name now" if self.near else f"if it was renamed: {renamed}"


def orphaned(store: Store, known: Collection[str]) -> list[Orphaned]:
    """Return the newsletters with active subscribers that are not among the known ones, by name."""
    counts = store.statistics.by_newsletter()
    return [Orphaned(name, counts[name], _near(name, known, counts)) for name in sorted(set(counts) - set(known))]


def _near(name: str, known: Collection[str], with_subscribers: Collection[str]) -> str:
    """Return a newsletter with a similar name, or else the only one, or the only one without subscribers."""
    if near := difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5):
        return near[0]
    new = sorted(known) if len(known) == 1 else sorted(set(known) - set(with_subscribers))
    return new[0] if len(new) == 1 else ""
