"""How many people read the feeds, according to the programs that fetch them. No personal data is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.store.database import Database
from publisher.store.feed_tables import feed_readers, feed_requests

# The maximum number of programs stored for each feed. There is a limit because a program may call itself anything.
MOST_READERS = 100
# A program that has not been seen for this long may be deleted to make room for a new one.
_FORGOTTEN = timedelta(days=30)
_DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A program that fetches a feed for many people, and the number of subscribers that it reports.

    feed    the path of the feed under the site's root
    reader  the name of the program
    """

    feed: str
    reader: str
    subscribers: int
    seen_at: datetime

    def __post_init__(self) -> None:
        require_aware("seen_at", self.seen_at)


class FeedReaders:
    """The tables of feed readers; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, seen: Sequence[FeedReader], requests: Mapping[tuple[str, str], int]) -> None:
        """Record the numbers that programs reported, and add to the counts of requests.

        A feed with MOST_READERS programs accepts a new program only after deleting those that have not been seen for
        30 days. If there are none, the new program is counted as a request without a number. Counts of requests are
        deleted after 400 days.

        requests: (feed, day) -> number of requests from programs that report no number.
        """
        with self._database.write() as connection:
            for each in seen:
                if not self._write(connection, each):
                    self._add(connection, each.feed, f"{each.seen_at.astimezone(UTC):%Y-%m-%d}", 1)
            for (feed, day), more in requests.items():
                self._add(connection, feed, day, more)
            if requests:
                newest = max(day for _, day in requests)
                oldest = datetime.fromisoformat(newest).replace(tzinfo=UTC) - timedelta(days=_DAYS_KEPT)
                connection.execute(sa.delete(feed_requests).where(feed_requests.c.day < f"{oldest:%Y-%m-%d}"))

    def list(self, since: datetime) -> Sequence[FeedReader]:
        """Return the programs seen since a moment, sorted by feed and then by number of subscribers, largest first."""
        query = (
            sa.select(feed_readers)
            .where(feed_readers.c.seen_at >= since)
            .order_by(feed_readers.c.feed, feed_readers.c.subscribers.desc(), feed_readers.c.reader)
        )
        with self._database.read() as connection:
            return [FeedReader(row.feed, row.reader, row.subscribers, row.seen_at) for row in connection.execute(query)]

    def requests(self, since_day: str) -> dict[tuple[str, str], int]:
        """Return how many requests since a day came from programs that report no number: (feed, day) -> count."""
        query = sa.select(feed_requests).where(feed_requests.c.day >= since_day)
        with self._database.read() as connection:
            return {(row.feed, row.day): row.requests for row in connection.execute(query)}

    def _write(self, connection: Connection, each: FeedReader) -> bool:
        """Record a program; return False if the feed already has too many."""
        values: dict[str, Any] = {"subscribers": each.subscribers, "seen_at": each.seen_at}
        of_feed = feed_readers.c.feed == each.feed
        if connection.execute(
            sa.update(feed_readers).where(of_feed, feed_readers.c.reader == each.reader).values(values)
        ).rowcount:
            return True
        there = sa.select(sa.func.count()).select_from(feed_readers).where(of_feed)
        if connection.execute(there).scalar_one() >= MOST_READERS:
            forgotten = feed_readers.c.seen_at < each.seen_at - _FORGOTTEN
            if not connection.execute(sa.delete(feed_readers).where(of_feed, forgotten)).rowcount:
                return False
        new = self._database.insert_new(feed_readers)
        connection.execute(new.values({"feed": each.feed, "reader": each.reader, **values}))
        return True

    def _add(self, connection: Connection, feed: str, day: str, more: int) -> None:
        own = (feed_requests.c.feed == feed) & (feed_requests.c.day == day)
        added = sa.update(feed_requests).where(own).values(requests=feed_requests.c.requests + more)
        if not connection.execute(added).rowcount:
            new = self._database.insert_new(feed_requests).values(feed=feed, day=day, requests=more)
            if connection.execute(new).rowcount != 1:  # another process was faster
                connection.execute(added)
