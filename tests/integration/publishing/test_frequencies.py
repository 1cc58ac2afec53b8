"""Subscribers choose how often they get a newsletter: nobody gets a post twice, and nobody misses one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.config import Config, NewsletterConfig, Site, parse_schedule
from publisher.core.hold_reasons import approval
from publisher.core.models import Post, Tag
from publisher.core.newsletter_models import DeliveryStatus, Edition, Letter
from publisher.newsletters.slots import latest_due
from publisher.newsletters.streams import NewsletterStream, streams_of
from publisher.publishing.due_editions import DueEditions, pass_slots
from publisher.publishing.edition_plan import DueEdition, Idle, Plan, PlannedEdition, plan_stream
from publisher.publishing.operations import approve, skip
from publisher.publishing.render import draft_of
from publisher.store import Store
from publisher.store.subscriber_records import Evidence
from publisher.store.tables import deliveries, editions, letter_posts, subscribers
from tests.support.store_samples import person

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
OFTEN = ("", "daily", "weekly", "monthly")


def a_post(number: int, at: datetime, *tags: str) -> Post:
    name = f"p{number:03}"
    url = f"https://example.org/{name}/"
    return Post(
        source=f"{name}.md",
        id=f"tag:example.org,2026:{name}",
        title=name,
        permalink=f"/{name}/",
        url=url,
        published=at,
        updated=at,
        digest=name,
        tags=tuple(Tag(tag, tag) for tag in tags),
    )


class Desk:
    """A newsletter with frequencies, whose posts exist in memory only, and its ledger."""

    def __init__(
        self, store: Store, *, maximum: int = 30, schedule: str = "daily 08:00", offers: Iterable[str] = ()
    ) -> None:
        self.store = store
        offered = tuple(offers) or ("weekly monday 08:00", "monthly 1 08:00")
        newsletter = NewsletterConfig(name="news", schedule=schedule, frequencies=offered, maximum=maximum)
        self.config = Config(
            root=Path("/nowhere"), site=Site(title="S", url="https://example.org"), newsletters=(newsletter,)
        )
        self.posts: list[Post] = []
        self.done: dict[str, datetime] = {}

    @property
    def streams(self) -> tuple[NewsletterStream, ...]:
        return streams_of(self.config.newsletters[0])

    def join(self, name: str, at: datetime, *topics: str) -> None:
        self.store.subscribers.add(person(f"{name}@example.org", "news", topics=topics), at=at, source="test")

    def choose(self, name: str, frequency: str, at: datetime) -> None:
        with self.store.subscribers.transaction(at, newsletters=["news"]) as transaction:
            found = transaction.find(f"{name}@example.org")
            assert found is not None
            transaction.change_frequency(found, "news", frequency, Evidence("test"))

    def tick(self, now: datetime, *, held: bool = False) -> list[Edition]:
        """Make the editions whose slots have come since the last time."""
        made = []
        for stream in self.streams:
            slot = latest_due(parse_schedule(stream.newsletter.schedule), now, UTC)
            assert slot is not None
            if slot.at <= self.done.get(stream.name, START):
                continue
            self.done[stream.name] = slot.at
            due = DueEdition(slot.label, beside=False, hold=approval(None, UTC) if held else None)
            public = [post for post in self.posts if post.published <= now]
            planned = plan_stream(self.config, self.store, stream, public, now, due)
            if isinstance(planned, Idle):
                plan = Plan(None, idle=(planned,))  # type: ignore[arg-type]
                pass_slots(self.store, plan, DueEditions({}, {stream.name: slot.at}))
            else:
                made += [self.create(each, now) for each in planned]
        return made

    def create(self, planned: PlannedEdition, now: datetime) -> Edition:
        letters = [
            Letter(each.key, "S", "", "", "", posts=tuple(post.id for post in each.posts) if each.key else ())
            for each in planned.variants
            if each.posts
        ]
        edition = self.store.editions.create(draft_of(planned, tuple(letters), now))
        assert edition is not None
        return edition

    def got(self) -> dict[str, list[str]]:
        """Return the posts that the ledger says were sent to each subscriber, in order."""
        same = (letter_posts.c.edition_id == deliveries.c.edition_id) & (letter_posts.c.variant == deliveries.c.variant)
        query = (
            sa.select(subscribers.c.address, letter_posts.c.post_id)
            .select_from(
                deliveries.join(letter_posts, same)
                .join(subscribers)
                .join(editions, editions.c.id == deliveries.c.edition_id)
            )
            .where(deliveries.c.status != DeliveryStatus.SKIPPED)
            .order_by(deliveries.c.id, letter_posts.c.post_id)
        )
        found = defaultdict(list)
        with self.store._database.read() as connection:
            for address, post_id in connection.execute(query):
                found[address.partition("@")[0]].append(post_id.rpartition(":")[2])
        return found


def test_a_switch_brings_what_is_missing_and_nothing_twice(store: Store) -> None:
    desk = Desk(store)
    for name in ("daily", "often", "seldom"):
        desk.join(name, START)
    desk.choose("seldom", "monthly", START)
    desk.choose("often", "weekly", START)
    desk.posts = [a_post(number, START + number * DAY) for number in range(1, 70)]
    for day in range(1, 80):
        now = START + day * DAY + timedelta(hours=9)
        if day == 10:
            desk.choose("often", "monthly", now)
        if day == 45:
            desk.choose("often", "", now)
            desk.choose("seldom", "weekly", now)
        desk.tick(now)
    everything = [post.title for post in desk.posts]
    assert {name: sorted(posts) for name, posts in desk.got().items()} == dict.fromkeys(
        ("daily", "often", "seldom"), everything
    )
