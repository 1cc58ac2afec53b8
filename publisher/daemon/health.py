"""Whether a process works: it hangs if a job has been stuck for a long time; it is ready if its jobs can do their work.

A process that hangs ends itself, so that the program that started it starts it again. In any case, other processes take
over its work when its lease ends. If the main thread hangs, systemd's watchdog notices that, or Kubernetes does through
the port of `health_port`.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from publisher.core.errors import ProjectError

if TYPE_CHECKING:
    from publisher.daemon.jobs import TickJob
    from publisher.mail.run_options import Stop

STUCK_SECONDS = 3_600.0
"""How long a job may take without a sign of life. Only deliveries give such signs."""

SILENT_SECONDS = 60.0
"""How long a delivery may be silent after its lease has ended."""

CERTAIN_SECONDS = 12.0
"""How long a process must appear to hang before it exits. After a pause, a healthy one appears to hang for a moment."""

MAIN_SECONDS = 60.0
"""How long the main thread may be silent."""

_ANSWER_SECONDS = 5.0


class Health:
    """The health of a process, as its jobs and its deliveries show it. Safe to use from several threads."""

    def __init__(
        self,
        jobs: Collection[TickJob],
        stop: Stop,
        lease_seconds: Callable[[], float],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the checks.

        stop           the Stop that all deliveries of the process obey, and through which they show that they are alive
        lease_seconds  returns how long the lease of a delivery lasts
        seconds        returns the reading of a stopwatch
        """
        self._jobs, self._stop, self._lease_seconds, self._seconds = jobs, stop, lease_seconds, seconds
        self._hung_since: float | None = None
        self._seen_at = seconds()

    def check(self) -> str:
        """Return why the process hangs, or "". The main thread calls this a few times a minute."""
        now = self._seen_at = self._seconds()
        why = self._stuck()
        if not why:
            self._hung_since = None
        elif self._hung_since is None:
            self._hung_since = now
        return why if self._hung_since is not None and now - self._hung_since >= CERTAIN_SECONDS else ""

    def problem(self) -> str:
        """Return the reason why the process should be ended, or ""."""
        silent = self._seconds() - self._seen_at
        return f"the main thread has been silent for {silent:.0f} s" if silent > MAIN_SECONDS else ""

    def waits_for(self) -> str:
        """Return why the process cannot do its work at present, or ""."""
        return self.problem() or next((job.waits_for for job in self._jobs if job.waits_for), "")

    def _stuck(self) -> str:
        silent, limit = self._stop.silent_seconds, self._lease_seconds() + SILENT_SECONDS
        if self._stop.is_heard and silent > limit:
            return f"the delivery has been silent for {silent:.0f} s"
        stuck = (job for job in self._jobs if job.silent_seconds > STUCK_SECONDS)
        return next((f"the job {job.name!r} has taken {job.busy_seconds:.0f} s" for job in stuck), "")


@contextmanager
def health_port(host: str, port: int, health: Health) -> Iterator[int]:
    """Answer GET /healthz and /readyz on a TCP port while the block runs; yield the port number.

    /healthz answers 200 unless the process should be ended. /readyz answers 200 if it can do its work. Otherwise the
    answer is 503, with a line that says why. port: 0 for any free port. Raises ProjectError if the port cannot be used.
    """
    try:
        server = _HealthServer(host, port, health)
    except OSError as error:
        why = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise ProjectError(why, where="--health", hint="name a free port and an address of this machine") from error
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class _HealthServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, health: Health) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answers = {"/healthz": health.problem, "/readyz": health.waits_for}
        super().__init__((host, port), _HealthAnswer)


class _HealthAnswer(BaseHTTPRequestHandler):
    server: _HealthServer
    timeout = _ANSWER_SECONDS

    def do_GET(self) -> None:
        """Answer a probe: 200 if all is well, otherwise the reason."""
        find = self.server.answers.get(self.path)
        why = "there is no such page" if find is None else find()
        status = HTTPStatus.NOT_FOUND if find is None else HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK
        body = f"{why or 'ok'}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Log nothing, since probes ask several times a minute."""
