"""Patience with a database whose server is away for a moment, as during a restart.

A worker that loses its database keeps what it has in hand, and tries again. So an outage that is shorter than its lease
leaves nothing in doubt. What is tried again must be safe to do twice: if a connection breaks during a commit, nobody
knows whether it was done. SQLite is never away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from publisher.core.errors import StoreAwayError
from publisher.core.logging import log

# The pauses between two tries, in seconds. They double. Others look for dead workers no more often than the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

Done = TypeVar("Done")


class Patience:
    """Repeats work on the database while its server is away. Its threads may do so at the same time."""

    def __init__(self, seconds: float) -> None:
        """Prepare it. seconds: for how long each work is tried again, such as the time of a worker's lease."""
        self._seconds = seconds
        self._over = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._away_since: float | None = None

    def notify(self, listener: Callable[[], None]) -> None:
        """Call the listener after each try that found the database away, in the thread of the try."""
        self._listeners.append(listener)

    def end(self) -> None:
        """Wait for nothing any more: what fails from now on fails at once, and so does what waits now."""
        self._over.set()

    def keep_trying(self, work: Callable[[bool], Done]) -> Done:
        """Do some work, again and again while the database is away; return what the work returns.

        work: called with whether it has failed before, so that it may have been done all the same. Raises what the work
        raises: StoreAwayError only if the time is over, or `end` was called.
        """
        until, pause, has_failed = time.monotonic() + self._seconds, FIRST_PAUSE, False
        while True:
            try:
                done = work(has_failed)
            except StoreAwayError as error:
                has_failed = True
                self._note_away(error)
                if time.monotonic() + pause > until or self._over.wait(pause):
                    raise
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                if has_failed:
                    self._note_back()
                return done

    def _note_away(self, error: StoreAwayError) -> None:
        with self._lock:
            first = self._away_since is None
            self._away_since = self._away_since or time.monotonic()
        if first and not self._over.is_set():
            line = "; ".join(error.lines())
            log("sending waits", f"sending waits for the database: {line}", level="warning", what=line)
        for listener in self._listeners:
            listener()

    def _note_back(self) -> None:
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            seconds = round(time.monotonic() - since)
            log("sending goes on", f"sending goes on: the database was away for {seconds} s", seconds=seconds)
