"""The main process of `publisher run`. It starts the other processes, waits for events, and shuts down in order.

The web application has a process of its own, which is started again when it ends. The clock, the sender and the fetcher
each have a thread here, so that no request from outside can delay them. The main thread only waits for signals and for
changes to publisher.toml, and regularly notifies systemd that the process is alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue

from publisher.config import Config, load_config
from publisher.core.errors import PublisherError
from publisher.core.logging import configure, log
from publisher.daemon.child_processes import Children
from publisher.daemon.file_watcher import FileWatcher
from publisher.daemon.health import Health
from publisher.daemon.jobs import ChoreJob, MakeJob, SendJob, SourceJob, TickJob
from publisher.daemon.main_thread import ProcessEvent, log_refused, received_signals, shut_down, wait_for_stop
from publisher.daemon.reporting import Outage, log_defect
from publisher.daemon.scheduler import Scheduler
from publisher.daemon.shared_jobs import CHORES, MAKE, SEND, SOURCES, SharedJobs, is_shared
from publisher.daemon.site_builder import SiteBuilder
from publisher.daemon.systemd import notify
from publisher.daemon.web_supervisor import WebSupervisor
from publisher.mail.run_options import Stop
from publisher.publishing.tick import TickReport

CLOCK_SET_SECONDS = 5.0
"""How far the clock must differ from the time that has passed before it counts as changed by hand."""


class Process:
    """A running project. It must be created in the main thread, and `run` blocks that thread."""

    def __init__(
        self, config: Config, children: Children, web: WebSupervisor, clock: Callable[[], datetime], outage: Outage
    ) -> None:
        """Create the jobs and threads without starting them.

        children  starts other processes
        web       the web application, which must already be running
        clock     returns the current time, with a time zone
        outage    records whether the database can be used
        """
        self._config = config
        self._events: SimpleQueue[ProcessEvent] = SimpleQueue()
        self._stop = Stop()
        self._children, self._web = children, web
        self._reloading = threading.Lock()
        self._site = SiteBuilder(children, lambda: self._config, clock, outage)
        self._sending = SendJob(lambda: self._config, clock, self._stop, self._sent, outage, self._site.build)
        make = MakeJob if is_shared(config) else TickJob
        making = make(lambda: self._config, clock, self._stop, self._made, outage)
        fetching = SourceJob(lambda: self._config, clock, self._stop, self._fetched, outage)
        jobs: dict[str, TickJob] = {MAKE: making, SEND: self._sending, SOURCES: fetching}
        if is_shared(config):
            jobs[CHORES] = ChoreJob(lambda: self._config, clock, self._stop, outage=outage)
        self._jobs = SharedJobs(lambda: self._config, jobs)
        self._scheduler = Scheduler(self._jobs.calls | {making.name: self._tick}, config.run.tick_seconds)
        self._watcher = FileWatcher(config, self._site.changed, lambda: self._events.put(ProcessEvent.RELOAD))
        self._clock_jumps = ClockJumps()
        self._health = Health(jobs.values(), self._stop, lambda: self._config.delivery.lease_seconds)

    def run(self, ready: Callable[[], None], must_reload: Callable[[], bool] = lambda: False) -> int:
        """Run until a signal arrives, and return the exit code.

        ready        called once everything has started
        must_reload  returns whether a reload was requested earlier
        """
        with received_signals(self._events):
            if must_reload():
                self._events.put(ProcessEvent.RELOAD)
            self._site.begin()
            self._jobs.begin()
            self._scheduler.begin()
            self._watcher.begin()
            notify("READY=1")
            ready()
            wait_for_stop(self._events, self._check_clock, self._begin_reload, self._health.check)
            shut_down(self._events, self._ask, self._close)
        return 0

    def _tick(self) -> None:
        self._jobs.calls[TickJob.name]()
        self._jobs.remind()
        self._site.want()  # a post whose time has come appears on the site, wherever the editions are made

    def _made(self, ticked: TickReport) -> None:
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

    def _check_clock(self) -> None:
        if self._clock_jumps.check():
            log("clock set", "the system clock was changed: checking what is due now")
            self._scheduler.now()

    def _begin_reload(self) -> None:
        # In a thread, because an unavailable database must not delay the watchdog or a stop.
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
            log_refused(error)
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

    def _ask(self, hurry: bool) -> None:
        self._stop.ask()
        self._web.end(hurry=hurry)

    def _close(self) -> None:
        """Stop all threads, and wait for them to end."""
        self._watcher.end()
        self._site.end()
        self._scheduler.end()
        self._jobs.end()
        self._web.close()
        self._children.end()


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
