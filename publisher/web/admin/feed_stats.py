"""Counts requests for the feeds. A separate thread writes the counts, so that no request waits for the database.

A feed reader that fetches a feed for many people reports their number in its user agent. There is no standard for this,
but all known feed readers write "42 subscribers" (or "42 readers") somewhere after their name:

    Feedly/1.0 (+http://www.feedly.com/fetcher.html; 42 subscribers; like FeedFetcher-Google)
    NewsBlur Feed Fetcher - 12 subscribers - http://www.newsblur.com/site/1/x (Mozilla/5.0 ...)
    Feedbin feed-id:1373711 - 142 subscribers
    Mozilla/5.0 (compatible; theoldreader.com; 3 subscribers; feed-id=0123)
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.logging import log
from publisher.store import Store
from publisher.store.feed_readers import FeedReader

_EVERY = 60.0  # seconds between two writes
_PER_READER = timedelta(hours=1)
# The number of feeds and readers to remember at once. Any more are most likely fake, and are not counted.
_MOST_REMEMBERED = 5_000
_LONGEST_PATH = 200

_COUNT = re.compile(r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+|\d{1,9})\s+(?:subscriber|reader)s?\b", re.IGNORECASE)
_COMPATIBLE = re.compile(r"^Mozilla/[\d.]+ \((?:compatible|[^;()]+); *", re.IGNORECASE)
_NAME_ENDS = re.compile(r"/|[;()]| [-–](?: |$)| feed-id|\+?https?:| \d", re.IGNORECASE)
_LONGEST_AGENT, _LONGEST_NAME = 500, 40
_MOST_SUBSCRIBERS = 100_000_000  # no feed has more, but anyone can claim any number


class FeedStats:
    """Counts requests for feeds. Counts that have not been written yet are lost if the process is killed."""

    def __init__(self, store: Store, now: Callable[[], datetime], *, every: float = _EVERY) -> None:
        """Prepare to count. every: the number of seconds between two writes."""
        self._store, self._now, self._every = store, now, every
        self._changed = threading.Condition()
        self._seen: dict[tuple[str, str], FeedReader] = {}
        self._requests: Counter[tuple[str, str]] = Counter()
        self._written_at: dict[tuple[str, str], datetime] = {}
        self._ends = self._failed = False
        self._thread = threading.Thread(target=self._run, name="feed stats", daemon=True)

    def start(self) -> None:
        """Start the thread that writes the counts."""
        self._thread.start()

    def count(self, feed: str, user_agent: str) -> None:
        """Count one request for a feed, without waiting for the database.

        feed        the path of the feed below the site's root
        user_agent  the client's user agent. A feed reader that reports its subscribers is stored by name, while
                    requests from other programs are only counted
        """
        if len(feed) > _LONGEST_PATH:
            return
        now = self._now()
        reported = reported_subscribers(user_agent)
        with self._changed:
            if reported is None:
                key = (feed, f"{now:%Y-%m-%d}")
                if key in self._requests or len(self._requests) < _MOST_REMEMBERED:
                    self._requests[key] += 1
                return
            own = (feed, reported.reader)
            last = self._written_at.get(own)
            if last is not None and now < last + _PER_READER:
                return
            if own in self._seen or len(self._seen) < _MOST_REMEMBERED:
                self._seen[own] = FeedReader(feed, reported.reader, reported.subscribers, now)

    def write(self) -> None:
        """Write the counts since the last write. If the database is unavailable, they are lost, and this is logged."""
        with self._changed:
            seen, requests = list(self._seen.values()), dict(self._requests)
            self._seen.clear()
            self._requests.clear()
            if len(self._written_at) > _MOST_REMEMBERED:
                self._written_at.clear()
            self._written_at.update({(each.feed, each.reader): each.seen_at for each in seen})
        if not seen and not requests:
            return
        try:
            self._store.feed_readers.record(seen, requests)
            self._failed = False
        except PublisherError as error:
            kind = type(error).__name__
            if self._failed:
                return  # one line for an outage
            self._failed = True
            log("feed readers", f"requests for feeds were not counted: {kind}", level="warning", error=kind)

    def close(self) -> None:
        """Write the remaining counts, and stop the thread."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._ends:
                    self._changed.wait(self._every)
                ends = self._ends
            self.write()
            if ends:
                return


@dataclass(frozen=True, slots=True)
class ReportedSubscribers:
    """The report of a feed reader: its name, and the number of people for whom it fetches the feed."""

    reader: str
    subscribers: int


def reported_subscribers(user_agent: str) -> ReportedSubscribers | None:
    """Return the feed reader's name and number of subscribers from its user agent; None if it reports no number."""
    agent = user_agent[:_LONGEST_AGENT]
    count = _COUNT.search(agent)
    if count is None:
        return None
    number = int(count[1].replace(",", ""))
    name = _name(agent[: count.start()])
    return ReportedSubscribers(name, number) if name and number <= _MOST_SUBSCRIBERS else None


def _name(before: str) -> str:
    """Return the name of the feed reader, which is in the text before the number of subscribers.

    The name is reduced to letters of any script, digits and a few punctuation marks.
    """
    bare = _COMPATIBLE.sub("", before.strip(), count=1)
    bare = _NAME_ENDS.split(bare, maxsplit=1)[0]
    plain = "".join(c for c in bare if c.isalnum() or c in " .-_!&'")
    short = re.sub(r" (feed ?fetcher|bot)$", "", " ".join(plain.split()), flags=re.IGNORECASE)
    return short.strip(" .-_")[:_LONGEST_NAME]
