"""How long it takes to count the people in a segment, and to make an edition for them, with very many subscribers.

    python -m benchmarks.segments [--people 1000000] [--databases sqlite postgresql]

For each condition: the number of matching people, the seconds to count them, and the seconds to create the deliveries
of an edition for them. The last row is an edition without a segment, for comparison. The people are always the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.imports import databases
from benchmarks.tables import markdown
from publisher.core.newsletter_models import EditionDraft, EditionPost, Letter, SubscriberStatus
from publisher.core.segment_language import parse
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionStatus
from publisher.store import Store, open_store
from publisher.store.tables import consent_events, subscriber_tags, subscribers, subscriptions

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PARTS = 50  # each of which joined on a different day
CONDITIONS = (
    "tag:vip",
    "not tag:vip",
    "tag:rare",
    "topic:ruby",
    "joined > 20 days ago",
    "tag:vip and joined > 2026-11-01 and not topic:ruby",
    'address ~ "7@example.org"',
    "name ~ müller",
    "field.city = Oslo",
    "field.points >= 90",
    "field.renews < 2026-12-05 or field.city has no value",
    "source:import and newsletter:weekly and language:de",
    "(tag:vip or field.points > 50) and not (field.city = Oslo or name ~ ann) and status:active",
)


def fill(store: Store, number: int) -> None:
    """Add this many people: one in 10 is tagged vip, one in 5,000 rare, half have fields, a third has a topic."""
    size = max(1, number // PARTS)
    with store._database.write() as connection:
        for part in range(PARTS):
            first = sa.select(sa.literal(part * size + 1, sa.Integer).label("x")).cte("numbers", recursive=True)
            x = first.union_all(sa.select(first.c.x + 1).where(first.c.x < (part + 1) * size))
            _insert_people(connection, x.c.x, NOW - timedelta(days=part))
        people = subscribers.c
        for tag, every in (("vip", 10), ("rare", 5_000)):
            these = sa.select(people.id, sa.literal(tag)).where(people.id % every == 3)
            connection.execute(sa.insert(subscriber_tags).from_select(["subscriber_id", "tag"], these))
        wishes = {
            "subscriber_id": people.id,
            "newsletter": sa.literal("weekly"),
            "topics": sa.case((people.id % 3 == 0, '["ruby"]'), else_="[]"),
            "status": sa.literal(SubscriptionStatus.SUBSCRIBED, subscriptions.c.status.type),
            "since": people.created_at,
            "cause": sa.literal(SubscriptionEvent.IMPORTED, subscriptions.c.cause.type),
        }
        connection.execute(sa.insert(subscriptions).from_select(list(wishes), sa.select(*wishes.values())))
        events = {
            "subscriber_id": people.id,
            "at": people.created_at,
            "what": sa.literal("imported"),
            "source": sa.case((people.id % 2 == 0, "import people.csv"), else_="form /subscribe"),
            "detail": sa.literal(""),
        }
        connection.execute(sa.insert(consent_events).from_select(list(events), sa.select(*events.values())))


def _insert_people(connection: sa.Connection, x: sa.ColumnElement[int], joined: datetime) -> None:
    text = sa.cast(x, sa.String)
    fields = sa.literal('{"city":"') + sa.case((x % 4 == 0, "Oslo"), (x % 4 == 1, "Århus"), else_="Rome")
    fields = fields + '","points":' + sa.cast(x % 100, sa.String) + ',"renews":"2026-12-0'
    values = {
        "uid": sa.literal("u") + text,
        "address": sa.literal("reader") + text + "@example.org",
        "address_key": sa.literal("reader") + text + "@example.org",
        "name": sa.case((x % 7 == 0, "Jörg Müller"), (x % 7 == 1, "Ann Lee"), else_=""),
        "language": sa.case((x % 5 == 0, "de-AT"), else_=""),
        "status": sa.literal(SubscriberStatus.ACTIVE, subscribers.c.status.type),
        "created_at": sa.literal(joined, subscribers.c.created_at.type),
        "fields": sa.case((x % 2 == 0, fields + sa.cast(x % 9 + 1, sa.String) + '"}'), else_="{}"),
    }
    connection.execute(sa.insert(subscribers).from_select(list(values), sa.select(*values.values())))


def _edition(number: int, segment: str) -> EditionDraft:
    return EditionDraft(
        newsletter="weekly",
        slot=f"slot-{number}",
        number=number,
        subject="Hello",
        made_at=NOW,
        posts=(EditionPost(f"post-{number}", "A post", "https://example.org/a/"),),
        letters=(Letter("", "Hello", "In short", "<p>Hello</p>", "Hello\n"),),
        variants={("ruby",): ""},
        segment=segment,
    )


def times(url: str, folder: Path, number: int) -> list[tuple[str, str, str, str]]:
    """Return a row per condition: the condition, the number of people, and the seconds to count and to queue them."""
    with open_store(url, folder) as store:
        begun = time.perf_counter()
        fill(store, number)
        print(f"    {number:,} people added in {time.perf_counter() - begun:.1f} s", flush=True)
        rows = []
        for each, text in enumerate((*CONDITIONS, ""), 1):
            condition = parse(text) if text else None
            begun = time.perf_counter()
            counted = store.segments.count(condition, NOW, "weekly")
            asked = time.perf_counter()
            edition = store.editions.create(_edition(each, text))
            made = time.perf_counter()
            if edition is None or store.deliveries.counts(edition.id).total != counted:
                raise SystemExit(f"{text}: the edition does not go to the {counted:,} people who were counted")
            rows.append((text or "(no segment)", f"{counted:,}", f"{asked - begun:.2f}", f"{made - asked:.2f}"))
            print(f"    {rows[-1]}", flush=True)
        return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each database, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for name in options.databases:
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as folder, databases(name, Path(folder)) as urls:
            print(markdown((name, "people", "count, s", "queue, s"), times(urls[0], Path(folder), options.people)))


if __name__ == "__main__":
    main()
