"""Calls functions once at the start and then at a fixed interval. The only user of APScheduler.

The scheduler knows nothing about newsletters and stores nothing. The functions look up in the database what work is
due, so an extra call does no harm, and the next call makes up for a missed one.
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
    """Calls several functions, each in its own thread. No function is called while its previous call is running."""

    def __init__(self, calls: Mapping[str, Callable[[], None]], seconds: int) -> None:
        """Create the scheduler without starting it.

        calls    the functions by name; they must not raise exceptions
        seconds  the interval between two calls of a function
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
        """Start the scheduler. The first calls are made immediately."""
        self._scheduler.start()

    def now(self, *names: str) -> None:
        """Call the functions with these names immediately, or all functions if no name is given.

        This is needed when there is new work, or when the clock was set back. The functions themselves may use it.
        """
        with self._ending:
            for name in () if self._over else names or self._names:
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def every(self, seconds: int) -> None:
        """Change the interval between two calls, in seconds."""
        for name in self._names:
            self._scheduler.reschedule_job(name, trigger=_every(seconds))

    def end(self) -> None:
        """Stop making calls, and wait for those in progress."""
        with self._ending:  # shutdown waits while holding its own lock, which a running call that uses `now` would need
            self._over = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _every(seconds: int) -> IntervalTrigger:
    # In UTC, all days have the same length.
    return IntervalTrigger(seconds=seconds, timezone=UTC)
