"""Old and new programs side by side: a program does nothing in a database that it does not understand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

import publisher.store.store
from publisher.daemon.jobs import SendJob, TickJob
from publisher.mail.queue import take_over
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import check_in_host, open_project_store
from publisher.store import Store
from publisher.store.database import Database
from publisher.store.migrate import migrate
from publisher.store.tables import HEAD
from tests.support.project import Project
from tests.support.store_samples import NOW, later

DUE = datetime(2026, 11, 16, 8, tzinfo=UTC)


@pytest.fixture
def waiting(project: Project, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with an edition to send; from now on, opening its database runs the real migrations."""
    project.configure(f'[database]\nurl = "{store_url}"\n')
    project.subscribe("ada", "bob")
    config = project.config()
    with open_project_store(config) as store:
        check_in_host(config, store, DUE)
        create_due(OpenProject(config, store, lambda: DUE.replace(day=15)))
        assert len(create_due(OpenProject(config, store, lambda: DUE)).created) == 1
    monkeypatch.setattr(publisher.store.store, "migrate", migrate)
    return project


def set_schema(project: Project, revision: str) -> None:
    """Set a different schema version in the database."""
    database = Database(project.config().database.url, project.root)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :name"), {"name": revision})
    database.close()


def test_a_running_program_does_nothing_in_a_newer_database(
    waiting: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    config = waiting.config()
    jobs = [job(lambda: config, lambda: DUE, Stop()) for job in (TickJob, SendJob)]
    set_schema(waiting, "9999")
    for job in jobs:
        job()
    assert waiting.mail() == {}
    assert [job.waits_for for job in jobs] == ["the database"] * 2
    assert capsys.readouterr().err.count("was made by a newer version of publisher (schema 9999)") == 2
    set_schema(waiting, HEAD)
    for job in jobs:
        job()
    assert sorted(waiting.mail()) == ["ada@example.org", "bob@example.org"]
    assert [job.waits_for for job in jobs] == ["", ""]


@pytest.mark.parametrize("words", [("status",), ("hosts",), ("publish", "--yes"), ("subscribers", "list")])
def test_a_command_says_in_one_line_that_the_database_is_newer(waiting: Project, words: tuple[str, ...]) -> None:
    set_schema(waiting, "9999")
    refused = waiting.run(*words)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert "was made by a newer version of publisher (schema 9999) (upgrade publisher)" in refused.err
    assert waiting.mail() == {}


def test_a_worker_of_an_older_program_is_understood(store: Store, waiting: Project) -> None:
    """The row was written by an older program, which does not know some columns and sends alongside newer ones."""
    with store.database.write() as connection:
        names = "worker, host, begun_at, seen_at, lease_until, sent"
        values = {"at": later(days=-9).replace(tzinfo=None), "until": later(days=-8).replace(tzinfo=None)}
        connection.execute(
            sa.text(f"INSERT INTO workers ({names}) VALUES ('old.1.x', 'old', :at, :at, :until, 3)"), values
        )
    assert [worker.name for worker in store.workers.list()] == ["old.1.x"]
    assert [each.sent for each in store.fleet.hosts(NOW)] == [0]
    assert take_over(store, options=DeliveryOptions(waiting.root), now=NOW) == 0
    assert store.workers.list() == []
