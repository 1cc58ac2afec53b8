"""A thread that builds the site after each change. A change during a build starts another build."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.daemon.reporting import ProblemLog, free_memory, log_defect
from publisher.publishing.wiring import run_build


class SiteBuilder:
    """Builds the site in a separate thread."""

    def __init__(self, config: Callable[[], Config], clock: Callable[[], datetime]) -> None:
        """Create the thread without starting it.

        config  returns the current configuration
        clock   returns the current time
        """
        self._config, self._clock = config, clock
        self._wanted, self._over = threading.Event(), False
        self._problems = ProblemLog()
        self._thread = threading.Thread(target=self._work, name="site", daemon=True)

    def begin(self) -> None:
        """Start the thread, and request a first build."""
        self._wanted.set()
        self._thread.start()

    def build(self) -> None:
        """Request a build, and return at once. A build does nothing if nothing has changed, so call this freely."""
        self._wanted.set()

    def end(self) -> None:
        """Stop the thread, after waiting for the build in progress."""
        self._over = True
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while self._wanted.wait() and not self._over:
            self._wanted.clear()
            try:
                self._build()
            except PublisherError as error:
                self._problems.log("site not built", error.lines(), level="error")
            except Exception as error:  # noqa: BLE001 - a defect in one build must not end the others
                log_defect(error)

    def _build(self) -> None:
        report = run_build(self._config(), self._clock())
        if report.changed:
            free_memory()
            log("site built", posts=report.posts, written=report.written, removed=report.removed)
        self._problems.log("problem", [str(problem) for problem in report.problems])
