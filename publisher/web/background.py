"""Work that takes longer than a response may: it runs in a thread of its own, and a page shows its progress.

There is one such job at a time, because every job writes to the database. Results are kept in memory only: everything
that is run here can be interrupted and started again without harm.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from publisher.core.errors import PublisherError, StoppedError
from publisher.core.logging import log
from publisher.web.monitoring import place

MOST_KEPT = 20  # results
INTERRUPTED = "it was interrupted: the server was stopped. Start it again; work that is done is not repeated"


@dataclass(slots=True)
class Job:
    """One piece of work, and its progress.

    key      what identifies it; a later job with the same key replaces it
    done     how much is done
    of       about how much there is to do; 0 if that is not known
    trouble  why it could not be finished, in one line; "" if it could, or is still running
    result   the work's result, once it has ended without trouble
    """

    key: str
    done: int = 0
    of: int = 0
    trouble: str = ""
    result: object = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _stops: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    @property
    def share(self) -> int:
        """How much of it is done, from 0 to 100."""
        return min(100, 100 * self.done // self.of) if self.of else 0

    def advance(self, done: int, of: int = 0) -> None:
        """Report the progress of the work. Raises StoppedError if the work should end now."""
        self.done, self.of = done, of
        if self._stops.is_set():
            raise StoppedError(INTERRUPTED)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, for at most some seconds; return whether it has."""
        return self._ended.wait(seconds)

    def run(self, work: Callable[[Job], object]) -> None:
        """Do the work, and store its result or its trouble."""
        try:
            self.result = work(self)
        except PublisherError as error:
            self.trouble = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        except Exception as error:  # noqa: BLE001 - a traceback could show personal data
            self.trouble = "an internal error stopped it; the log says where"
            log("defect", f"internal error: {place(error)}", level="error", place=place(error))
        finally:
            self._ended.set()

    def stop(self) -> None:
        """Ask the work to end the next time it reports its progress."""
        self._stops.set()


class BackgroundJobs:
    """The work that one application does in the background."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._current: Job | None = None
        self._ends = False

    def start(self, key: str, work: Callable[[Job], object]) -> Job | None:
        """Begin some work; return None if other work is running, or the application is closing.

        work: called with the job, to which it should report its progress. Whatever it returns is the job's result.
        """
        with self._lock:
            if self._ends or (self._current is not None and not self._current.is_over):
                return None
            job = self._current = self._jobs[key] = Job(key)
            self._jobs.move_to_end(key)
            while len(self._jobs) > MOST_KEPT:
                self._jobs.popitem(last=False)
            self._thread = threading.Thread(target=job.run, args=(work,), name="background job", daemon=True)
            self._thread.start()
            return job

    def find(self, key: str) -> Job | None:
        """Return the newest job with a key; None if there is none, or it is no longer kept."""
        with self._lock:
            return self._jobs.get(key)

    def close(self, seconds: float = 20.0) -> None:
        """Stop the running work, and begin no more. Do not wait longer than `seconds` for it to stop."""
        with self._lock:
            self._ends, job, thread = True, self._current, self._thread
        if job is not None and thread is not None:
            job.stop()
            thread.join(seconds)
