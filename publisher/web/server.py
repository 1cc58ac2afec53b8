"""The HTTP server, which runs uvicorn on listening sockets. `connections` limits what each connection may take."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from publisher.core.errors import ProjectError
from publisher.core.logging import log
from publisher.web.client_address import Clients
from publisher.web.connections import BoundedProtocol, Connections

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

    from publisher.config import Config

HOST = "127.0.0.1"
FIRST_PORT = 8017
_TRIES = 20
_GRACE = 1
# How many connections may wait to be accepted, and how many are accepted before their bytes are read.
_BACKLOG = 1024
_AT_ONCE = 32
_LOG_SECONDS = 60.0


def listen(port: int | None = None, host: str = HOST) -> socket.socket:
    """Return a socket that listens on `port`, or on the first free port from 8017 to 8036 if no port is given.

    Raises ProjectError if the port is in use, or the process is not allowed to use it.
    """
    ports = range(FIRST_PORT, FIRST_PORT + _TRIES) if port is None else (port,)
    refusal: OSError | None = None
    for number in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio only turns off Nagle's algorithm for sockets that name their protocol. With it, each response on a
        # connection that is kept open would wait 40 ms for the client's acknowledgement.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # Without this, the port of a process that has just ended stays in use for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(_BACKLOG)
            return listener
        except OSError as error:
            listener.close()
            refusal = error
            if error.errno != errno.EADDRINUSE:
                break
    assert refusal is not None  # noqa: S101 - otherwise the loop has returned
    raise _refused(refusal, host, ports) from refusal


def listen_for(config: Config, host: str | None = None, port: int | None = None) -> tuple[socket.socket, ...]:
    """Return the sockets of a project: that of web.listen, and that of admin.listen if it is set.

    host, port  replace the host and port of web.listen, if given

    Raises ProjectError if a port is in use, or the process is not allowed to use it.
    """
    own_host, _, own_port = config.web.listen.rpartition(":")
    public = listen(int(own_port) if port is None else port, host or own_host.strip("[]"))
    if not config.admin.listen:
        return (public,)
    host, _, number = config.admin.listen.rpartition(":")
    try:
        return public, listen(int(number), host.strip("[]"))
    except ProjectError as error:
        public.close()
        hint = "give admin.listen another address, or stop the other program"
        raise ProjectError(error.message, where=f"admin.listen {config.admin.listen}", hint=hint) from error


def address_of(listener: socket.socket) -> str:
    """Return the URL at which a browser reaches the socket, with a trailing slash."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Server:
    """Serves an application on sockets. Responses that never end must check `is_ending` from time to time."""

    def __init__(
        self,
        *listeners: socket.socket,
        grace: int = _GRACE,
        proxies: Iterable[str] = (),
        most: int | None = None,
    ) -> None:
        """Prepare the server without starting it.

        grace    how many seconds open responses may take after the server was asked to stop
        proxies  the networks of the proxies that pass on the requests of many clients
        most     the largest number of connections; by default as many as the process can afford
        """
        self._listeners, self._grace = listeners, grace
        names = [listener.getsockname() for listener in listeners]
        self._connections = Connections(most, lambda peer: self._clients.is_proxy(peer), names)
        self.trust(proxies)
        self._server: _Uvicorn | None = None
        self._answering = threading.Event()
        self._ending = False

    def trust(self, proxies: Iterable[str]) -> None:
        """Use other networks of proxies from now on."""
        self._clients = Clients(proxies, ())

    def is_ending(self) -> bool:
        """Return whether the server was asked to stop."""
        return self._server is not None and self._server.should_exit

    def wait(self) -> None:
        """Wait until the server has started to accept requests. This must be called in a different thread."""
        self._answering.wait()

    @property
    def silent_for(self) -> float:
        """The number of seconds since the event loop was last seen to run. This is checked once a second."""
        return time.monotonic() - self._server.seen_at if self._server else 0.0

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
            self._server.wake()

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
            http=partial(BoundedProtocol, self._connections),  # type: ignore[arg-type]
            server_header=False,
            proxy_headers=False,  # client_address decides which proxies are trusted
            timeout_graceful_shutdown=self._grace,
            backlog=_AT_ONCE,
        )
        self._server = _Uvicorn(settings, self._answering)
        self._server.should_exit = self._ending
        self._server.run(sockets=list(self._listeners))


class _Uvicorn(uvicorn.Server):
    """The server, which accepts a few connections at a time, and reports socket errors without flooding the log."""

    _logged_at = -_LOG_SECONDS

    def __init__(self, config: uvicorn.Config, answering: threading.Event) -> None:
        super().__init__(config)
        self._answering = answering
        self.seen_at = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait until the server is asked to stop, and renew the date in the headers once a second.

        uvicorn's own loop wakes up ten times a second to check whether it should stop.
        """
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            self.seen_at = time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), 1)

    def wake(self) -> None:
        """Let the loop check immediately whether it should stop. Any thread may call this."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._woken.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop because of a signal."""
        super().handle_exit(sig, frame)
        self.wake()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        asyncio.get_running_loop().set_exception_handler(self._failed)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)  # asyncio has set it to the number that it accepts in one go
        self._answering.set()

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error that no request caused, such as a connection that cannot be accepted, at most once a minute."""
        now = time.monotonic()
        if now - self._logged_at < _LOG_SECONDS:
            return
        self._logged_at = now
        error = context.get("exception")
        what = type(error).__name__ if error else ""
        if isinstance(error, OSError) and error.strerror:
            what = error.strerror
        log("server failed", f"web server: {context.get('message', 'error')}: {what}", level="error", error=what)


def _refused(error: OSError, host: str, ports: range | tuple[int, ...]) -> ProjectError:
    where = f"{host}:{ports[0]}" if len(ports) == 1 else f"{host}:{ports[0]}-{ports[-1]}"
    if error.errno == errno.EADDRINUSE:
        return ProjectError(
            "the port is already in use", where=where, hint="choose another with --port, or stop the other program"
        )
    return ProjectError(f"cannot listen: {error.strerror}", where=where, hint="choose another with --port")
