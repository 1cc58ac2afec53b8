"""The door for time: calls one function at start and every so many seconds. The only user of APScheduler.

It knows no newsletter and keeps nothing. What is due is for the function to find out, in the record; so a call too
many does nothing, and one too few is made up for by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

_TICK = "tick"


class Scheduler:
    """Calls `tick` in one thread of its own, never twice at once."""

    def __init__(self, tick: Callable[[], None], seconds: int) -> None:
        """Prepare, without starting. tick: raises nothing. seconds: from one call to the next."""
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        self._scheduler.add_job(
            tick,
            _every(seconds),
            id=_TICK,
            max_instances=1,  # a long one is waited for
            coalesce=True,  # calls that were missed are one
            misfire_grace_time=None,  # and none is dropped for being late
            next_run_time=datetime.now(UTC),
        )

    def begin(self) -> None:
        """Call for the first time, and go on."""
        self._scheduler.start()

    def now(self) -> None:
        """Call at once, and go on from there: for a clock that was set back, by which the next call is far away."""
        self._scheduler.modify_job(_TICK, next_run_time=datetime.now(UTC))

    def every(self, seconds: int) -> None:
        """Change how often it calls."""
        self._scheduler.reschedule_job(_TICK, trigger=_every(seconds))

    def wake(self) -> None:
        """Look at the clock: for tests, which move it."""
        self._scheduler.wakeup()

    def end(self) -> None:
        """Call no more, and wait for the call under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _every(seconds: int) -> IntervalTrigger:
    # In UTC every day has as many seconds as any other.
    return IntervalTrigger(seconds=seconds, timezone=UTC)
