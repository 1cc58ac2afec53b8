"""Adding and removing one person by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.errors import SubscriberError
from publisher.model import Subscription
from publisher.subscribers.address import clean_name, normalise

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.additions import Added

COMMAND_LINE = "command line"


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

    again: the caller vouches that someone who unsubscribed asked to come back. Returns what became of it.
    Raises SubscriberError for an unusable address, and for a person who left, bounced or complained.
    """
    from publisher.store.additions import Added, NewSubscriber

    chosen = tuple(topics)
    person = NewSubscriber(
        address=normalise(address),
        name=clean_name(name),
        language=language,
        subscriptions=tuple(Subscription(newsletter, chosen) for newsletter in newsletters),
    )
    added = store.subscribers.add(person, at=at, source=source, again=again)
    if added is Added.REFUSED:
        known = store.subscribers.get(person.address)
        raise SubscriberError(
            f"{person.address} is {known.status if known else 'gone'} and is not mailed",
            mend="only with the person's new consent: add them with --again",
        )
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
