"""Minimal values to put into a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from publisher.core.newsletter_models import Delivery, Edition, EditionDraft, EditionPost, Letter, Subscription
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store
from publisher.store.subscriber_records import NewSubscriber

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def person(
    address: str = "ada@example.org", *newsletters: str, topics: tuple[str, ...] = (), **rest: str
) -> NewSubscriber:
    """Return a new subscriber, by default of "weekly"."""
    wishes = tuple(Subscription(newsletter, topics) for newsletter in newsletters or ("weekly",))
    return NewSubscriber(address, subscriptions=wishes, **rest)


def add_people(store: Store, number: int, newsletter: str = "weekly") -> None:
    """Add subscribers: reader0@example.org, reader1@example.org and so on."""
    people = [person(f"reader{i}@example.org", newsletter, name=f"Reader {i}") for i in range(number)]
    store.subscribers.add_many(people, at=NOW, source="test")


def draft(slot: str = "2026-W47", **changes: Any) -> EditionDraft:
    """Return an edition of "weekly" with one post and one letter."""
    values: dict[str, Any] = {
        "newsletter": "weekly",
        "slot": slot,
        "number": 1,
        "subject": "Hello",
        "made_at": NOW,
        "posts": (EditionPost(f"tag:example.org,2026:{slot}", "A post", "https://example.org/a/"),),
        "letters": (Letter("", "Hello", "In short", "<p>Hello</p>", "Hello\n"),),
    }
    return EditionDraft(**(values | changes))


def claim(store: Store, edition: Edition, worker: str = "w") -> Sequence[Delivery]:
    """Claim deliveries that are due at NOW for a worker, and return them."""
    return store.deliveries.claim(
        edition.id,
        worker,
        now=NOW,
        lease_until=later(minutes=2),
        limit=1_000,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )


def later(**delta: float) -> datetime:
    """Return a moment after NOW."""
    return NOW + timedelta(**delta)
