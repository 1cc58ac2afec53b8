"""The HTTP server, which runs uvicorn on a listening socket.

A client cannot keep a connection open by sending a few bytes now and then. Because uvicorn only limits the time between
two requests, this module extends its HTTP/1.1 protocol with a timer for each connection. The timer is updated whenever
bytes arrive or a response is complete.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from publisher.core.errors import ProjectError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
FIRST_PORT = 8017
_TRIES = 20
_GRACE = 1

# The time from the start of the connection, or the first byte of a later request, to the end of the headers.
HEAD_SECONDS = 20.0
# The time from the headers to the end of the body. Handlers that read a form have a shorter limit (forms.read_form).
# This limit is for bodies that are never read, because the response is already complete.
BODY_SECONDS = 40.0


def listen(port: int | None = None, host: str = HOST) -> socket.socket:
    """Return a socket that listens on `port`, or on the first free port from 8017 to 8036 if no port is given.

    Raises ProjectError if the port is in use, or the process is not allowed to use it.
    """
    ports = range(FIRST_PORT, FIRST_PORT + _TRIES) if port is None else (port,)
    refusal: OSError | None = None
    for number in ports:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        # Without this, the port of a process that has just ended stays in use for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(1024)
            return listener
        except OSError as error:
            listener.close()
            refusal = error
            if error.errno != errno.EADDRINUSE:
                break
    assert refusal is not None  # noqa: S101 - otherwise the loop has returned
    raise _refused(refusal, host, ports) from refusal


def address_of(listener: socket.socket) -> str:
    """Return the URL at which a browser reaches the socket, with a trailing slash."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Server:
    """Serves an application on a socket. Responses that never end must check `is_ending` from time to time."""

    def __init__(self, listener: socket.socket, *, grace: int = _GRACE) -> None:
        """Prepare the server without starting it.

        grace  the seconds that open responses may take after the server was asked to stop
        """
        self._listener, self._grace = listener, grace
        self._server: uvicorn.Server | None = None
        self._ending = False

    def is_ending(self) -> bool:
        """Return whether the server was asked to stop."""
        return self._server is not None and self._server.should_exit

    @property
    def answers(self) -> bool:
        """Whether the server has started to accept requests."""
        return self._server is not None and self._server.started

    def run(self, application: ASGIApp) -> None:
        """Serve until SIGINT or SIGTERM, then return within `grace` seconds. This must be called in the main thread."""
        # uvicorn raises the signal again once it has stopped. The default action of SIGTERM would then kill the
        # process before everything is closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            self.answer(application)

    def end(self, *, hurry: bool = False) -> None:
        """Stop `answer` from another thread.

        hurry  whether to drop open responses instead of waiting for them
        """
        self._ending = True
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = self._server.force_exit or hurry

    def answer(self, application: ASGIApp) -> None:
        """Serve until `end` is called. In the main thread, signals also stop the server."""
        settings = uvicorn.Config(
            application,
            # Handlers report their own errors. A traceback could show personal data.
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http=TimeoutProtocol,
            server_header=False,
            proxy_headers=False,  # client_address decides which proxies are trusted
            timeout_graceful_shutdown=self._grace,
        )
        self._server = uvicorn.Server(settings)
        self._server.should_exit = self._ending
        self._server.run(sockets=[self._listener])


class TimeoutProtocol(H11Protocol):
    """The HTTP/1.1 protocol, which closes the connection if a request does not arrive in time."""

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._waits_for = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer for the headers of the first request."""
        super().connection_made(transport)
        self._wait_for("head")

    def data_received(self, data: bytes) -> None:
        """Handle received bytes, and update the timer for the rest of the request."""
        super().data_received(data)
        self._update_timer(got_bytes=True)

    def on_response_complete(self) -> None:
        """Complete the response as uvicorn does. An unread rest of the body gets no additional time."""
        super().on_response_complete()
        self._update_timer(got_bytes=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._wait_for("")
        super().connection_lost(exc)

    def _update_timer(self, *, got_bytes: bool) -> None:
        """Set the timer for the part of the request that is missing.

        got_bytes  whether bytes have just arrived, which means that the next request has begun
        """
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait_for("body")
        else:
            self._wait_for("head" if got_bytes and state is h11.IDLE else "")

    def _wait_for(self, part: str) -> None:
        """Start the timer for a part of the request ("head" or "body"), or stop it ("").

        A timer that is already running for this part is not restarted.
        """
        if part == self._waits_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = part
        seconds = self.head_seconds if part == "head" else self.body_seconds
        self._timer = self.loop.call_later(seconds, self._close) if part else None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def _refused(error: OSError, host: str, ports: range | tuple[int, ...]) -> ProjectError:
    where = f"{host}:{ports[0]}" if len(ports) == 1 else f"{host}:{ports[0]}-{ports[-1]}"
    if error.errno == errno.EADDRINUSE:
        return ProjectError(
            "the port is already in use", where=where, hint="choose another with --port, or stop the other program"
        )
    return ProjectError(f"cannot listen: {error.strerror}", where=where, hint="choose another with --port")
