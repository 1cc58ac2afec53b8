"""The parent's side of the web application: restarts it whenever it ends, and makes it open each new configuration."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue

from publisher.config import Config
from publisher.core.errors import ProjectError, PublisherError, StoreAwayError
from publisher.core.logging import log
from publisher.daemon.child_processes import WEB, Child, ChildError, Children, ServedProject, WebEvent, WebOrder
from publisher.daemon.reporting import Outage, ProblemLog

OPEN_SECONDS = 60.0
"""How long opening a project may take."""

HANG_SECONDS = 60.0
"""How long the process may be silent before it is killed. It reports every ten seconds."""

END_SECONDS = 35.0
"""How long it may take to finish requests and subscription emails after it has been asked to end."""

STEADY_SECONDS = 60.0
"""If the process ran this long, its end is treated as an isolated failure and not as one of a series."""

DELAYS = (0.0, 0.2, 0.5, 1.0, 2.0, 3.0)
"""The seconds to wait before each start of a series; the last value is repeated."""


class WebSupervisor:
    """The thread that starts the process of the web application, and starts it again when it ends."""

    def __init__(self, children: Children, config: Config, ahead: timedelta, outage: Outage | None = None) -> None:
        """Prepare the process without starting it.

        ahead   how far the project's clock is ahead of the host's
        outage  records whether the database can be used
        """
        self._outage = outage or Outage()
        self._children, self._project = children, ServedProject(1, config, ahead)
        self._child: Child | None = None
        self._sending = threading.Lock()
        self._answers: SimpleQueue[tuple[WebEvent, int, PublisherError | None]] = SimpleQueue()
        self._problems = ProblemLog()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="web", daemon=True)

    def begin(self, *, wait: bool = True) -> None:
        """Start the process. Return when it answers requests, even if only to say that the database is unavailable.

        wait  whether to start even if the database server cannot be reached
        Raises PublisherError if the project has no newsletters, or its application cannot be opened.
        """
        require_newsletters(self._project.config)
        child = self._start()
        try:
            event, _, error = child.connection.recv()
            if event is WebEvent.AWAY and wait and isinstance(error, StoreAwayError):
                self._outage.begin("web", error)
            elif error is not None:
                raise error
            while event is not WebEvent.ANSWERS:
                event, _, _ = child.connection.recv()
        except (EOFError, OSError) as error:
            raise ChildError("the web application cannot be started", where=child.how) from error
        self._thread.start()

    def open(self, config: Config) -> None:
        """Use this configuration for new requests. Requests in progress are finished with the previous one.

        Raises PublisherError if the configuration has no newsletters or its application cannot be opened. The previous
        configuration then stays in use.
        """
        require_newsletters(config)
        project = ServedProject(self._project.number + 1, config, self._project.ahead)
        self._send(project)
        until = time.monotonic() + OPEN_SECONDS
        with suppress(Empty):
            while True:
                event, number, error = self._answers.get(timeout=max(0.0, until - time.monotonic()))
                if number == project.number and event is WebEvent.OPENED:
                    self._project = project
                    return
                if number == project.number or event is WebEvent.ENDED:
                    raise error or ChildError("the web application ended while it opened this configuration")
        raise ChildError("the web application did not open this configuration in time")

    def end(self, *, hurry: bool = False) -> None:
        """Accept no more requests, without waiting for those in progress. hurry: drop the ones in progress."""
        self._ending.set()
        self._send(WebOrder.HURRY if hurry else WebOrder.END)

    def close(self, seconds: float = END_SECONDS) -> None:
        """Wait for requests in progress and for subscription emails that are due. After `seconds`, kill the process."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        if self._thread.is_alive() and (child := self._child):
            log("web killed", "the web application did not end in time", level="warning")
            child.kill()
            self._thread.join(2)

    def _send(self, message: ServedProject | WebOrder) -> None:
        with self._sending, suppress(OSError):
            if self._child:
                self._child.connection.send(message)

    def _start(self) -> Child:
        child = self._children.start(WEB)
        with self._sending:
            self._child = child
        self._send(self._project)
        return child

    def _supervise(self) -> None:
        """Start the process again whenever it ends, unless it was asked to end."""
        starts = 0
        while not self._ending.is_set():
            began = time.monotonic()
            if child := self._child:
                self._attend(child)
                if self._ending.is_set():
                    return
                if starts < len(DELAYS):  # only the beginning of a long series is logged
                    text = f"the web application ended ({child.how}); it is being restarted"
                    log("web ended", text, level="warning", how=child.how)
            starts = 1 if time.monotonic() - began > STEADY_SECONDS else starts + 1
            if self._ending.wait(DELAYS[min(starts, len(DELAYS)) - 1]):
                return
            try:
                self._start()
            except ChildError as error:
                self._problems.log("web not started", error.lines(), level="error")

    def _attend(self, child: Child) -> None:
        """Receive the messages of the process until it ends. Kill it if it hangs."""
        with suppress(EOFError, OSError):
            while child.connection.poll(HANG_SECONDS):
                event, number, error = child.connection.recv()
                if event in (WebEvent.ALIVE, WebEvent.ANSWERS):
                    continue
                self._answers.put((event, number, error))
                if event is WebEvent.OPENED:
                    self._outage.end("web")
                elif error and event is WebEvent.AWAY:
                    self._outage.begin("web", error)
                elif error and number == self._project.number:
                    self._problems.log("web not opened", error.lines(), level="error")
            log("web hangs", "the web application does not respond, so it is killed", level="error")
            child.kill()
        with self._sending:
            self._child = None
        if not child.wait(1):
            child.kill()
            child.wait(1)
        child.close()
        self._answers.put((WebEvent.ENDED, 0, None))


def require_newsletters(config: Config) -> None:
    """Raise ProjectError if the configuration has no newsletters."""
    if not config.newsletters:
        raise ProjectError("there is no newsletter to subscribe to", hint="add [[newsletters]] to publisher.toml")
