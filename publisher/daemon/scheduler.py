"""Calling functions at the start and then every so many seconds. The only user of APScheduler.

The scheduler knows no newsletter and stores nothing. The functions find out in the database what is due, so a call too
many does nothing, and a missed one is made up for by the next.
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
    """Calls each of several functions in a thread of its own, never the same one twice at once."""

    def __init__(self, calls: Mapping[str, Callable[[], None]], seconds: int) -> None:
        """Prepare, without starting.

        calls    the functions by name; they must not raise
        seconds  from one call to the next
        """
        # APScheduler warns when a call is still running; here that is normal, and the other calls continue.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._names = tuple(calls)
        self._ending, self._over = threading.Lock(), False
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(calls))})
        for name, call in calls.items():
            self._scheduler.add_job(
                call,
                _every(seconds),
                id=name,
                max_instances=1,  # wait for a long call
                coalesce=True,  # make up for several missed calls with one
                misfire_grace_time=None,  # drop no call for being late
                next_run_time=datetime.now(UTC),
            )

    def begin(self) -> None:
        """Make the first calls, and continue from there."""
        self._scheduler.start()

    def now(self, *names: str) -> None:
        """Call these functions, or all, at once: there is new work, or the clock was set back.

        The functions that are called may call this, too.
        """
        with self._ending:
            for name in () if self._over else names or self._names:
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def every(self, seconds: int) -> None:
        """Change the seconds from one call to the next."""
        for name in self._names:
            self._scheduler.reschedule_job(name, trigger=_every(seconds))

    def end(self) -> None:
        """Stop calling, and wait for the calls in progress."""
        with self._ending:  # shutdown waits while it holds its own lock, which `now` in a running call would need
            self._over = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _every(seconds: int) -> IntervalTrigger:
    # In UTC all days are equally long.
    return IntervalTrigger(seconds=seconds, timezone=UTC)
