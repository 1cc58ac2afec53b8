"""Builds the site after each change, in a process that may be killed. A change during a build starts another build.

A build that makes no progress, needs too much memory or crashes leaves the site as it was. It is reported with the post
or file that was being processed. Since the next build would probably end in the same way, it waits, longer each time,
unless a file is changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import PublisherError, StoreError
from publisher.core.logging import log
from publisher.daemon.build_process import OUT_OF_MEMORY
from publisher.daemon.child_processes import BUILD, BuildNote, BuildOrder, Child, ChildError, Children
from publisher.daemon.reporting import Outage, ProblemLog, log_defect
from publisher.publishing.wiring import note_build_failure

if TYPE_CHECKING:
    from publisher.site.build import BuildReport

QUIET_SECONDS = 60.0
"""How long a build may take to open its next file or to make the next file of the site."""

REPORT_SECONDS = 60.0
"""How long to wait for the report of how a process has ended, after its connection was closed."""

REST_SECONDS = 60.0
LONGEST_REST = 600.0
"""How long to wait after a build that was killed or crashed: the first time, and at most."""


class SiteBuilder:
    """Builds the site, one build at a time, in a thread that waits for requests."""

    def __init__(
        self,
        children: Children,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        outage: Outage | None = None,
        *,
        quiet: float = QUIET_SECONDS,
    ) -> None:
        """Create the thread without starting it.

        children  starts the processes of the builds
        config    returns the current configuration
        clock     returns the current time
        outage    records whether the database can be used
        quiet     seconds without progress after which a build is killed
        """
        self._children, self._config, self._clock, self._quiet = children, config, clock, quiet
        self._outage = outage or Outage()
        self._wanted, self._over = threading.Event(), False
        self._one = threading.Lock()
        self._child: Child | None = None
        self._failures, self._rests_until = 0, 0.0
        self._failure: PublisherError | None = None
        self._problems = ProblemLog()
        self._thread = threading.Thread(target=self._work, name="site", daemon=True)

    def begin(self) -> None:
        """Start the thread, and request a first build."""
        self._wanted.set()
        self._thread.start()

    def want(self) -> None:
        """Request a build, and return immediately. A build does nothing if nothing has changed, so call this freely."""
        self._wanted.set()

    def changed(self) -> None:
        """Request a build because of a changed file, and return immediately. This ends any wait after failed builds."""
        self._failures, self._rests_until = 0, 0.0
        self._wanted.set()

    def end(self, *, hurry: bool = False) -> None:
        """Stop the thread. A build in progress is killed, since the next run makes what is missing.

        hurry  whether to return immediately
        """
        self._over = True
        self._wanted.set()
        if child := self._child:
            child.kill()
        if self._thread.ident is not None and not hurry:
            self._thread.join()

    def build(self, config: Config, now: datetime) -> BuildReport:
        """Build the site in a process of its own, and return the report.

        Raises PublisherError if the site cannot be built, and ChildError if the process did not finish, or is not
        started because an earlier one did not finish. The site then stays unchanged.
        """
        with self._one:
            if self._failure and time.monotonic() < self._rests_until:
                raise self._failure
            note = BuildNote()
            try:
                report = self._run(config, now, note)
            except ChildError as error:
                if not self._over:
                    note_build_failure(config, error, now)
                self._rest(error)
                raise
            finally:
                note.close()
            self._failures, self._failure = 0, None
            return report

    def _run(self, config: Config, now: datetime, note: BuildNote) -> BuildReport:
        child = self._child = self._children.start(BUILD, note.file)
        try:
            if self._over:
                child.kill()
            child.connection.send(BuildOrder(config, now))
            seen, since = -1, time.monotonic()
            while not child.connection.poll(self._quiet / 10):
                count, _ = note.read()
                if count != seen:
                    seen, since = count, time.monotonic()
                elif time.monotonic() - since >= self._quiet:
                    child.kill()
                    raise _failed(f"made no progress for {self._quiet:.0f} s and was stopped", config, note)
            answer: BuildReport | PublisherError = child.connection.recv()
        except (EOFError, OSError):
            child.wait(REPORT_SECONDS)
            what = "needs too much memory" if child.code == OUT_OF_MEMORY else f"ended too early ({child.how})"
            raise _failed(what, config, note) from None
        finally:
            self._child = None
            child.close()
        if isinstance(answer, PublisherError):
            raise answer
        return answer

    def _rest(self, error: ChildError) -> None:
        self._failures, self._failure = self._failures + 1, error
        rest = min(REST_SECONDS * 2.0 ** (self._failures - 1), LONGEST_REST)
        self._rests_until = time.monotonic() + rest

    def _work(self) -> None:
        while self._wanted.wait() and not self._over:
            self._wanted.clear()
            try:
                report = self.build(self._config(), self._clock())
            except StoreError as error:  # the web versions of editions are in the database
                self._outage.begin("site", error)
            except PublisherError as error:
                if not self._over:
                    self._problems.log("site not built", error.lines(), level="error")
            except Exception as error:  # noqa: BLE001 - a defect in one build must not end the others
                log_defect(error)
            else:
                self._outage.end("site")
                self._log(report)

    def _log(self, report: BuildReport) -> None:
        if report.changed:
            log("site built", posts=report.posts, written=report.written, removed=report.removed)
        self._problems.log("problem", [str(problem) for problem in report.problems])


def _failed(what: str, config: Config, note: BuildNote) -> ChildError:
    """Return the error for a build that did not finish, with the post or file that was being processed."""
    _, name = note.read()
    path = Path(name)
    where = str(path.relative_to(config.root)) if path.is_relative_to(config.root) else name
    hint = "simplify this file, or move it away" if where else ""
    return ChildError(f"the build {what}; the site stays as it was", where=where, hint=hint)
