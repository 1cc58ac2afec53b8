"""The main process of `publisher run`. It starts the others, waits for events, and shuts down in order.

The web application has a process of its own, which is started again when it ends. The clock, the sender and the
fetcher are here, each in a thread, so that nothing that a stranger sends can delay them. The main thread only waits for
signals and for changes to publisher.toml, and regularly notifies systemd that the process is alive.
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
from publisher.daemon.children import Children
from publisher.daemon.file_watcher import FileWatcher
from publisher.daemon.jobs import SendJob, SourceJob, TickJob
from publisher.daemon.reporting import Outage, log_defect
from publisher.daemon.scheduler import Scheduler
from publisher.daemon.site_builder import SiteBuilder
from publisher.daemon.systemd import notify, watchdog_seconds
from publisher.daemon.web_process import WebProcess
from publisher.mail.run_options import Stop
from publisher.publishing.tick import TickReport

STOP_SECONDS = 40.0
"""How long everything may take to end after the first signal. It is less than the unit's TimeoutStopSec."""

HURRY_SECONDS = 3.0
"""How long everything may take to end after the second signal."""

WAIT_SECONDS = 5.0
"""How long the main thread waits before it checks the clock. The watchdog also hears of it at least as often."""

CLOCK_SET_SECONDS = 5.0
"""By how much the clock must differ from the time that has passed to count as set."""


class ProcessEvent(Enum):
    """An event that the main thread waits for."""

    STOP = "stop"
    RELOAD = "reload"
    STOPPED = "stopped"  # all threads have ended


class Process:
    """A running project. It must be created in the main thread, and `run` blocks that thread."""

    def __init__(
        self, config: Config, children: Children, web: WebProcess, clock: Callable[[], datetime], outage: Outage
    ) -> None:
        """Create the jobs and threads without starting them.

        children  starts other processes
        web       the web application, which must already be running
        clock     returns the current time, with a time zone
        outage    where it is noted whether the database can be used
        """
        self._config = config
        self._events: SimpleQueue[ProcessEvent] = SimpleQueue()
        self._stop = Stop()
        self._children, self._web = children, web
        self._reloading = threading.Lock()
        self._site = SiteBuilder(children, lambda: self._config, clock, outage)
        self._sending = SendJob(lambda: self._config, clock, self._stop, self._sent, outage, self._site.build)
        making = TickJob(lambda: self._config, clock, self._stop, self._made, outage)
        fetching = SourceJob(lambda: self._config, clock, self._stop, self._fetched, outage)
        jobs = {job.name: job for job in (making, self._sending, fetching)}
        self._scheduler = Scheduler(jobs, config.run.tick_seconds)
        self._watcher = FileWatcher(config, self._site.changed, lambda: self._events.put(ProcessEvent.RELOAD))
        self._clock_jumps = ClockJumps()

    def run(self, ready: Callable[[], None], must_reload: Callable[[], bool] = lambda: False) -> int:
        """Run until a signal arrives, and return the exit code.

        ready        called once everything has started
        must_reload  returns whether a reload was asked for before
        """
        with self._signals():
            if must_reload():
                self._events.put(ProcessEvent.RELOAD)
            self._site.begin()
            self._scheduler.begin()
            self._watcher.begin()
            notify("READY=1")
            ready()
            self._wait()
            self._shut_down()
        return 0

    def _made(self, ticked: TickReport) -> None:
        self._site.want()  # a post whose time has come appears on the site
        if ticked.created:
            self._sending.want()
            self._scheduler.now(self._sending.name)

    def _sent(self, ticked: TickReport) -> None:
        if ticked.delivered:
            self._site.want()

    def _fetched(self, ticked: TickReport) -> None:
        if any(report.has_news for report in ticked.fetched):
            self._site.want()
            self._scheduler.now(TickJob.name)

    def _wait(self) -> None:
        """Handle events until a stop event arrives."""
        watchdog = watchdog_seconds()
        while True:
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
                return
            # In a thread, because a database that is away must not delay the watchdog or a stop.
            threading.Thread(target=self._reload, name="reload", daemon=True).start()

    def _reload(self) -> None:
        with self._reloading:
            try:
                self._take_configuration()
            except Exception as error:  # noqa: BLE001 - the next change is reloaded all the same
                log_defect(error)

    def _take_configuration(self) -> None:
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
        self._site.want()
        log("configuration taken", "configuration reloaded")
        if (config.web.listen, config.admin.listen) != (before.web.listen, before.admin.listen):
            text = "a changed web.listen or admin.listen takes effect after a restart"
            log("restart needed", text, level="warning")

    def _shut_down(self) -> None:
        """Shut down in order.

        After STOP_SECONDS, exit in any case; after a second signal, within HURRY_SECONDS; after a third, at once.
        """
        notify("STOPPING=1")
        log("ending", "shutting down: finishing the message in progress")
        self._stop.ask()
        self._web.end()
        threading.Thread(target=self._close, name="closing", daemon=True).start()
        hurried = False
        until = time.monotonic() + STOP_SECONDS
        while True:
            try:
                event = self._events.get(timeout=max(0.0, until - time.monotonic()))
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
            self._site.end()
            self._scheduler.end()
            self._web.close()
            self._children.end()
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
