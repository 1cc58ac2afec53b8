"""Jobs in PostgreSQL: queued once, done by any process, deleted when done, and never the only copy of anything."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from publisher.config import Config, load_config
from publisher.config.server import DatabaseConfig
from publisher.daemon.job_queue import JobQueue, Task
from publisher.store import Store, open_store
from tests.support.web_client import until

pytestmark = pytest.mark.postgres


class Fleet:
    """Processes that share the jobs of a database, here as threads of one process."""

    def __init__(self, url: str, root: Path) -> None:
        (root / "publisher.toml").write_text('[site]\ntitle = "A"\nurl = "https://a.test"\n')
        self.config = replace(load_config(root), database=DatabaseConfig(url=url))
        self.url = url

    def open_store(self, config: Config) -> Store:
        return open_store(config.database.url, config.root)

    @contextmanager
    def process(self, **tasks: Callable[..., None]) -> Iterator[JobQueue]:
        """Return a process that can run some tasks."""
        free = {name: Task(call, lambda: True) for name, call in tasks.items()}
        queue = JobQueue(lambda: self.config, self.open_store, free)
        queue.begin()
        try:
            until(lambda: queue.put("nobody"))
            yield queue
        finally:
            queue.end()

    def rows(self, query: str) -> list[Any]:
        """Return the rows of a query on the tables of jobs.

        If it and a statement of a process wait for each other, PostgreSQL may end the query; then it is repeated.
        """
        while True:
            with suppress(psycopg.errors.DeadlockDetected):
                return self._rows(query)

    def _rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            own = connection.execute("SELECT current_schema()").fetchone()
            (schema,) = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [f"{own[0]}_jobs_" if own else ""]
            ).fetchone() or ("",)
            connection.execute(f'SET search_path TO "{schema}"'.encode())
            answer = connection.execute(query.encode())
            return answer.fetchall() if answer.description else []

    def jobs(self, queue: str) -> list[str]:
        """Return the states of the jobs of a queue."""
        return [
            status for (status,) in self.rows(f"SELECT status FROM procrastinate_jobs WHERE queue_name = '{queue}'")
        ]


@pytest.fixture
def fleet(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr("publisher.daemon.job_queue.PUT_SECONDS", 60.0)  # a busy machine is slow
    return Fleet(postgres_url, tmp_path)


def test_a_waiting_job_is_not_queued_twice(fleet: Fleet) -> None:
    with fleet.process(other=lambda: None) as one, fleet.process(other=lambda: None) as another:
        assert all(queue.put("make") for queue in (one, another, one))
        assert fleet.jobs("make") == ["todo"]


def test_a_job_is_done_by_one_process_and_then_gone(fleet: Fleet) -> None:
    done: list[str] = []
    with (
        fleet.process(make=lambda: done.append("one")) as one,
        fleet.process(make=lambda: done.append("another")),
    ):
        for count in range(1, 6):
            assert one.put("make")
            until(lambda wanted=count: len(done) == wanted)  # type: ignore[misc]
        until(lambda: fleet.jobs("make") == [])
    assert len(done) == 5
    assert fleet.rows("SELECT * FROM procrastinate_events WHERE type <> 'deferred'") == []


def test_a_call_for_help_reaches_every_other_process_once(fleet: Fleet) -> None:
    begun: list[tuple[str, list[int]]] = []
    over, both = threading.Event(), threading.Barrier(3, timeout=60)

    def helper(name: str) -> Callable[..., None]:
        def help_with(editions: list[int]) -> None:
            begun.append((name, editions))
            if not over.is_set():
                both.wait()
                over.wait(240)

        return help_with

    with (
        fleet.process(other=lambda: None) as asks,
        fleet.process(send=helper("one")),
        fleet.process(send=helper("another")),
    ):
        until(lambda: len(fleet.rows("SELECT * FROM procrastinate_workers")) == 3)
        asks.put("send", for_others=True, editions=[7])
        both.wait()
        assert sorted(begun) == [("another", [7]), ("one", [7])]
        over.set()


def test_a_busy_process_leaves_jobs_to_others(fleet: Fleet) -> None:
    done: list[str] = []
    asked = threading.Semaphore(0)
    tasks = {"make": Task(lambda: done.append("busy"), lambda: bool(asked.release()))}  # type: ignore[func-returns-value]
    busy = JobQueue(lambda: fleet.config, fleet.open_store, tasks)
    busy.begin()
    try:
        until(lambda: busy.put("make"))
        while asked.acquire(blocking=False):
            pass
        assert asked.acquire(timeout=60)
        assert fleet.jobs("make") == ["todo"]
        with fleet.process(make=lambda: done.append("free")):
            until(lambda: done)
    finally:
        busy.end()
    assert done == ["free"]


def test_a_job_of_a_killed_process_blocks_no_other(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.daemon.job_queue.HEARTBEAT_SECONDS", 0.5)
    done: list[int] = []
    with fleet.process(make=lambda: done.append(1)) as alive:
        ((worker,),) = fleet.rows("""
            WITH dead AS (
                INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes') RETURNING id
            )
            INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock, worker_id)
            SELECT 'make', 'make', 'doing', 'make 1', id FROM dead RETURNING worker_id
        """)
        assert alive.put("make")
        until(lambda: done)
        until(lambda: fleet.jobs("make") == [])  # with the next heartbeat
        assert fleet.rows(f"SELECT * FROM procrastinate_workers WHERE id = {worker}") == []


def test_jobs_continue_after_all_tables_were_emptied(fleet: Fleet) -> None:
    done: list[int] = []
    with fleet.process(make=lambda: done.append(1)) as queue:
        for _ in range(3):
            before = len(done)
            fleet.rows("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_events CASCADE")
            until(lambda wanted=before: queue.put("make") and len(done) > wanted)  # type: ignore[misc]


def test_dropped_tables_are_created_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.daemon.job_queue.HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr("publisher.daemon.job_queue.RETRY_SECONDS", 0.1)
    done: list[int] = []
    opens, may_open = fleet.open_store, threading.Event()
    monkeypatch.setattr(fleet, "open_store", lambda config: opens(config) if may_open.wait(240) else None)
    may_open.set()
    with fleet.process(make=lambda: done.append(1)) as queue:
        may_open.clear()
        ((schema,),) = fleet.rows("SELECT current_schema()")
        fleet.rows(f'DROP SCHEMA "{schema}" CASCADE')
        assert not queue.put("make")
        may_open.set()
        until(lambda: queue.put("make") and done)


def test_jobs_continue_after_all_connections_broke(fleet: Fleet) -> None:
    done: list[int] = []
    with fleet.process(make=lambda: done.append(1)) as queue:
        for _ in range(2):
            before = len(done)
            fleet.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'publisher jobs'"
            )
            until(lambda wanted=before: queue.put("make") and len(done) > wanted)  # type: ignore[misc]


def test_without_a_database_nothing_is_queued(fleet: Fleet) -> None:
    fleet.config = replace(fleet.config, database=DatabaseConfig(url="postgresql://nobody@127.0.0.1:1/none"))
    queue = JobQueue(lambda: fleet.config, fleet.open_store, {"make": Task(lambda: None, lambda: True)})
    queue.begin()
    try:
        assert not queue.put("make")
    finally:
        queue.end()


def test_a_missing_permission_for_a_schema_is_one_line_with_a_hint(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.open_store(fleet.config).close()
    role, schema = f"humble_{os.getpid()}", str(make_url(fleet.url).query["options"]).partition("=")[2]
    with psycopg.connect(fleet.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        for what in (f"SCHEMA {schema}", f"ALL TABLES IN SCHEMA {schema}"):
            connection.execute(f"GRANT ALL ON {what} TO {role}".encode())
    humble = DatabaseConfig(url=fleet.url.replace("//postgres:@", f"//{role}:@"))
    fleet.config = replace(fleet.config, database=humble)
    queue, said = JobQueue(lambda: fleet.config, fleet.open_store, {"make": Task(print, lambda: True)}), list[str]()
    queue.begin()
    try:
        until(lambda: said.append(capsys.readouterr().err) or "GRANT CREATE ON DATABASE" in "".join(said))  # type: ignore[func-returns-value]
        assert not queue.put("make")
    finally:
        queue.end()
    assert "".join(said).count("\n") == 1


def test_tables_of_another_version_are_kept_while_they_are_used(fleet: Fleet) -> None:
    with fleet.process(make=lambda: None):
        ((schema,),) = fleet.rows("SELECT current_schema()")
        for other in ("old", "used"):
            name = f"{schema[:-8]}{other}"
            fleet.rows(
                f'CREATE SCHEMA "{name}"; CREATE TABLE "{name}".procrastinate_workers (last_heartbeat timestamptz)'
            )
            if other == "used":
                fleet.rows(f'INSERT INTO "{name}".procrastinate_workers VALUES (now())')
        fleet.rows(f'ALTER SCHEMA "{schema}" RENAME TO "{schema[:-8]}gone"')
    with fleet.process(make=lambda: None):
        names = {
            name for (name,) in fleet.rows(f"SELECT nspname FROM pg_namespace WHERE nspname LIKE '{schema[:-8]}%'")
        }
    assert schema in names
    assert f"{schema[:-8]}used" in names
    assert f"{schema[:-8]}old" not in names
