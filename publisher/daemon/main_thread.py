"""The main thread of a long-running process, which waits for signals, and ends the other threads in order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from queue import Empty, SimpleQueue

from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.daemon.reporting import log_defect
from publisher.daemon.systemd import notify, watchdog_seconds

STOP_SECONDS = 40.0
"""How long everything may take to end after the first signal. It is less than the unit's TimeoutStopSec."""

HURRY_SECONDS = 3.0
"""How long everything may take to end after the second signal."""

WAIT_SECONDS = 5.0
"""How long the main thread waits before it checks the clock. The watchdog is also notified at least as often."""


class ProcessEvent(Enum):
    """An event that the main thread waits for."""

    STOP = "stop"
    RELOAD = "reload"
    STOPPED = "stopped"  # all threads have ended


Events = SimpleQueue[ProcessEvent]


def log_refused(error: PublisherError) -> None:
    """Log why a changed configuration is not used, one line for each mistake."""
    for line in error.lines():
        log("configuration refused", f"configuration not reloaded: {line}", level="error", what=line)


@contextmanager
def received_signals(events: Events) -> Iterator[None]:
    """Put an event into the queue for each signal, while the block runs."""
    meanings = {
        signal.SIGTERM: ProcessEvent.STOP,
        signal.SIGINT: ProcessEvent.STOP,
        signal.SIGHUP: ProcessEvent.RELOAD,
    }

    def received(number: int, frame: object) -> None:
        """Queue the event for a signal."""
        # A SimpleQueue is safe to use in a signal handler, whatever code the signal interrupts.
        events.put(meanings[signal.Signals(number)])

    before = {number: signal.signal(number, received) for number in meanings}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_stop(
    events: Events, idle: Callable[[], None], reload: Callable[[], None], check: Callable[[], str] = lambda: ""
) -> None:
    """Handle events until a stop event arrives, and notify systemd's watchdog that the process is alive.

    idle    called after WAIT_SECONDS without an event
    reload  called when a reload is requested
    check   returns why the process hangs, or ""; a process that hangs exits with code 1
    """
    watchdog = watchdog_seconds()
    while True:
        if why := check():
            log("hung", f"the process hangs, so it exits to be restarted: {why}", level="error", why=why)
            os._exit(1)
        if watchdog:
            notify("WATCHDOG=1")
        try:
            event = events.get(timeout=min(WAIT_SECONDS, watchdog / 3) if watchdog else WAIT_SECONDS)
        except Empty:
            idle()
            continue
        if event is ProcessEvent.STOP:
            return
        reload()


def shut_down(events: Events, ask: Callable[[bool], None], close: Callable[[], None]) -> None:
    """Shut down in order.

    Exit after STOP_SECONDS at the latest; after a second signal, within HURRY_SECONDS; after a third, immediately.

    ask    asks everything to end; if True, immediately, without waiting for answers
    close  waits until everything has ended
    """
    notify("STOPPING=1")
    log("ending", "shutting down: finishing the message in progress")
    ask(False)
    threading.Thread(target=_close, args=(events, close), name="closing", daemon=True).start()
    hurried = False
    until = time.monotonic() + STOP_SECONDS
    while True:
        try:
            event = events.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            event = None
        if event is ProcessEvent.STOPPED:
            log("ended")
            return
        if event is None or (hurried and event is ProcessEvent.STOP):
            log("left", "stopped with unfinished work; the next run will pick it up", level="warning")
            os._exit(1)
        if event is ProcessEvent.STOP:
            hurried, until = True, time.monotonic() + HURRY_SECONDS
            log("hurrying", "stopping now")
            ask(True)


def _close(events: Events, close: Callable[[], None]) -> None:
    try:
        close()
    except Exception as error:  # noqa: BLE001 - the process must end all the same
        log_defect(error)
    finally:
        events.put(ProcessEvent.STOPPED)
