"""The thread that runs the web application, which is replaced when the configuration changes."""

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
from publisher.daemon.reporting import log_defect
from publisher.web.application import open_application
from publisher.web.server import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

GRACE = 10
"""Seconds for answers in progress when it ends."""


class WebThread:
    """The ASGI application of the server. It passes each request to the application of the current configuration."""

    def __init__(self, listener: socket, now: Callable[[], datetime]) -> None:
        """Create the server and its thread without starting them.

        listener  the socket on which the server accepts requests
        now       returns the current time
        """
        self._now = now
        self._server = Server(listener, grace=GRACE)
        self._thread = threading.Thread(target=self._answer, name="web", daemon=True)
        self._application: ASGIApp | None = None
        self._opened = ExitStack()

    def open(self, config: Config) -> None:
        """Use this configuration for new requests. Requests in progress are finished with the previous one.

        Raises PublisherError if the configuration has no newsletters or the database can't be opened. In that case the
        previous configuration stays in use.
        """
        require_newsletters(config)
        with ExitStack() as stack:
            application = stack.enter_context(open_application(config, self._now))
            before, self._opened = self._opened, stack.pop_all()
        self._application = application
        self._server.trust(config.web.trusted_proxies)
        threading.Thread(target=before.close, name="closing", daemon=True).start()

    def begin(self) -> None:
        """Start the server. Return once it accepts requests, or has failed."""
        self._thread.start()
        while not self._server.answers and self._thread.is_alive():
            time.sleep(0.002)

    @property
    def alive(self) -> bool:
        """Whether the thread is still running."""
        return self._thread.is_alive()

    def end(self, *, hurry: bool = False) -> None:
        """Stop accepting requests, without waiting for those in progress. hurry: drop the ones in progress."""
        self._server.end(hurry=hurry)

    def close(self) -> None:
        """Wait for requests in progress and for subscription emails that are due, then close the application."""
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
        except Exception as error:  # noqa: BLE001 - the process notices that this thread is gone, and ends
            log_defect(error)


def require_newsletters(config: Config) -> None:
    """Raise ProjectError if the configuration has no newsletters."""
    if not config.newsletters:
        raise ProjectError("there is no newsletter to subscribe to", hint="add [[newsletters]] to publisher.toml")
