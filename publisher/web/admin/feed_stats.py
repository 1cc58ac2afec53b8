"""Counting who fetches the feeds: a thread of its own writes, so that no request waits for the database."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.store import Store
from publisher.store.feed_readers import FeedReader
from publisher.web.admin.feed_aggregators import announced

_EVERY = 60.0  # seconds between two writes
_PER_READER = timedelta(hours=1)
# Feeds and readers that are remembered at once: whoever makes up more is not counted.
_MOST = 5_000
_LONGEST_PATH = 200


class Tally:
    """Counts requests of feeds. What was not written when the process is killed is lost: they are figures, not facts.

    every  seconds between two writes
    """

    def __init__(self, store: Store, now: Callable[[], datetime], *, every: float = _EVERY) -> None:
        self._store, self._now, self._every = store, now, every
        self._changed = threading.Condition()
        self._seen: dict[tuple[str, str], FeedReader] = {}
        self._requests: Counter[tuple[str, str]] = Counter()
        self._written_at: dict[tuple[str, str], datetime] = {}
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="feed readers", daemon=True)

    def begin(self) -> None:
        """Start writing."""
        self._thread.start()

    def count(self, feed: str, user_agent: str) -> None:
        """Note one request of a feed, by its path under the site's root. Returns at once.

        A program that says for how many it fetches is noted by its name; of any other only that it came.
        """
        if len(feed) > _LONGEST_PATH:
            return
        now = self._now()
        said = announced(user_agent)
        with self._changed:
            if said is None:
                key = (feed, f"{now:%Y-%m-%d}")
                if key in self._requests or len(self._requests) < _MOST:
                    self._requests[key] += 1
                return
            own = (feed, said.reader)
            last = self._written_at.get(own)
            if last is not None and now < last + _PER_READER:
                return
            if own in self._seen or len(self._seen) < _MOST:
                self._seen[own] = FeedReader(feed, said.reader, said.subscribers, now)

    def close(self) -> None:
        """Write what is left, and end."""
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

    def write(self) -> None:
        """Write what was counted since the last time; say so where the database does not take it."""
        with self._changed:
            seen, requests = list(self._seen.values()), dict(self._requests)
            self._seen.clear()
            self._requests.clear()
            if len(self._written_at) > _MOST:
                self._written_at.clear()
            self._written_at.update({(each.feed, each.reader): each.seen_at for each in seen})
        if not seen and not requests:
            return
        try:
            self._store.feed_readers.record(seen, requests)
        except PublisherError as error:
            kind = type(error).__name__
            log("feed readers", f"feed readers were not counted: {kind}", level="warning", error=kind)
