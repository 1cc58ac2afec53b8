"""A queue of jobs that must not delay a response, such as sending a confirmation email, and the thread that does them.

If a response waited for the job, its timing would reveal whether an address is known. The queue is only kept in memory,
and is lost if the process is killed. Requests of the sign-up form are also in the database until they are carried out.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from publisher.core.errors import PublisherError, StoreError, TransportError
from publisher.core.logging import log
from publisher.mail.transport import Transport

Work = Callable[[Transport], None]

MOST_WAITING = 20_000
DELAYS = (15.0, 60.0, 300.0, 1_800.0)
_IDLE = 20.0  # seconds without work after which the connection to the mail server is closed


class RetryLaterError(PublisherError):
    """The job cannot be done now, but may succeed later."""


class RejectedForGoodError(PublisherError):
    """The mail server will never accept this message."""


@dataclass(order=True)
class _Job:
    due: float
    number: int
    what: str = field(compare=False)
    work: Work = field(compare=False)
    tries: int = field(default=0, compare=False)


class MailWorker:
    """A thread with its own mail transport, and the queue of its jobs."""

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        report: Callable[[str, str], None],
        *,
        delays: Sequence[float] = DELAYS,
        most: int = MOST_WAITING,
    ) -> None:
        """Prepare the worker without starting it.

        open_transport  opens the connection to the mail server when a job needs it
        report          called with ("done" or "failed", name of the job) after each job
        delays          the seconds to wait before each retry
        most            the maximum number of jobs in the queue
        """
        self._open, self._report = open_transport, report
        self._delays, self._most = delays, most
        self._waiting: list[_Job] = []
        self._changed = threading.Condition()
        self._number = 0
        self._ends = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name="mail worker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, what: str, work: Work) -> bool:
        """Queue a job. Return False if the queue is full or closed.

        what  the name of the job in the log
        work  the function that does the job, called with the transport
        """
        with self._changed:
            if len(self._waiting) >= self._most or self._ends:
                return False
            self._number += 1
            heapq.heappush(self._waiting, _Job(time.monotonic(), self._number, what, work))
            self._changed.notify_all()
            return True

    def waiting(self) -> int:
        """Return the number of jobs that are waiting or in progress."""
        with self._changed:
            return len(self._waiting) + self._busy

    def close(self, seconds: float = 20.0) -> None:
        """Do the jobs that are due, without retries, and stop. Jobs that are not done within `seconds` are dropped."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        if self._waiting:
            count = len(self._waiting)
            log("work given up", f"{count} subscription emails were dropped at shutdown", count=count)

    def _run(self) -> None:
        transport: Transport | None = None
        while True:
            job = self._next(_IDLE if transport else None)
            if job is None:
                if transport:
                    transport.close()
                    transport = None
                if self._ends:
                    return
                continue
            transport = self._do(job, transport)

    def _next(self, seconds: float | None) -> _Job | None:
        """Wait for the next job that is due. Return None after `seconds`, or when the worker is closed."""
        with self._changed:
            self._busy = False
            until = None if seconds is None else time.monotonic() + seconds
            while True:
                now = time.monotonic()
                if self._waiting and self._waiting[0].due <= now:
                    self._busy = True
                    return heapq.heappop(self._waiting)
                if self._ends or (until is not None and now >= until):
                    return None
                moments = [job.due for job in self._waiting[:1]] + ([until] if until is not None else [])
                self._changed.wait(min(moments) - now if moments else None)

    def _do(self, job: _Job, transport: Transport | None) -> Transport | None:
        """Do a job, with a new transport if there is none; return the transport for the next job."""
        try:
            transport = transport or self._open()
            job.work(transport)
            self._report("done", job.what)
        except PublisherError as error:
            retried = not isinstance(error, RejectedForGoodError) and self._retry(job)
            if not retried:
                self._report("failed", job.what)
            where = error.where if isinstance(error, TransportError | StoreError) else ""
            _log_failure(job.what, error, where, retried=retried)
        except Exception as error:  # noqa: BLE001 - a defect in one job must not stop the thread
            self._report("failed", job.what)
            _log_failure(job.what, error)
        return transport

    def _retry(self, job: _Job) -> bool:
        with self._changed:
            if self._ends or job.tries >= len(self._delays):
                return False
            self._number += 1
            due = time.monotonic() + self._delays[job.tries]
            heapq.heappush(self._waiting, _Job(due, self._number, job.what, job.work, job.tries + 1))
            return True


def _log_failure(what: str, error: Exception, where: str = "", *, retried: bool = False) -> None:
    # The message of the error may contain an address, and its type is enough to find the cause.
    kind = type(error).__name__
    text = f"{what} {'deferred' if retried else 'failed'}: {kind} {where}".rstrip()
    log(f"work {'put off' if retried else 'failed'}", text, level="warning", what=what, error=kind, where=where)
