"""No one sends from a database while its data is replaced, and earlier senders hand over nothing more."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from publisher.config import Relay
from publisher.core.errors import LeaseLostError, StillSendingError, StoreError
from publisher.core.newsletter_models import DeliveryStatus
from publisher.store import Store, open_store
from publisher.store.copying import copy_all
from publisher.store.fleet_tables import workers
from publisher.store.standstill import standstill
from publisher.store.workers import Heartbeat
from tests.support.delivery_samples import make_edition
from tests.support.project import Project
from tests.support.smtp_samples import everybody, send
from tests.support.smtp_server import Patient, mail_server
from tests.support.store_samples import NOW, later
from tests.support.web_client import until

BEAT = Heartbeat(NOW, timedelta(minutes=2), ())


def end_leases(store: Store) -> None:
    """Let the leases of all workers end now, by the database's clock."""
    with store.database.write() as connection:
        connection.execute(sa.update(workers).values(lease_until=later(days=-9_999)))


def waiting_for_a_lock(url: str) -> int:
    """Return how many connections to a PostgreSQL server wait for a lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        (number,) = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() or (0,)
    return int(number)


def test_a_database_in_use_for_sending_is_not_replaced(store: Store, tmp_path: Path) -> None:
    store.workers.begin("one", "worker-2", BEAT)
    store.workers.begin("two", "worker-1", BEAT)
    end_leases(store)
    with standstill(store.database, NOW):
        pass
    assert store.workers.list() == []

    store.workers.begin("three", "worker-2", BEAT)
    store.workers.begin("four", "worker-1", BEAT)
    for writes in (True, False):
        refused = pytest.raises(StillSendingError, match="emails are being sent from it, by worker-1, worker-2")
        with refused, standstill(store.database, NOW, writes=writes):
            raise AssertionError("it began")
    assert store.workers.renew("four", BEAT)
    with open_store("sqlite:///other.db", tmp_path) as other, standstill(other.database, NOW, writes=True):
        copy_all(store.database, other.database)  # a database that is only read may be in use


def test_a_worker_waits_until_the_data_is_replaced(postgres_url: str, tmp_path: Path) -> None:
    with open_store(postgres_url, tmp_path) as store, ThreadPoolExecutor(3) as pool:
        store.workers.begin("silent", "home", BEAT)
        end_leases(store)
        with standstill(store.database, NOW, writes=True):
            begun = pool.submit(store.workers.begin, "new", "home", BEAT)
            renewed = pool.submit(store.workers.renew, "silent", BEAT)
            with open_store(f"sqlite:///{tmp_path}/other.db", tmp_path) as other:
                make_edition(other, 3)
                copy_all(other.database, store.database)
            until(lambda: waiting_for_a_lock(postgres_url) == 2)
        begun.result()
        assert not renewed.result()
        assert [worker.name for worker in store.workers.list()] == ["new"]


def test_no_one_sends_from_a_partial_copy(sqlite_store: Store) -> None:
    store = sqlite_store
    store.workers.begin("silent", "home", BEAT)
    end_leases(store)
    with pytest.raises(KeyError), standstill(store.database, NOW, writes=True):
        raise KeyError
    for attempt in (lambda: store.workers.begin("new", "home", BEAT), lambda: store.workers.renew("silent", BEAT)):
        with pytest.raises(StoreError, match="this database is being replaced, so nothing is sent from it"):
            attempt()
    with standstill(store.database, NOW, writes=True):
        pass
    store.workers.begin("new", "home", BEAT)
    assert [worker.name for worker in store.workers.list()] == ["new"]


class Sending:
    """A project whose edition another process is sending, to a server that answers on command."""

    def __init__(self, project: Project, url: str) -> None:
        project.configure(f'[delivery]\non_uncertain = "hold"\n[database]\nurl = "{url}"\n')
        self.project = project
        self.backup = project.root.parent / "backup.tar"

    def restore(self) -> tuple[int, str]:
        ran = self.project.run("database", "restore", str(self.backup), "--yes", now=f"{NOW:%Y-%m-%dT%H:%MZ}")
        return ran.code, ran.err


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_restore_during_a_run_sends_nothing_twice(
    project: Project, store_url: str, tmp_path: Path, is_silent: bool
) -> None:
    here, mailboxes = Sending(project, store_url), Patient()
    with mail_server(mailboxes=mailboxes) as (_, server), ThreadPoolExecutor(1) as pool:
        relay = Relay(host=server.host, port=server.port, tls="none", timeout=60, connections=2)
        with open_store(store_url, project.root) as store:
            edition = make_edition(store, 40)
            project.ok("database", "backup", str(here.backup))
            running = pool.submit(send, store, [relay], edition, tmp_path, hold=True)
            mailboxes.let(10)
            until(lambda: sum(worker.sent for worker in store.workers.list()) == 10)
            code, said = here.restore()
            assert (code, said.count("\n")) == (1, 1)
            assert "emails are being sent from it, by " in said
            while is_silent and code:  # it renews its lease now and then
                end_leases(store)
                code, said = here.restore()
            mailboxes.let(60)
            if is_silent:
                with pytest.raises((LeaseLostError, StoreError)):
                    running.result()
            else:
                running.result()
                assert here.restore()[0] == 0
        with open_store(store_url, project.root) as store:
            counts = send(store, [relay], edition, tmp_path, hold=True).by_status
    assert {len(taken) for taken in mailboxes.messages.values()} == {1}
    doubtful = counts.get(DeliveryStatus.UNCERTAIN, 0)
    assert counts[DeliveryStatus.SENT] == 40 - doubtful
    assert doubtful <= 2 * is_silent
    assert Counter(mailboxes.messages.keys()) == everybody(40)
