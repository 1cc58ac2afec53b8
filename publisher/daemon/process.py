"""The main process of `publisher run`. It starts the threads, waits for events, and shuts down in order.

Each long-running task has its own thread. The main thread only waits for signals and for changes to publisher.toml, and
regularly notifies systemd that the process is alive.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from queue import Empty, SimpleQueue

from publisher.config import Config, load_config
from publisher.core.errors import PublisherError
from publisher.core.logging import configure, log
from publisher.daemon.file_watcher import FileWatcher
from publisher.daemon.jobs import SendJob, TickJob
from publisher.daemon.reporting import log_defect
from publisher.daemon.scheduler import Scheduler
from publisher.daemon.site_builder import SiteBuilder
from publisher.daemon.systemd import notify, watchdog_seconds
from publisher.daemon.web_thread import WebThread
from publisher.mail.run_options import Stop
from publisher.publishing.tick import TickReport

HURRY_SECONDS = 3.0
"""How long the threads may take to end after the second signal."""

WAIT_SECONDS = 5.0
"""How long the main thread waits before it checks on the web application and the clock."""

CLOCK_SET_SECONDS = 5.0
"""By how much the clock must differ from the time that has passed to count as set."""


class ProcessEvent(Enum):
    """An event that the main thread waits for."""

    STOP = "stop"
    RELOAD = "reload"
    STOPPED = "stopped"  # all threads have ended


class Process:
    """A running project. It must be created in the main thread, and `run` blocks that thread."""

    def __init__(self, config: Config, web: WebThread, clock: Callable[[], datetime]) -> None:
        """Create the jobs and threads without starting them.

        web    the web application, which must already be running
        clock  returns the current time, with a time zone
        """
        self._config = config
        self._events: SimpleQueue[ProcessEvent] = SimpleQueue()
        self._stop = Stop()
        self._web = web
        self._site = SiteBuilder(lambda: self._config, clock)
        self._sending = SendJob(lambda: self._config, clock, self._stop, after=self._sent)
        making = TickJob(lambda: self._config, clock, self._stop, after=self._made)
        self._scheduler = Scheduler({making.name: making, self._sending.name: self._sending}, config.run.tick_seconds)
        self._watcher = FileWatcher(config, self._site.build, lambda: self._events.put(ProcessEvent.RELOAD))
        self._clock_jumps = ClockJumps()

    def run(self, ready: Callable[[], None]) -> int:
        """Run until a signal arrives or the web application fails, and return the exit code.

        ready  called once everything has started
        """
        with self._signals():
            self._site.begin()
            self._scheduler.begin()
            self._watcher.begin()
            notify("READY=1")
            ready()
            code = self._wait()
            self._shut_down()
        return code

    def _made(self, ticked: TickReport) -> None:
        self._site.build()  # a post whose time has come appears on the site
        if ticked.created:
            self._sending.want()
            self._scheduler.now(self._sending.name)

    def _sent(self, ticked: TickReport) -> None:
        if ticked.delivered:
            self._site.build()

    def _wait(self) -> int:
        """Handle events until a stop event arrives or the web application fails, and return the exit code."""
        watchdog = watchdog_seconds()
        while self._web.alive:
            if watchdog:
                notify("WATCHDOG=1")
            try:
                event = self._events.get(timeout=min(WAIT_SECONDS, watchdog / 3) if watchdog else WAIT_SECONDS)
            except Empty:
                if self._clock_jumps.check():
                    log("clock set", "the clock was set: checking at once what is due")
                    self._scheduler.now()
                continue
            if event is ProcessEvent.STOP:
                return 0
            self._reload()
        return 1  # the web application has failed; the service manager restarts the process

    def _reload(self) -> None:
        """Reload the configuration if it has changed. If it contains errors, log them and keep the old one."""
        before = self._config
        try:
            config = load_config(before.root)
            if config == before:
                log("configuration unchanged")
                self._scheduler.now()
                return
            self._web.open(config)
        except PublisherError as error:
            for line in error.lines():
                log("configuration refused", f"configuration not reloaded: {line}", level="error", what=line)
            return
        self._config = config
        configure(config.run.log)
        self._scheduler.every(config.run.tick_seconds)
        self._scheduler.now()
        self._watcher.use(config)
        self._site.build()
        log("configuration taken", "configuration reloaded")
        if config.web.listen != before.web.listen:
            log("restart needed", "a changed web.listen takes effect after a restart", level="warning")

    def _shut_down(self) -> None:
        """Shut down in order.

        After a second signal, exit within HURRY_SECONDS; after a third, exit at once.
        """
        notify("STOPPING=1")
        log("ending", "shutting down: finishing the message in progress")
        self._stop.ask()
        self._web.end()
        threading.Thread(target=self._close, name="closing", daemon=True).start()
        hurried = False
        until = None
        while True:
            try:
                event = self._events.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
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
                self._stop.ask()
                self._web.end(hurry=True)

    def _close(self) -> None:
        """Stop all threads, and wait for them to end."""
        try:
            self._watcher.end()
            self._scheduler.end()
            self._site.end()
            self._web.close()
        except Exception as error:  # noqa: BLE001 - the process must end all the same
            log_defect(error)
        finally:
            self._events.put(ProcessEvent.STOPPED)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        events = {
            signal.SIGTERM: ProcessEvent.STOP,
            signal.SIGINT: ProcessEvent.STOP,
            signal.SIGHUP: ProcessEvent.RELOAD,
        }

        def received(number: int, frame: object) -> None:
            # A SimpleQueue is safe to use in a signal handler, whatever code the signal interrupts.
            self._events.put(events[signal.Signals(number)])

        before = {number: signal.signal(number, received) for number in events}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class ClockJumps:
    """Detects whether the host's clock was set, by comparing it with the monotonic clock, which can't be set."""

    def __init__(self) -> None:
        self._offset = self._difference()

    def check(self) -> bool:
        """Return whether the clock was set since the last check."""
        before, self._offset = self._offset, self._difference()
        return abs(self._offset - before) > CLOCK_SET_SECONDS

    @staticmethod
    def _difference() -> float:
        return datetime.now(UTC).timestamp() - time.monotonic()
