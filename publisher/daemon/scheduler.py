"""The door for time: calls functions at start and every so many seconds. The only user of APScheduler.

It knows no newsletter and keeps nothing. What is due is for the functions to find out, in the record; so a call too
many does nothing, and one too few is made up for by the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger


class Scheduler:
    """Calls each of several functions in a thread of its own, none of them twice at once."""

    def __init__(self, calls: Mapping[str, Callable[[], None]], seconds: int) -> None:
        """Prepare, without starting. calls: by name; they raise nothing. seconds: from one call to the next."""
        # That a long call is still under way is no news: it is waited for, and the others go on.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._names = tuple(calls)
        self._ending, self._over = threading.Lock(), False
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(calls))})
        for name, call in calls.items():
            self._scheduler.add_job(
                call,
                _every(seconds),
                id=name,
                max_instances=1,  # a long one is waited for
                coalesce=True,  # calls that were missed are one
                misfire_grace_time=None,  # and none is dropped for being late
                next_run_time=datetime.now(UTC),
            )

    def begin(self) -> None:
        """Call for the first time, and go on."""
        self._scheduler.start()

    def now(self, *names: str) -> None:
        """Call these, or all, at once and go on from there: for a clock that was set back, or for news.

        The functions that are called may say it too.
        """
        with self._ending:
            for name in () if self._over else names or self._names:
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def every(self, seconds: int) -> None:
        """Change how often it calls."""
        for name in self._names:
            self._scheduler.reschedule_job(name, trigger=_every(seconds))

    def wake(self) -> None:
        """Look at the clock: for tests, which move it."""
        self._scheduler.wakeup()

    def end(self) -> None:
        """Call no more, and wait for the calls under way."""
        with self._ending:  # shutdown waits with its lock held: a call that wished for another would wait for it
            self._over = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _every(seconds: int) -> IntervalTrigger:
    # In UTC every day has as many seconds as any other.
    return IntervalTrigger(seconds=seconds, timezone=UTC)
