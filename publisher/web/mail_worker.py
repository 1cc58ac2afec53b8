"""Work that an answer does not wait for: one thread does it in turn, and tries again what could not be done.

An answer that waited would tell by its time whether an address is known. What waits here is in memory only:
a process that is killed forgets it, and the person asks once more.
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
_IDLE = 20.0  # seconds after which a connection to the mail server is given back


class LaterError(PublisherError):
    """What could not be done now, and may be later."""


class NeverError(PublisherError):
    """What the mail server will never take."""


@dataclass(order=True)
class _Job:
    due: float
    number: int
    what: str = field(compare=False)
    work: Work = field(compare=False)
    tried: int = field(default=0, compare=False)


class Mailroom:
    """One thread with a transport of its own."""

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        report: Callable[[str, str], None],
        *,
        delays: Sequence[float] = DELAYS,
        most: int = MOST_WAITING,
    ) -> None:
        """Prepare, without starting.

        report  told ("done" or "failed", what) of each piece of work
        delays  seconds before what could not be done is tried again
        most    how much may wait
        """
        self._open, self._report = open_transport, report
        self._delays, self._most = delays, most
        self._waiting: list[_Job] = []
        self._changed = threading.Condition()
        self._number = 0
        self._ends = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name="mailroom", daemon=True)

    def begin(self) -> None:
        """Start working."""
        self._thread.start()

    def put(self, what: str, work: Work) -> bool:
        """Take a piece of work; return False where too much waits already. what: in words for the log."""
        with self._changed:
            if len(self._waiting) >= self._most or self._ends:
                return False
            self._number += 1
            heapq.heappush(self._waiting, _Job(time.monotonic(), self._number, what, work))
            self._changed.notify_all()
            return True

    def waiting(self) -> int:
        """Return how many pieces of work wait or are being done."""
        with self._changed:
            return len(self._waiting) + self._busy

    def close(self, seconds: float = 20.0) -> None:
        """Finish what is due, try nothing again, and end; give up after some seconds."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        if self._waiting:
            log("work given up", f"{len(self._waiting)} pieces of work are given up", count=len(self._waiting))

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

    def _next(self, patience: float | None) -> _Job | None:
        """Wait for work that is due; None when patience ends, or everything."""
        with self._changed:
            self._busy = False
            until = None if patience is None else time.monotonic() + patience
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
            again = not isinstance(error, NeverError) and self._again(job)
            if not again:
                self._report("failed", job.what)
            where = error.where if isinstance(error, TransportError | StoreError) else ""
            _tell(job.what, "put off" if again else "failed", error, where)
        except Exception as error:  # noqa: BLE001 - one piece of work must not end the others
            self._report("failed", job.what)
            _tell(job.what, "failed", error)

    def _again(self, job: _Job) -> bool:
        with self._changed:
            if self._ends or job.tried >= len(self._delays):
                return False
            self._number += 1
            due = time.monotonic() + self._delays[job.tried]
            heapq.heappush(self._waiting, _Job(due, self._number, job.what, job.work, job.tried + 1))
            return True


def _tell(what: str, outcome: str, error: Exception, where: str = "") -> None:
    # The error's own words may hold an address; its kind is enough to look for.
    kind = type(error).__name__
    said = f"{what} {outcome}: {kind} {where}".rstrip()
    log(f"work {outcome}", said, level="warning", what=what, error=kind, where=where)
