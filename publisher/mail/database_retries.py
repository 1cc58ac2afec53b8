"""Patience with a database whose server is briefly away, for example during a restart.

A worker that loses its database keeps the messages in hand, and tries again. So an outage shorter than its lease leaves
nothing in doubt. Retried work must be safe to do twice: if a connection breaks during a commit, nobody knows whether
the commit succeeded. SQLite is never away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from publisher.core.errors import StoreAwayError
from publisher.core.logging import log

# The pauses between two tries, in seconds. They double. Other workers look for dead ones no more often than the
# longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

Done = TypeVar("Done")


class Patience:
    """Repeats work on the database while its server is away. Several threads may use it at the same time."""

    def __init__(self, seconds: float) -> None:
        """Prepare to retry. seconds: how long any work is retried, for example the length of a worker's lease."""
        self._seconds = seconds
        self._over = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._away_since: float | None = None

    def notify(self, listener: Callable[[], None]) -> None:
        """Call the listener after each attempt that found the database away, in the thread of that attempt."""
        self._listeners.append(listener)

    def end(self) -> None:
        """End all retries: work that is waiting for its next attempt, or fails later, fails immediately."""
        self._over.set()

    def keep_trying(self, work: Callable[[bool], Done]) -> Done:
        """Do some work, repeatedly while the database is away; return what the work returns.

        work: called with whether an earlier attempt failed; that attempt may nevertheless have succeeded. Raises what
        the work raises, but StoreAwayError only if the time is over or `end` was called.
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
            log(
                "sending continues", f"sending continues: the database was unavailable for {seconds} s", seconds=seconds
            )
