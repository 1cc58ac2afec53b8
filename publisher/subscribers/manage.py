"""Adding and removing one person by hand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent
from publisher.subscribers.address import clean_language, clean_name, normalise

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.additions import Added


COMMAND_LINE = "command line"

_AGAIN = "only with the person's new consent: add them with --again"
MENDS = {
    "unsubscribed": _AGAIN,
    "bounced": _AGAIN,
    "complained": "they reported a letter as spam; nobody can take that back for them",
    "moved": _AGAIN,
    "suppressed": "`publisher subscribers suppress --lift` takes that back, with the person's consent",
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
    """Add a person to newsletters, with topics (tag slugs; none is all), and record where consent came from.

    Somebody who is known gets the name, language and topics that are given. again: the caller vouches that someone who
    left or bounced asked to come back. Returns what became of it.
    Raises SubscriberError for an unusable address, and for a person who left, bounced, complained or is suppressed.
    """
    from publisher.store.additions import NewSubscriber

    chosen = tuple(topics)
    subscriber = NewSubscriber(
        address=normalise(address),
        name=clean_name(name),
        language=clean_language(language),
        subscriptions=tuple(Subscription(newsletter, chosen) for newsletter in newsletters),
    )
    added = store.subscribers.add(subscriber, at=at, source=source, again=again)
    if added.refused:
        said = added.reason if added.value == "moved" else f"is {added.value} and is not mailed"
        raise SubscriberError(f"{subscriber.address} {said}", hint=MENDS[added.value])
    if subscriber.name or subscriber.language:
        with store.subscribers.transaction(at) as transaction:
            if known := transaction.find(subscriber.address):
                transaction.describe(known, name=subscriber.name or None, language=subscriber.language)
    return added


def unsubscribe(
    store: Store, address: str, newsletter: str | None = None, *, at: datetime, source: str = COMMAND_LINE
) -> bool:
    """Stop one newsletter, or all mail, to an address, and record it; return whether anything changed.

    Raises SubscriberError for an unusable address and for one that is not known.
    """
    bare = normalise(address)
    if store.subscribers.get(bare) is None:
        raise SubscriberError(f"{bare} is not a subscriber")
    return store.subscribers.remove(bare, newsletter, at=at, source=source)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list as people write it: separated by spaces, commas or semicolons."""
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))


def suppress(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Let an address never be mailed again, whether it is known or not; return whether that is new.

    Raises SubscriberError for an unusable address.
    """
    from publisher.store.consent import Evidence

    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        if (
            subscriber is not None
            and transaction.happened(subscriber, SubscriberEvent.SUPPRESSED) is not subscriber.status
        ):
            transaction.record(subscriber, "suppressed", Evidence(source))
        return transaction.suppress(bare, SuppressionReason.SUPPRESSED, source)


def lift_suppression(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Take an address off the list; return whether it was on it. Nobody is mailed by that alone.

    Raises SubscriberError for an unusable address, and for somebody who reported a letter as spam.
    """
    from publisher.store.consent import Evidence

    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        if subscriber is not None and subscriber.status is SubscriberStatus.COMPLAINED:
            raise SubscriberError(f"{bare} {REFUSALS[subscriber.status]}")
        if subscriber is not None and transaction.happened(subscriber, SubscriberEvent.LIFTED) is not subscriber.status:
            transaction.record(subscriber, "lifted", Evidence(source))
        return transaction.lift(bare)


@dataclass(frozen=True, slots=True)
class Orphaned:
    """Active subscriptions to a newsletter that the configuration does not name.

    near  the newsletter that it may be called now; "" where there is none
    """

    newsletter: str
    readers: int
    near: str

    @property
    def message(self) -> str:
        """What is wrong, in one line."""
        readers = "1 reader is" if self.readers == 1 else f"{self.readers:,} readers are"
        return f"{readers} subscribed to {self.newsletter}, which is no newsletter of publisher.toml"

    @property
    def hint(self) -> str:
        """How to mend it."""
        renamed = f"publisher subscribers rename-newsletter {self.newsletter} {self.near or 'NEW'}"
        return f"{renamed}, if that is its name now" if self.near else f"after a renaming: {renamed}"


def orphaned(store: Store, known: Collection[str]) -> list[Orphaned]:
    """Return the newsletters that active people read and that are none of the known ones, by name."""
    readers = store.statistics.by_newsletter()
    return [Orphaned(name, readers[name], _near(name, known, readers)) for name in sorted(set(readers) - set(known))]


def _near(name: str, known: Collection[str], readers: Collection[str]) -> str:
    """The newsletter of a like name, or else the only one, or the only one without readers: it may be the new name."""
    import difflib

    if near := difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5):
        return near[0]
    new = sorted(known) if len(known) == 1 else sorted(set(known) - set(readers))
    return new[0] if len(new) == 1 else ""
