"""How long the owner waits for a page of the list of subscribers, with a hundred subscribers and with very many.

    python -m benchmarks.people [--people 100000] [--databases sqlite postgresql]

For each query: the milliseconds for a page of fifty people, and for counting the matches up to 10,000, as the admin
page does. The fastest of some rounds counts, because other programs only make rounds slower.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from benchmarks.imports import databases
from benchmarks.tables import markdown
from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import Store, open_store
from publisher.store.people_query import PeopleQuery, PeopleSort
from publisher.store.subscriber_records import AddOptions, NewSubscriber
from publisher.store.tables import subscriber_tags, subscribers

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
FEW, ROUNDS = 100, 7
NAMES = ("Ada Lovelace", "Jörg Müller", "佐伯みどり", "ليلى حدّاد", "O'Neill, Grace", "", "", "")


def people(number: int) -> Iterator[NewSubscriber]:
    """Yield this many people, always the same; one in a thousand is called Zacharias."""
    chance = random.Random(20261121)
    for each in range(number):
        name = f"Zacharias {each}" if each % 1_000 == 1 else chance.choice(NAMES)
        wishes = [Subscription("weekly", chance.choice(((), (), ("ruby",))))]
        wishes += [Subscription("daily")] if each % 20 == 0 else []
        joined = NOW - timedelta(minutes=chance.randrange(2_000_000))
        address = f"{chance.getrandbits(40):x}.{each}@example.org"
        yield NewSubscriber(address, name=name, subscriptions=tuple(wishes), joined_at=joined)


def fill(store: Store, number: int) -> None:
    """Add this many people; one in 2,000 gets a tag, one in 5,000 has bounced."""
    everybody = people(number)
    while part := list(islice(everybody, 5_000)):
        store.subscribers.add_all(part, AddOptions(NOW, "import people.csv", SubscriberEvent.IMPORTED))
    with store._database.write() as connection:
        rare = sa.select(subscribers.c.id, sa.literal("vip")).where(subscribers.c.id % 2_000 == 7)
        connection.execute(sa.insert(subscriber_tags).from_select(["subscriber_id", "tag"], rare))
        bounced = sa.update(subscribers).where(subscribers.c.id % 5_000 == 9)
        connection.execute(bounced.values(status=SubscriberStatus.BOUNCED))


def questions(middle: str) -> dict[str, PeopleQuery]:
    """Return the queries by name. middle: the uid of someone in the middle of the list."""
    return {
        "first page, newest first": PeopleQuery(descending=True),
        "a page in the middle": PeopleQuery(descending=True, after=middle),
        "the page before it": PeopleQuery(descending=True, before=middle),
        "by address": PeopleQuery(sort=PeopleSort.ADDRESS, after=middle),
        "by name": PeopleQuery(sort=PeopleSort.NAME, after=middle),
        "a newsletter that everybody gets": PeopleQuery(newsletter="weekly", descending=True),
        "a newsletter that few get": PeopleQuery(newsletter="daily", status=SubscriberStatus.ACTIVE),
        "a topic": PeopleQuery(topic="ruby", descending=True),
        "a rare tag": PeopleQuery(tag="vip", descending=True),
        "a rare status": PeopleQuery(status=SubscriberStatus.BOUNCED, descending=True),
        "a common word": PeopleQuery(search="muller", descending=True),
        "a rare word": PeopleQuery(search="zacharias", descending=True),
        "a word that nobody has": PeopleQuery(search="nobody@example.com", descending=True),
        "a source that nobody has": PeopleQuery(source="form /subscribe"),
        "joined in one week": PeopleQuery(joined_from=NOW - timedelta(days=307), joined_to=NOW - timedelta(days=300)),
    }


def times(url: str, folder: Path, number: int) -> dict[str, tuple[float, float]]:
    """Return for each query the milliseconds of a page and of counting the matches, with this many people."""
    with open_store(url, folder) as store:
        begun = time.perf_counter()
        fill(store, number)
        print(f"    {number:,} people added in {time.perf_counter() - begun:.1f} s", flush=True)
        half = NOW - timedelta(minutes=1_000_000)
        middle = store.people.find(PeopleQuery(joined_from=half, limit=1), NOW).people[0].uid
        found = {}
        for what, query in questions(middle).items():
            page = min(_ms(lambda query=query: store.people.find(query, NOW)) for _ in range(ROUNDS))
            counted = min(_ms(lambda query=query: store.people.count(query, NOW, most=10_001)) for _ in range(ROUNDS))
            found[what] = (page, counted)
        return found


def _ms(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return (time.perf_counter() - begun) * 1_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each database, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for name in options.databases:
        print(name, flush=True)
        columns = []
        for number in (FEW, options.people):
            with tempfile.TemporaryDirectory() as folder, databases(name, Path(folder)) as urls:
                columns.append(times(urls[0], Path(folder), number))
        rows = [(what, *(f"{ms:.1f}" for column in columns for ms in column[what])) for what in columns[0]]
        head = [f"{what}, {number:,}" for number in (FEW, options.people) for what in ("page", "count")]
        print(markdown((f"{name}, ms", *head), rows))


if __name__ == "__main__":
    main()
