"""The jobs of a process, and how it shares them with other processes.

On SQLite, the scheduler calls each job of its process. On PostgreSQL, a tick puts jobs into the database, and each job
is taken by one of the processes that can do it. If that is impossible, the process does its work itself, as on SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from publisher.config import Config
from publisher.core.logging import log
from publisher.daemon.jobs import SendJob, ShareJob, TickJob
from publisher.publishing.wiring import open_project_store
from publisher.store.location import SQLITE

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Edition
    from publisher.daemon.job_queue import JobQueue

MAKE, SEND, SOURCES, CHORES = "make", "send", "sources", "chores"
"""The queues. Only a process with the posts and templates can make editions."""


def is_shared(config: Config) -> bool:
    """Return whether several processes can share a project's jobs, which is so if its database is on PostgreSQL."""
    return not config.database.url.startswith(SQLITE)


class SharedJobs:
    """The jobs that this process can do, by queue.

    calls  the functions that the scheduler calls, by the name of the job
    """

    def __init__(self, config: Callable[[], Config], jobs: Mapping[str, TickJob]) -> None:
        """Prepare without starting anything. config: returns the current configuration."""
        self._jobs = jobs
        self._queue = _queue(config, jobs) if is_shared(config()) else None
        self.calls = {job.name: self._call(queue, job) for queue, job in jobs.items()}
        for job in jobs.values():
            if self._queue is not None and isinstance(job, SendJob):
                job.announce = self._announce
        self._announced: list[int] = []

    def begin(self) -> None:
        """Begin to take jobs that other processes have put in."""
        if self._queue is not None:
            self._queue.begin()

    def put(self, queue: str, **arguments: Any) -> bool:
        """Put a job into a queue; return False if that is impossible, or the jobs are not shared."""
        return self._queue is not None and self._queue.put(queue, **arguments)

    def remind(self) -> None:
        """While this process sends, ask the other processes for help again: some may have started or become free."""
        if self._announced and self._jobs[SEND].is_running:
            self.put(SEND, for_others=True, editions=self._announced)

    def end(self) -> None:
        """Take no more jobs, and wait for those in progress."""
        if self._queue is not None:
            self._queue.end()

    def _call(self, queue: str, job: TickJob) -> Callable[[], None]:
        if queue == SEND:
            return job  # each process sends its own share; the announcement asks the others to help

        def put_or_do() -> None:
            """Put the job into the queue for any process, or do it here."""
            # Only a process that could do the job puts it in, so that a job never waits for one that cannot.
            if not (job.is_free and self.put(queue)):
                job()

        return put_or_do

    def _announce(self, editions: Sequence[Edition]) -> None:
        """Ask all other processes for help with editions whose web versions are online."""
        self._announced = [edition.id for edition in editions]
        self.put(SEND, for_others=True, editions=self._announced)


def _queue(config: Callable[[], Config], jobs: Mapping[str, TickJob]) -> JobQueue | None:
    try:
        from publisher.daemon.job_queue import JobQueue, Task  # this loads Procrastinate, which SQLite does not need
    except ImportError:
        text = "jobs are not shared, because Procrastinate is not installed: pip install 'publisher[postgres]'"
        log("jobs not shared", text, level="warning")
        return None
    tasks = {queue: Task(_task(job), lambda job=job: job.is_free) for queue, job in jobs.items()}  # type: ignore[misc]
    return JobQueue(config, open_project_store, tasks)


def _task(job: TickJob) -> Callable[..., None]:
    def call(editions: Collection[int] = ()) -> None:
        """Do the job. A ShareJob first gets the editions that have been announced."""
        if isinstance(job, ShareJob):
            job.begin(editions)
        job()

    return call
