"""The process of the web application. When the configuration changes, the application is replaced, not the process.

Its main thread runs the server. A second thread obeys the parent, and ends the process when the parent is gone.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from publisher.core.errors import PublisherError, StoreError
from publisher.core.logging import configure
from publisher.daemon.child_processes import ServedProject, WebEvent, WebOrder
from publisher.daemon.reporting import log_defect
from publisher.web.application import open_application, unavailable
from publisher.web.server import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

GRACE = 10
"""How many seconds the process waits for answers in progress when it ends."""

RETRY_SECONDS = 2.0
"""How long it waits before it tries to open the database again."""

ALIVE_SECONDS = 10.0
"""How often it reports to the parent that it is alive, which means that it accepts requests."""


def run_web(connection: Connection[Any, Any], listeners: Sequence[socket.socket]) -> int:
    """Serve the project that the parent names, until the parent says END or is gone; return the exit code."""
    with suppress(EOFError):
        return WebApplicationProcess(connection, listeners, connection.recv()).run()
    return 1


class WebApplicationProcess:
    """The ASGI application of the server. It passes each request to the application of the current configuration."""

    def __init__(
        self, connection: Connection[Any, Any], listeners: Sequence[socket.socket], project: ServedProject
    ) -> None:
        """Open the application, and report to the parent whether that was possible."""
        configure(project.config.run.log)
        self._connection = connection
        self._waits: ServedProject | None = None  # could not be opened yet
        self._application: ASGIApp = unavailable
        self._opened = ExitStack()
        self._server = Server(*listeners, grace=GRACE)
        self._open(project)

    def run(self) -> int:
        """Serve until the parent or a signal ends it, finish the work of the mail worker, and return the exit code."""
        if self._application is unavailable and self._waits is None:
            return 1
        threading.Thread(target=self._obey, name="parent", daemon=True).start()
        try:
            self._server.run(self)
        except Exception as error:  # noqa: BLE001 - the parent starts another one
            log_defect(error)
            return 1
        finally:
            self._opened.close()
        return 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._application(scope, receive, send)

    def _obey(self) -> None:
        """Obey the parent until it is gone. Then end immediately, so that the parent's successor gets the port."""
        try:
            self._server.wait()
            self._connection.send((WebEvent.ANSWERS, 0, None))
            while True:
                if self._connection.poll(RETRY_SECONDS if self._waits else ALIVE_SECONDS):
                    self._do(self._connection.recv())
                elif self._waits:
                    self._open(self._waits)
                if self._server.silent_for < ALIVE_SECONDS:
                    self._connection.send((WebEvent.ALIVE, 0, None))
        except (EOFError, OSError):
            os._exit(1)

    def _do(self, order: object) -> None:
        if isinstance(order, ServedProject):
            self._open(order)
        elif isinstance(order, WebOrder):
            self._server.end(hurry=order is WebOrder.HURRY)

    def _open(self, project: ServedProject) -> None:
        """Use this project for new requests, and notify the parent. Requests in progress are finished with the old one.

        If that is impossible, the old one stays in use. If there is none and the database is unavailable, try again
        later.
        """
        event, error = WebEvent.OPENED, None
        try:
            with ExitStack() as stack:
                application = stack.enter_context(open_application(project.config, project.now))
                before, self._opened = self._opened, stack.pop_all()
            self._application, self._waits = application, None
            self._server.trust(project.config.web.trusted_proxies)
            configure(project.config.run.log)
            threading.Thread(target=before.close, name="closing", daemon=True).start()
        except PublisherError as refused:
            error, tried = refused, self._waits is project
            if isinstance(error, StoreError) and self._application is unavailable:
                event, self._waits = WebEvent.AWAY, project
            else:
                event = WebEvent.REFUSED
            if tried and event is WebEvent.AWAY:
                return  # the parent already knows
        self._connection.send((event, project.number, error))
