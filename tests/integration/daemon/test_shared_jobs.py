"""Processes that share the jobs of a project: they help each other, and lose nothing when all jobs are deleted."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from publisher.core.newsletter_models import DeliveryStatus
from publisher.daemon.jobs import MakeJob, SendJob, ShareJob, TickJob
from publisher.daemon.shared_jobs import MAKE, SEND, SharedJobs
from publisher.mail.run_options import Stop
from publisher.publishing import operations
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import check_in_host, open_project_store
from tests.support.pgbouncer import pgbouncer
from tests.support.project import Project
from tests.support.sink import Sink, sink
from tests.support.web_client import until

pytestmark = [pytest.mark.postgres, pytest.mark.servers]

DUE = datetime(2026, 11, 16, 8, tzinfo=UTC)


class Fleet:
    """A project on PostgreSQL, whose weekly newsletter is due."""

    def __init__(self, project: Project, url: str, to: Sink, readers: int, more: str = "", pooler: str = "") -> None:
        self.sink, self.url = to, url
        database = f'url = "{pooler}"\ndirect_url = "{url}"\n' if pooler else f'url = "{url}"\n'
        project.configure(
            f'transport = "smtp"\nsmtp = {{ url = "{to.server.url}", tls = "none"{more} }}\n[database]\n{database}'
        )
        project.subscribe(*(f"reader{number}" for number in range(readers)))
        self.config = project.config()
        with open_project_store(self.config) as store:
            check_in_host(self.config, store, DUE)
            create_due(OpenProject(self.config, store, lambda: DUE.replace(day=15)))

    def make(self) -> int:
        """Make the edition that is due; return its id."""
        with open_project_store(self.config) as store:
            (edition,) = create_due(OpenProject(self.config, store, lambda: DUE)).created
            return edition.id

    def sender(self, stop: Stop, *, has_posts: bool) -> SendJob:
        if has_posts:
            return SendJob(lambda: self.config, lambda: DUE, stop, build=lambda config, now: None)  # type: ignore[arg-type,return-value]
        return ShareJob(lambda: self.config, lambda: DUE, stop)

    @contextmanager
    def process(self, *, has_posts: bool, among: int = 0) -> Iterator[None]:
        """Return a process that ticks ten times a second; with posts it also makes editions.

        among  how many processes share the jobs before its first tick
        """
        stop, over = Stop(), threading.Event()
        made: dict[str, TickJob] = {MAKE: MakeJob(lambda: self.config, lambda: DUE, stop)} if has_posts else {}
        jobs = SharedJobs(lambda: self.config, made | {SEND: self.sender(stop, has_posts=has_posts)})

        def tick(call: Callable[[], None]) -> None:
            while not over.wait(0.1):
                call()

        ticking = [threading.Thread(target=tick, args=(call,)) for call in jobs.calls.values()]
        jobs.begin()
        until(lambda: self.sharing() >= among)
        for thread in ticking:
            thread.start()
        try:
            yield
        finally:
            over.set()
            stop.ask()
            for thread in ticking:
                thread.join()
            jobs.end()

    def sharing(self) -> int:
        """Return how many processes share the jobs now."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            counts = [
                connection.execute(f'SELECT count(*) FROM "{name}".procrastinate_workers'.encode()).fetchone()
                for name in job_schemas(connection)
            ]
            return sum(count[0] for count in counts if count)

    def empty_jobs(self) -> bool:
        """Empty all tables of jobs; return False if there are none yet.

        If that and a statement of a process wait for each other, PostgreSQL may end either; then this is repeated.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            names = job_schemas(connection)
            for name in names:
                tables = ", ".join(f'"{name}".procrastinate_{table}' for table in ("jobs", "workers", "events"))
                with suppress(psycopg.errors.DeadlockDetected):
                    connection.execute(f"TRUNCATE {tables} CASCADE".encode())
                    continue
                return self.empty_jobs()
            return bool(names)


def job_schemas(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the schemas with tables of jobs of this connection's project."""
    query = """
        SELECT schemaname FROM pg_tables
        WHERE tablename = 'procrastinate_jobs' AND starts_with(schemaname, current_schema() || '_jobs_')
    """
    return [name for (name,) in connection.execute(query)]


@pytest.fixture
def to(tmp_path: Path) -> Iterator[Sink]:
    with sink(tmp_path / "sink") as running:
        yield running


def test_a_process_without_posts_waits_for_web_versions(project: Project, postgres_url: str, to: Sink) -> None:
    fleet = Fleet(project, postgres_url, to, 3)
    edition, share = fleet.make(), ShareJob(lambda: fleet.config, lambda: DUE, Stop())
    share()
    assert to.taken() == []
    share.begin([edition])
    share()
    until(lambda: len(to.taken()) == 3)


def test_a_process_with_posts_asks_the_others_for_help(project: Project, postgres_url: str, to: Sink) -> None:
    fleet = Fleet(project, postgres_url, to, 40, ', rate = "20/s"')
    helped = threading.Event()
    helper = ShareJob(lambda: fleet.config, lambda: DUE, Stop())
    begin = helper.begin
    helper.begin = lambda editions: (helped.set(), begin(editions))[1]  # type: ignore[method-assign]
    jobs = SharedJobs(lambda: fleet.config, {SEND: helper})
    jobs.begin()
    try:
        until(lambda: jobs.put("nobody"))
        with fleet.process(has_posts=True, among=2):
            assert helped.wait(240)
            until(lambda: len(to.taken()) == 40)
    finally:
        jobs.end()
    assert len(set(to.recipients())) == 40


def test_a_hold_by_another_host_stops_a_share(project: Project, postgres_url: str, to: Sink) -> None:
    fleet = Fleet(project, postgres_url, to, 200, ', rate = "2/s"')
    number, share = fleet.make(), ShareJob(lambda: fleet.config, lambda: DUE, Stop())
    share.begin([number])
    sending = threading.Thread(target=share)
    sending.start()
    until(to.taken)
    with open_project_store(fleet.config) as store:
        edition = store.editions.get(number)
        assert edition
        assert operations.hold(store, edition, "a typing error")
        sending.join(60)
        counts = store.deliveries.counts(number)
    assert set(counts.by_status) == {DeliveryStatus.SENT, DeliveryStatus.QUEUED}
    assert counts[DeliveryStatus.SENT] == len(to.taken()) < 200


def test_deleting_all_jobs_again_and_again_loses_no_email(project: Project, postgres_url: str, to: Sink) -> None:
    fleet, chance = Fleet(project, postgres_url, to, 300, ', rate = "150/s"'), random.Random(20)
    with ExitStack() as running:
        for has_posts in (True, True, False):
            running.enter_context(fleet.process(has_posts=has_posts))
        until(fleet.empty_jobs)
        for _ in range(20):
            time.sleep(chance.uniform(0, 0.2))
            fleet.empty_jobs()
        until(lambda: len(to.taken()) >= 300)
    assert len(to.taken()) == len(set(to.recipients())) == 300


def test_an_edition_is_sent_and_shared_through_a_pooler(project: Project, postgres_url: str, to: Sink) -> None:
    with pgbouncer(postgres_url) as pooler:
        fleet = Fleet(project, postgres_url, to, 200, pooler=pooler)
        with fleet.process(has_posts=True), fleet.process(has_posts=False):
            until(lambda: len(to.taken()) == 200)
            until(fleet.empty_jobs)
        with open_project_store(fleet.config) as store:
            (edition,) = store.editions.list()
            counts = store.deliveries.counts(edition.id)
    assert len(set(to.recipients())) == 200
    assert counts[DeliveryStatus.SENT] == 200


def test_without_a_direct_connection_a_process_works_alone(
    project: Project, postgres_url: str, to: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    with pgbouncer(postgres_url) as pooler:
        fleet = Fleet(project, pooler, to, 20)
        with fleet.process(has_posts=True):
            until(lambda: len(to.taken()) == 20)
            said: list[str] = []
            until(lambda: said.append(capsys.readouterr().err) or "jobs cannot be shared" in "".join(said))  # type: ignore[func-returns-value]
    assert "Traceback" not in "".join(said)
    assert "it must lead to PostgreSQL directly" in "".join(said)
