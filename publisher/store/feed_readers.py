"""How many people read the feeds, as far as their programs say so: counts, and nothing about a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.models import require_aware
from publisher.store.database import Database
from publisher.store.tables import feed_readers, feed_requests

# A program may call itself anything, so a feed keeps no more than this many.
MOST_READERS = 100
# A program that was not seen for this long makes room for a new one.
_FORGOTTEN = timedelta(days=30)
_DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A program that fetches a feed for many people, and the number that it reports.

    feed  its path under the site's root
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
        """Record what programs reported, and add to the number of requests by (feed, day).

        Requests of more than 400 days ago are deleted. A feed with MOST_READERS programs takes a new one only in place
        of those that were not seen for 30 days. Otherwise the new one is counted among the programs that report no
        number.
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
        """Return the programs that were seen since a moment, by feed, those with most subscribers first."""
        query = (
            sa.select(feed_readers)
            .where(feed_readers.c.seen_at >= since)
            .order_by(feed_readers.c.feed, feed_readers.c.subscribers.desc(), feed_readers.c.reader)
        )
        with self._database.read() as connection:
            return [FeedReader(row.feed, row.reader, row.subscribers, row.seen_at) for row in connection.execute(query)]

    def requests(self, since_day: str) -> dict[tuple[str, str], int]:
        """Return how many requests came from programs that report no number, by (feed, day), since a day."""
        query = sa.select(feed_requests).where(feed_requests.c.day >= since_day)
        with self._database.read() as connection:
            return {(row.feed, row.day): row.requests for row in connection.execute(query)}

    def _write(self, connection: Connection, each: FeedReader) -> bool:
        """Record one program; return whether there was room for it."""
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
