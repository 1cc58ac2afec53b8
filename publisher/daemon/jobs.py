"""The jobs that the scheduler calls: one makes the editions that are due, one sends them, one fetches sources.

Errors are logged and do not stop any job. On PostgreSQL, the jobs may also be called for work that another process has
put into the database, and a fourth job does the chores that need only the database. Any job may run on two hosts at the
same time, because the work that is due is in the database and is claimed there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from publisher.config import Config
from publisher.core.errors import PublisherError, StoppedError, StoreAwayError, StoreError
from publisher.core.logging import log
from publisher.core.newsletter_models import DeliveryStatus, EditionKind
from publisher.daemon.reporting import Outage, ProblemLog, free_memory, log_defect
from publisher.publishing.tick import Build, TickReport, create_due, do_chores, fetch_due, send_due
from publisher.publishing.wiring import Project, open_project_store, run_build, way_to_send

if TYPE_CHECKING:
    from publisher.core.newsletter_models import DeliveryCounts, Edition
    from publisher.mail.run_options import Stop
    from publisher.publishing.deliver import DeliveryResult
    from publisher.store import Store

LONGEST_REST = 600.0
"""The longest pause of a job, in seconds, after failures or while a daily limit is reached."""

PROGRESS_SECONDS = 60.0
"""How often the progress of a long delivery is logged."""

WITHOUT_RUN_SECONDS = 120.0
"""After this time, a worker sends an edition even if no `publisher run` has said that its web version is online."""

KNOWN_SECONDS = 24 * 3600.0
"""How long to wait before a problem is logged again. Not every call checks everything."""


def rest_after(failures: int, seconds: int) -> float:
    """Return how many seconds to pause after a number of consecutive failures.

    seconds  the usual time between two calls
    """
    return 0.0 if failures < 2 else min(seconds * 2.0 ** (failures - 1), LONGEST_REST)


class TickJob:
    """Makes the editions that are due. The database is opened for each call and closed after it."""

    name = "tick"

    def __init__(
        self,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        stop: Stop,
        after: Callable[[TickReport], None] = lambda ticked: None,
        outage: Outage | None = None,
    ) -> None:
        """Create the job without running it.

        config  returns the current configuration
        stop    interrupts a delivery in progress
        after   called with the report of each call that did not fail
        outage  records whether the database can be used
        """
        self._outage = outage or Outage()
        self._config, self._clock, self._stop, self._after = config, clock, stop, after
        self._problems = ProblemLog(KNOWN_SECONDS)
        self._waits = ""
        self.logs_waits = self.name == TickJob.name  # one job of a process logs why nothing is sent
        self._owner_missed = False  # whether the missing owner was logged
        self._failures, self._rests_until = 0, 0.0
        self._refused = False  # whether this host is not confirmed
        self.waits_for = ""
        """What the last call lacked to do its work, or "". These are fixed words, which may be shown to anyone."""
        self._began_at: float | None = None
        self._turn = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether a call is in progress."""
        return self._turn.locked()

    @property
    def is_free(self) -> bool:
        """Whether a call would do its work now: the job is not running or pausing, and this host is confirmed."""
        resting = time.monotonic() < self._rests_until
        return not (self.is_running or resting or self._refused or self._stop.asked)

    @property
    def busy_seconds(self) -> float:
        """Return how many seconds the current call has been running; 0 if there is none."""
        began = self._began_at
        return 0.0 if began is None else time.monotonic() - began

    @property
    def silent_seconds(self) -> float:
        """Return how many seconds the current call has shown no sign of life; 0 if there is none."""
        return self.busy_seconds

    def __call__(self) -> None:
        """Do the work that is due, and log the results. Raises nothing. Does nothing if another thread is doing it."""
        if self._turn.acquire(blocking=False):
            self._began_at = time.monotonic()
            try:
                self._run()
            finally:
                self._began_at = None
                self._turn.release()

    def _run(self) -> None:
        if self._stop.asked or time.monotonic() < self._rests_until:
            return
        config = self._config()
        try:
            with open_project_store(config) as store:
                ticked = self._work(config, store)
            self._refused = bool(ticked.waits)
            self.waits_for = f"{ticked.waits} ({way_to_send(ticked.waits)})" if ticked.waits else ""
            self._log(ticked)
        except StoppedError:
            log(f"{self.name} stopped")
            return
        except PublisherError as error:
            self._failed(config, error)
        except Exception as error:  # noqa: BLE001 - a defect in one call must not end the others
            self._failed(config, error)
        else:
            self._outage.end(self.name)
            self._rest(config, self._failures + 1 if ticked.stuck else 0)
            if ticked.limited:
                left = (ticked.limited - self._clock()).total_seconds()
                self._rests_until = time.monotonic() + min(max(left, 0.0), LONGEST_REST)
            if ticked.created or ticked.delivered:
                free_memory()
            self._after(ticked)

    def _work(self, config: Config, store: Store) -> TickReport:
        return create_due(Project(config, store, self._clock))

    def _failed(self, config: Config, error: Exception) -> None:
        self.waits_for = "the database" if isinstance(error, StoreError) else f"the job {self.name!r}, which has failed"
        if isinstance(error, StoreError):
            self._outage.begin(self.name, error)
            if isinstance(error, StoreAwayError):
                return  # the next call tries again, because a refused connection costs nothing
        elif isinstance(error, PublisherError):
            for line in error.lines():
                log(f"{self.name} failed", f"{self.name} failed: {line}", level="error", what=line)
        else:
            log_defect(error)
        self._rest(config, self._failures + 1, quiet=isinstance(error, StoreError))

    def _rest(self, config: Config, failures: int, *, quiet: bool = False) -> None:
        """Record the number of consecutive failures, and pause after several of them.

        The pause keeps the job from overloading the project or its mail servers. quiet: whether to log nothing.
        """
        self._failures = failures
        rest = rest_after(failures, config.run.tick_seconds)
        self._rests_until = time.monotonic() + rest
        if rest and not quiet:
            log("resting", f"{self.name}: next try in {rest:.0f} s", seconds=rest, failures=failures)

    def _log(self, ticked: TickReport) -> None:
        for edition in ticked.created:
            _log_made(edition)
        self._problems.log("problem", [str(problem) for problem in ticked.problems])
        for line in ticked.alerts:
            log("owner told", f"owner notified: {line}", what=line)
        self._log_unheard(ticked)
        for line in ticked.chores:
            log("housekeeping", f"maintenance: {line}", what=line)
        if ticked.waits and ticked.waits != self._waits and self.logs_waits:
            log("waiting", f"nothing is sent: {self.waits_for}", level="warning", why=ticked.waits)
        self._waits = ticked.waits

    def _log_unheard(self, ticked: TickReport) -> None:
        for line in ticked.unreported:
            log("to be told", f"owner not notified: {line}", level="warning", what=line)
        if ticked.unreported and not self._owner_missed:
            self._owner_missed = True
            log("no owner", "mail.owner is not set, so notifications only go to the log", level="warning")


class SendJob(TickJob):
    """Sends the editions that are due.

    It runs in its own thread because sending may take hours, and the next editions must still be made on time.
    """

    name = "sending"

    def __init__(
        self,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        stop: Stop,
        after: Callable[[TickReport], None] = lambda ticked: None,
        outage: Outage | None = None,
        build: Build = run_build,
    ) -> None:
        """Create the job without running it. The other arguments are those of TickJob.

        build  builds the site before the first email of an edition links to it
        """
        self._build = build
        super().__init__(config, clock, stop, after, outage)
        self.waits_for = "the first check of what is due"
        self.announce: Callable[[Sequence[Edition]], None] | None = None
        self._wanted = threading.Event()
        self._counts: dict[int, DeliveryCounts] = {}  # by edition id, as they were after the last call
        self._logged_at = 0.0

    @property
    def silent_seconds(self) -> float:
        """Return how many seconds the current call has shown no sign of life; 0 if there is none."""
        return min(self.busy_seconds, self._stop.silent_seconds)

    def want(self) -> None:
        """Make the call in progress check for new editions once more before it ends."""
        self._wanted.set()

    def __call__(self) -> None:
        """Send the editions that are due, including those that become due in the meantime. Raises nothing."""
        while True:
            super().__call__()
            if self._stop.asked or self._turn.locked() or not self._wanted.is_set():
                return

    def _run(self) -> None:
        self._wanted.clear()
        super()._run()

    def _work(self, config: Config, store: Store) -> TickReport:
        self._logged_at = time.monotonic()
        project = Project(config, store, self._clock)
        return send_due(
            project, progress=self._log_progress, stop=self._stop, build=self._build, announce=self.announce
        )

    def _log(self, ticked: TickReport) -> None:
        for delivered in ticked.delivered:
            if delivered.sent or delivered.after != self._counts.get(delivered.edition.id):
                _log_delivered(delivered)
        self._counts = {delivered.edition.id: delivered.after for delivered in ticked.delivered}
        super()._log(ticked)

    def _log_progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._logged_at >= PROGRESS_SECONDS:
            self._logged_at = time.monotonic()
            log("delivering", f"delivering: {done:,} of {total:,}", done=done, total=total)


class ShareJob(SendJob):
    """Sends the editions that are due from a process without posts, which cannot put their web versions online.

    So it only begins to send an edition with a web version when a `publisher run` has announced it, or after waiting
    WITHOUT_RUN_SECONDS for an announcement.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        stop: Stop,
        outage: Outage | None = None,
    ) -> None:
        """Create the job without running it. The arguments are those of TickJob."""
        super().__init__(config, clock, stop, outage=outage)
        self._begins: dict[int, float] = {}  # when each edition may begin, by its id, on the monotonic clock

    def begin(self, editions: Collection[int]) -> None:
        """Note that the editions with these ids have been announced."""
        self._begins |= dict.fromkeys(editions, 0.0)

    def _work(self, config: Config, store: Store) -> TickReport:
        self._logged_at = time.monotonic()
        project = Project(config, store, self._clock)
        return send_due(project, progress=self._log_progress, stop=self._stop, build=None, may_begin=self._may_begin)

    def _may_begin(self, edition: Edition) -> bool:
        if edition.kind is not EditionKind.POSTS or not self._config().pages.enabled:
            return True  # it has no web version
        now = time.monotonic()
        return self._begins.setdefault(edition.id, now + WITHOUT_RUN_SECONDS) <= now


class MakeJob(TickJob):
    """Makes the editions that are due, and leaves the chores that need no file on this host to ChoreJob."""

    def _work(self, config: Config, store: Store) -> TickReport:
        return create_due(Project(config, store, self._clock), local=True)


class ChoreJob(TickJob):
    """Does the chores that need only the database."""

    name = "chores"

    def _work(self, config: Config, store: Store) -> TickReport:
        return do_chores(Project(config, store, self._clock))


class SourceJob(TickJob):
    """Fetches the sources that are due.

    It runs in its own thread, because servers may be slow to answer, and editions must still be made on time.
    """

    name = "sources"

    def _run(self) -> None:
        """Fetch what is due, and log the results."""
        if self._config().sources:
            super()._run()
        else:
            self.waits_for = ""

    def _work(self, config: Config, store: Store) -> TickReport:
        return fetch_due(Project(config, store, self._clock), self._stop)

    def _log(self, ticked: TickReport) -> None:
        for report in ticked.fetched:
            if report.new or report.changed or report.gone:
                log("source fetched", source=report.name, new=report.new, changed=report.changed, gone=report.gone)
        super()._log(ticked)


def _log_made(edition: Edition) -> None:
    event = "edition held" if edition.held else "edition made"
    facts: dict[str, Any] = {"newsletter": edition.newsletter, "slot": edition.slot}
    if edition.number:
        facts["number"] = edition.number
    log(event, **facts, posts=len(edition.posts), why=edition.held)


def _log_delivered(delivered: DeliveryResult) -> None:
    edition = delivered.edition
    counts: dict[str, Any] = {status.value: count for status, count in delivered.after.by_status.items()}
    facts = {"newsletter": edition.newsletter, "slot": edition.slot, "now": delivered.sent, **counts}
    if edition.held:
        facts["why"] = edition.held
    event = "edition delivered" if delivered.finished else "sending ended"
    log(event, level="warning" if delivered.after[DeliveryStatus.UNCERTAIN] else "info", **facts)
