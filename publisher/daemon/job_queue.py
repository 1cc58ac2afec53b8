"""Jobs in PostgreSQL: one process adds a job, and any process that can do it takes it. The only user of Procrastinate.

A job says that something is to be done, and never what has been done: the ledger knows that. So a job may be lost or
run twice, and emptying the tables of jobs only delays work until the next tick. Finished jobs are deleted. A job is a
large unit of work, such as a share of an edition, and never one email.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as LateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback
from procrastinate.schema import SchemaManager

from publisher.config import Config
from publisher.core.errors import PublisherError, StoreAwayError
from publisher.core.frozen import dataclass
from publisher.daemon.reporting import ProblemLog, log_defect
from publisher.store.job_tables import (
    DELETE_LEFT,
    LIVE_PROCESSES,
    connection_arguments,
    make_job_tables,
    require_connection,
)

if TYPE_CHECKING:
    from publisher.store import Store

HEARTBEAT_SECONDS = 10.0
"""How often a process records in the database that it is alive."""

DEAD_SECONDS = 60.0
"""After this time without a sign of life, a process is considered dead. Its jobs are then deleted."""

POLL_SECONDS = 5.0
"""How often a process looks for jobs that it was not notified about."""

RETRY_SECONDS = 5.0
"""How long to wait before trying to use jobs again, if the database could not be used for them."""

PUT_SECONDS = 5.0
"""How long to wait for the database to accept a job."""

KNOWN_SECONDS = 3600.0
"""How long to wait before the same reason is logged again."""


@dataclass(frozen=True, slots=True)
class Task:
    """The work that this process does for the jobs of a queue.

    call     does the work, with the arguments of the job; it must not raise exceptions
    is_free  returns whether the work can begin now; if not, the job is left to other processes
    """

    call: Callable[..., None]
    is_free: Callable[[], bool]


class JobQueue:
    """The jobs of one project, and a thread that takes those that this process can do."""

    def __init__(
        self, config: Callable[[], Config], open_store: Callable[[Config], Store], tasks: Mapping[str, Task]
    ) -> None:
        """Prepare the queue without connecting.

        config      returns the current configuration
        open_store  opens the database of a configuration
        tasks       the work that this process can do, by the name of the queue
        """
        for name in ("procrastinate", "psycopg.pool"):  # what matters is logged here, in our words
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._config, self._open_store, self._tasks = config, open_store, tasks
        self._problems = ProblemLog(KNOWN_SECONDS)
        self._lock, self._ending = threading.Lock(), threading.Event()
        self._serving: tuple[asyncio.AbstractEventLoop, App, asyncio.Task[None]] | None = None
        self._thread = threading.Thread(target=self._serve, name="jobs", daemon=True)

    def begin(self) -> None:
        """Begin to take jobs, as soon as the database can be reached."""
        self._thread.start()

    def put(self, queue: str, *, for_others: bool = False, **arguments: Any) -> bool:
        """Add a job, unless a job of its kind is already waiting; return False if the database did not accept it.

        for_others  add a job for each other process that is alive, instead of a single job
        arguments   the arguments of the job, which must be JSON values
        """
        with self._lock:
            if self._serving is None or self._ending.is_set():
                return False
            loop, app, _ = self._serving
            putting = asyncio.run_coroutine_threadsafe(_put(app, queue, for_others, arguments), loop)
        try:
            putting.result(PUT_SECONDS)
        except (ConnectorException, LateError, OSError) as error:
            putting.cancel()
            if self._config().database.direct_url:  # otherwise the job itself reports that the database is unavailable
                self._say("jobs cannot be added to the queue", error)
            return False
        except CancelledError:  # the thread has stopped serving, to begin again or to end
            return False
        return True

    def end(self) -> None:
        """Take no more jobs, and wait for those in progress."""
        with self._lock:
            self._ending.set()
            serving = self._serving
            if serving is not None:
                loop, _, taking = serving
                loop.call_soon_threadsafe(taking.cancel)
        if self._thread.ident is not None:
            self._thread.join(None if serving else 1)

    def _serve(self) -> None:
        """Take jobs until the end. After a failure, begin again."""
        while not self._ending.is_set():
            try:
                with suppress(asyncio.CancelledError):
                    asyncio.run(self._take_jobs(self._config()))
            except Exception as error:  # noqa: BLE001 - without jobs, each process still does its own work
                self._say("jobs cannot be shared", error)
            self._ending.wait(RETRY_SECONDS)

    def _app(self, config: Config, begin_again: Callable[[], object]) -> App:
        with self._open_store(config) as store:
            schema = make_job_tables(store.database, SchemaManager.get_schema())
        arguments = connection_arguments(config.database.direct_url or config.database.url, schema)
        require_connection(arguments)
        connector = PsycopgConnector(conninfo="", kwargs=arguments, min_size=1, max_size=1, timeout=PUT_SECONDS)
        app = App(connector=connector)
        app.job_manager = _PatientJobs(connector, lambda queue: self._tasks[queue].is_free(), begin_again)
        for queue, task in self._tasks.items():
            app.task(name=queue, queue=queue)(task.call)
        return app

    async def _take_jobs(self, config: Config) -> None:
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        if serving is None:
            return
        app = self._app(config, serving.cancel)
        loop.set_exception_handler(lambda loop, context: None)  # what matters is logged by the jobs themselves
        async with app.open_async():
            with self._lock:
                if self._ending.is_set():
                    return
                self._serving = loop, app, serving
            try:
                await app.run_worker_async(
                    queues=list(self._tasks),
                    concurrency=len(self._tasks),
                    fetch_job_polling_interval=POLL_SECONDS,
                    abort_job_polling_interval=3600.0,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=DEAD_SECONDS,
                    worker_middleware=[_logging_defects],
                )
            finally:
                with self._lock:
                    self._serving = None

    def _say(self, what: str, error: Exception) -> None:
        """Log why this process does all jobs itself, unless the database is unavailable, which the jobs log."""
        if self._ending.is_set() or isinstance(error, StoreAwayError):
            return
        if isinstance(error, PublisherError):
            why = "; ".join(error.lines())
        else:
            why = next(iter(str(error.__cause__ or error).strip().splitlines()), "") or type(error).__name__
        hint = "this process does its work without them"
        self._problems.log("jobs not shared", [f"{what}: {why}; {hint}"])


class _PatientJobs(JobManager):
    """The engine's statements, made to survive an unavailable database and emptied tables.

    Without this, the engine would stop at the first error, and wait for the jobs in progress before it begins again.
    """

    def __init__(
        self, connector: PsycopgConnector, is_free: Callable[[str], bool], begin_again: Callable[[], object]
    ) -> None:
        super().__init__(connector)
        self._is_free, self._begin_again = is_free, begin_again
        self._new_id: int | None = None  # of this process, if its row was deleted

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take a job from a queue whose task is free."""
        free = [queue for queue in queues or () if self._is_free(queue)]
        if not free:
            return None
        for _ in range(2):
            try:
                return await super().fetch_job(free, self._own(worker_id))
            except ConnectorException as error:
                if type(error.__cause__).__name__ != "ForeignKeyViolation":
                    return None
            with suppress(ConnectorException):
                self._new_id = await self.register_worker()
        return None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Delete a job, unless it is already gone."""
        with suppress(ConnectorException):
            await super().finish_job(job, status, delete_job)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Record that this process is alive, and clean up after dead processes. Begin again if tables are missing."""
        try:
            await super().update_heartbeat(self._own(worker_id))
            await self.prune_stalled_workers(DEAD_SECONDS)
            await self.connector.execute_query_async(DELETE_LEFT)
        except ConnectorException as error:
            if type(error.__cause__).__name__ in ("UndefinedTable", "UndefinedFunction"):
                self._begin_again()

    async def unregister_worker(self, worker_id: int) -> None:
        """Delete the row of this process."""
        with suppress(ConnectorException):
            await super().unregister_worker(self._own(worker_id))

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Wait for notifications; connect again whenever the connection breaks."""
        while True:
            with suppress(ConnectorException):
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            await asyncio.sleep(1)

    async def list_jobs_to_abort_async(self, queue: str | None = None) -> Iterable[int]:
        """Return nothing, because the jobs themselves check whether to stop."""
        return ()

    def _own(self, worker_id: int) -> int:
        return worker_id if self._new_id is None else self._new_id


async def _put(app: App, queue: str, for_others: bool, arguments: Mapping[str, Any]) -> None:
    count = 1
    if for_others:
        count = (await app.connector.execute_query_one_async(LIVE_PROCESSES))["count"] - 1
    if count < 1:
        return
    # Jobs that are already waiting are not put in, because PostgreSQL would log an error for each.
    waiting = {job.queueing_lock for job in await app.job_manager.list_jobs_async(queue=queue, status="todo")}
    for name in (f"{queue} {number}" for number in range(1, count + 1)):
        if name not in waiting:
            with suppress(AlreadyEnqueued):
                await app.configure_task(queue, queue=queue, queueing_lock=name).defer_async(**arguments)


async def _logging_defects(run: Callable[[], Any], context: JobContext, worker: Any) -> None:
    """Run a job. If our code fails, log the error without its text."""
    try:
        await run()
    except Exception as error:  # noqa: BLE001 - the job is deleted, and the next tick puts in another
        log_defect(error)
