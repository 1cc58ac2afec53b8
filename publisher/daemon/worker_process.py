"""The process of `publisher worker`. It sends editions and does jobs, and writes nothing into the project's folder.

Everything that it needs for sending is in the database: the finished editions and their recipients. So it has no posts,
no templates and no web application. Any number of workers can help any number of `publisher run` processes, which make
the editions and put their web versions online.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

from publisher.config import Config, load_config
from publisher.core.errors import ProjectError, PublisherError
from publisher.core.logging import configure, log
from publisher.daemon.health import Health
from publisher.daemon.jobs import ChoreJob, ShareJob, SourceJob, TickJob
from publisher.daemon.main_thread import ProcessEvent, log_refused, received_signals, shut_down, wait_for_stop
from publisher.daemon.reporting import Outage
from publisher.daemon.scheduler import Scheduler
from publisher.daemon.shared_jobs import CHORES, MAKE, SEND, SOURCES, SharedJobs, is_shared
from publisher.daemon.systemd import notify
from publisher.mail.run_options import Stop
from publisher.publishing.tick import TickReport

QUEUES = (SEND, SOURCES, CHORES)
"""What a worker can do. Making an edition needs the posts and templates."""


def worker_config(config: Config, scratch: Path, connections: int | None) -> Config:
    """Return the configuration of a worker.

    scratch      a temporary folder, which takes the place of .publisher
    connections  the maximum number of connections to each mail server; None: as configured
    Raises ProjectError if a worker cannot help with this project.
    """
    if not is_shared(config):
        hint = "`publisher database copy` moves everything there; on one machine, `publisher run` is enough"
        raise ProjectError("workers need a database on PostgreSQL", where="database.url", hint=hint)
    if config.mail.transport != "smtp":
        hint = "the outbox is a folder on one machine"
        raise ProjectError('workers need transport = "smtp"', where="mail.transport", hint=hint)
    mail = config.mail
    if connections:
        fewer = (replace(each, connections=min(each.connections, connections)) for each in mail.servers)
        mail = replace(mail, relays=tuple(fewer))
    return replace(config, mail=mail, scratch=scratch)


class WorkerProcess:
    """A running worker. It must be created in the main thread, and `run` blocks that thread."""

    def __init__(
        self,
        config: Config,
        adapted: Callable[[Config], Config],
        queues: Collection[str],
        clock: Callable[[], datetime],
    ) -> None:
        """Create the jobs and threads without starting them.

        config   the configuration as it was loaded
        adapted  returns the configuration of a worker; see worker_config
        queues   the queues in QUEUES whose jobs it does
        clock    returns the current time, with a time zone
        """
        self._loaded, self._adapted, self._config = config, adapted, adapted(config)
        self._events: SimpleQueue[ProcessEvent] = SimpleQueue()
        self._stop, outage = Stop(), Outage()
        jobs: dict[str, TickJob] = {
            SEND: ShareJob(lambda: self._config, clock, self._stop, outage),
            SOURCES: SourceJob(lambda: self._config, clock, self._stop, self._fetched, outage),
            CHORES: ChoreJob(lambda: self._config, clock, self._stop, outage=outage),
        }
        jobs = {queue: job for queue, job in jobs.items() if queue in queues}
        next(iter(jobs.values())).logs_waits = True
        self._jobs = SharedJobs(lambda: self._config, jobs)
        self._scheduler = Scheduler(self._jobs.calls, config.run.tick_seconds)
        self.health = Health(jobs.values(), self._stop, lambda: self._config.delivery.lease_seconds)

    def run(self, ready: Callable[[], None]) -> int:
        """Work until a signal arrives, and return the exit code. ready: called once everything has started."""
        with received_signals(self._events):
            self._jobs.begin()
            self._scheduler.begin()
            notify("READY=1")
            ready()
            wait_for_stop(self._events, lambda: None, self._reload, self.health.check)
            shut_down(self._events, lambda hurry: self._stop.ask(), self._close)
        return 0

    def _fetched(self, ticked: TickReport) -> None:
        if any(report.has_news for report in ticked.fetched):
            self._jobs.put(MAKE)

    def _reload(self) -> None:
        """Reload the configuration. If it contains errors, log them and keep the old one."""
        try:
            loaded = load_config(self._loaded.root)
            self._config = self._adapted(loaded)
        except PublisherError as error:
            log_refused(error)
            return
        self._loaded = loaded
        configure(loaded.run.log)
        self._scheduler.every(loaded.run.tick_seconds)
        self._scheduler.now()
        log("configuration taken", "configuration reloaded")

    def _close(self) -> None:
        self._scheduler.end()
        self._jobs.end()
