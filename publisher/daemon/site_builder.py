"""The site is built when something changed, in a thread of its own; what changes meanwhile is built next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.logging import say
from publisher.daemon.reporting import News, clear_up, tell_defect
from publisher.publishing.wiring import run_build


class Site:
    """Builds for as long as it lives."""

    def __init__(self, config: Callable[[], Config], clock: Callable[[], datetime]) -> None:
        """Prepare, without starting. config: gives the configuration of the moment."""
        self._config, self._clock = config, clock
        self._wanted, self._over = threading.Event(), False
        self._news = News()
        self._thread = threading.Thread(target=self._work, name="site", daemon=True)

    def begin(self) -> None:
        """Start, with a first build."""
        self._wanted.set()
        self._thread.start()

    def build(self) -> None:
        """Build soon. Where nothing changed nothing is done, so it may be said often."""
        self._wanted.set()

    def end(self) -> None:
        """Build no more; wait for the build under way."""
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
                self._news.tell("site not built", error.lines(), level="error")
            except Exception as error:  # noqa: BLE001 - a defect in one build must not end the others
                tell_defect(error)

    def _build(self) -> None:
        report = run_build(self._config(), self._clock())
        if report.changed:
            clear_up()
            say("site built", posts=report.posts, written=report.written, removed=report.removed)
        self._news.tell("problem", [str(problem) for problem in report.problems])
