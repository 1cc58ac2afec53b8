"""The web application in a thread of its own; it can be exchanged for that of another configuration."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from socket import socket
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import ProjectError
from publisher.daemon.reporting import tell_defect
from publisher.web.serve import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

GRACE = 10  # seconds for answers that are under way


class Front:
    """Is itself the application that the server knows, and hands each request to that of the moment."""

    def __init__(self, listener: socket, now: Callable[[], datetime]) -> None:
        """Prepare, without answering."""
        self._now = now
        self._server = Server(listener, grace=GRACE)
        self._thread = threading.Thread(target=self._answer, name="web", daemon=True)
        self._application: ASGIApp | None = None
        self._opened = ExitStack()

    def open(self, config: Config) -> None:
        """Answer by this configuration from here on; what the one before has under way is finished.

        Raises PublisherError where the database cannot be opened; then the one before goes on.
        """
        from publisher.web.lifespan import opened

        require_newsletters(config)
        with ExitStack() as stack:
            application = stack.enter_context(opened(config, self._now))
            before, self._opened = self._opened, stack.pop_all()
        self._application = application
        threading.Thread(target=before.close, name="closing", daemon=True).start()

    def begin(self) -> None:
        """Answer; returns once requests are taken, or cannot be."""
        self._thread.start()
        while not self._server.answers and self._thread.is_alive():
            time.sleep(0.002)

    @property
    def alive(self) -> bool:
        """Whether the thread is."""
        return self._thread.is_alive()

    def end(self, *, hurry: bool = False) -> None:
        """Take no more requests; returns at once."""
        self._server.end(hurry=hurry)

    def close(self) -> None:
        """Wait for the answers under way, and for mails about subscriptions that are due."""
        if self._thread.ident is not None:
            self._thread.join()
        self._opened.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert self._application is not None  # noqa: S101 - opened before it begins
        await self._application(scope, receive, send)

    def _answer(self) -> None:
        try:
            self._server.answer(self)
        except Exception as error:  # noqa: BLE001 - the process sees that this thread is gone, and ends
            tell_defect(error)


def require_newsletters(config: Config) -> None:
    """Raise ProjectError where there is nothing that people could subscribe to."""
    if not config.newsletters:
        raise ProjectError("there is no newsletter to subscribe to", hint="add [[newsletters]] to publisher.toml")
