"""Listening on this machine, until somebody says stop."""

from __future__ import annotations

import errno
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from publisher.core.errors import ProjectError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
FIRST_PORT = 8017
_TRIES = 20
_GRACE = 1


def listen(port: int | None = None, host: str = HOST) -> socket.socket:
    """Return a socket that listens on an address of this machine: on `port`, or on 8017 or the next one that is free.

    Raises ProjectError where the port is taken or may not be used.
    """
    ports = range(FIRST_PORT, FIRST_PORT + _TRIES) if port is None else (port,)
    refusal: OSError | None = None
    for number in ports:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        # A port of a run that has just ended is free at once.
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
    assert refusal is not None  # noqa: S101 - every other way has returned
    raise _refused(refusal, host, ports) from refusal


def address_of(listener: socket.socket) -> str:
    """Return where a browser finds what listens there, with a slash at its end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Server:
    """One application on one socket. Its answers that never end ask `is_ending` from time to time."""

    def __init__(self, listener: socket.socket, *, grace: int = _GRACE) -> None:
        """grace: how long answers that are under way may take once it is over, in seconds."""
        self._listener, self._grace = listener, grace
        self._server: uvicorn.Server | None = None
        self._ending = False

    def is_ending(self) -> bool:
        """Return whether somebody said stop."""
        return self._server is not None and self._server.should_exit

    @property
    def answers(self) -> bool:
        """Whether it takes requests already."""
        return self._server is not None and self._server.started

    def run(self, application: ASGIApp) -> None:
        """Answer until SIGINT or SIGTERM; then be gone within a second or so."""
        # uvicorn raises what ended it once more; the default of SIGTERM would end us before all is closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            self.answer(application)

    def end(self, *, hurry: bool = False) -> None:
        """End `answer` from another thread; in a hurry answers under way are dropped."""
        self._ending = True
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = self._server.force_exit or hurry

    def answer(self, application: ASGIApp) -> None:
        """Answer until `end`, in whichever thread; in the main one until a signal too."""
        import uvicorn

        from publisher.web.timeouts import PatientProtocol

        # "critical": what goes wrong in an answer is said in that answer, and a traceback helps nobody.
        settings = uvicorn.Config(
            application,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http=PatientProtocol,
            server_header=False,
            proxy_headers=False,  # who is behind a proxy is for the application to say
            timeout_graceful_shutdown=self._grace,
        )
        self._server = uvicorn.Server(settings)
        self._server.should_exit = self._ending
        self._server.run(sockets=[self._listener])


def _refused(error: OSError, host: str, ports: range | tuple[int, ...]) -> ProjectError:
    where = f"{host}:{ports[0]}" if len(ports) == 1 else f"{host}:{ports[0]}-{ports[-1]}"
    if error.errno == errno.EADDRINUSE:
        return ProjectError("the port is taken", where=where, hint="choose another with --port, or stop what uses it")
    return ProjectError(f"cannot listen: {error.strerror}", where=where, hint="choose another with --port")
