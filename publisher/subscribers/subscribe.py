"""Adding and removing one person by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscription
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
    person = NewSubscriber(
        address=normalise(address),
        name=clean_name(name),
        language=clean_language(language),
        subscriptions=tuple(Subscription(newsletter, chosen) for newsletter in newsletters),
    )
    added = store.subscribers.add(person, at=at, source=source, again=again)
    if added.refused:
        said = added.reason if added.value == "moved" else f"is {added.value} and is not mailed"
        raise SubscriberError(f"{person.address} {said}", hint=MENDS[added.value])
    if person.name or person.language:
        with store.subscribers.change(at) as change:
            if known := change.find(person.address):
                change.describe(known, name=person.name or None, language=person.language)
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
