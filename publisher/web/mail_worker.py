"""A queue for what a response must not wait for, such as sending a confirmation: one thread works through it.

A response that waited for the work would show by its timing whether an address is known. The queue is in memory only:
if the process is killed, its work is lost, and the subscriber has to ask again.
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
    """The work cannot be done now, but may succeed later."""


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
    """One thread with a transport of its own, and the queue of its work."""

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        report: Callable[[str, str], None],
        *,
        delays: Sequence[float] = DELAYS,
        most: int = MOST_WAITING,
    ) -> None:
        """Prepare the worker without starting it.

        report  called with ("done" or "failed", what) for each piece of work
        delays  seconds before each retry
        most    how many pieces of work may wait
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
        """Queue a piece of work; return False if the queue is full or closed. what: its name in the log."""
        with self._changed:
            if len(self._waiting) >= self._most or self._ends:
                return False
            self._number += 1
            heapq.heappush(self._waiting, _Job(time.monotonic(), self._number, what, work))
            self._changed.notify_all()
            return True

    def waiting(self) -> int:
        """Return how many pieces of work are waiting or being done."""
        with self._changed:
            return len(self._waiting) + self._busy

    def close(self, seconds: float = 20.0) -> None:
        """Do the work that is due without retrying it, then stop. Whatever takes longer than `seconds` is dropped."""
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
            transport = transport or self._open()
            self._do(job, transport)

    def _next(self, seconds: float | None) -> _Job | None:
        """Wait for work that is due; return None after `seconds`, or when the worker ends."""
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

    def _do(self, job: _Job, transport: Transport) -> None:
        try:
            job.work(transport)
            self._report("done", job.what)
        except PublisherError as error:
            retried = not isinstance(error, RejectedForGoodError) and self._retry(job)
            if not retried:
                self._report("failed", job.what)
            where = error.where if isinstance(error, TransportError | StoreError) else ""
            _log_failure(job.what, error, where, retried=retried)
        except Exception as error:  # noqa: BLE001 - a defect in one piece of work must not stop the thread
            self._report("failed", job.what)
            _log_failure(job.what, error)

    def _retry(self, job: _Job) -> bool:
        with self._changed:
            if self._ends or job.tries >= len(self._delays):
                return False
            self._number += 1
            due = time.monotonic() + self._delays[job.tries]
            heapq.heappush(self._waiting, _Job(due, self._number, job.what, job.work, job.tries + 1))
            return True


def _log_failure(what: str, error: Exception, where: str = "", *, retried: bool = False) -> None:
    # The message of the error may contain an address; its type is enough to find the cause.
    kind = type(error).__name__
    text = f"{what} {'deferred' if retried else 'failed'}: {kind} {where}".rstrip()
    log(f"work {'put off' if retried else 'failed'}", text, level="warning", what=what, error=kind, where=where)
