"""The database shows what each host is doing, and what is still to be sent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import Edition
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.queue import take_over
from publisher.mail.run_options import DeliveryOptions
from publisher.store import Store
from publisher.store.deliveries import Settled
from publisher.store.fleet import Backlog
from publisher.store.fleet_tables import hosts, workers
from publisher.store.workers import Heartbeat
from tests.support.delivery_samples import make_edition
from tests.support.store_samples import NOW, draft, later

LEASE = timedelta(minutes=2)
HOME, AWAY = "a" * 16, "b" * 16


def work(store: Store, edition: Edition, worker: str, host: str, leased: int, sent: int = 0) -> None:
    """Let a worker lease deliveries and send some of them; the next one is in doubt."""
    beat = Heartbeat(NOW, LEASE, ())
    store.workers.begin(worker, "its name", beat, host)
    claimed = store.deliveries.claim(
        edition.id,
        worker,
        now=NOW,
        lease_until=NOW + LEASE,
        limit=leased,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
        beat=beat,
    )
    accepted = moves(DeliveryEvent.ACCEPTED)
    settled = [Settled(delivery.id, accepted, sent_at=NOW) for delivery in claimed[:sent]]
    doubt = [delivery.id for delivery in claimed[sent : sent + 1]]
    store.deliveries.acknowledge(worker, settled, Heartbeat(NOW, LEASE, doubt, sent=sent))


def working(store: Store) -> dict[str, tuple[int, int, int, int]]:
    """Return, by host, the number of workers, and of messages leased, in doubt and sent."""
    found = store.fleet.hosts(NOW)
    return {each.host.name: (each.workers, each.in_hand, each.in_doubt, each.sent) for each in found}


@pytest.fixture
def edition(store: Store) -> Edition:
    store.hosts.check_in(HOME, "home", NOW)
    store.hosts.check_in(AWAY, "away", NOW)
    return make_edition(store, 20)


def test_each_host_shows_the_work_of_its_workers(store: Store, edition: Edition) -> None:
    assert working(store) == {"home": (0, 0, 0, 0), "away": (0, 0, 0, 0)}
    work(store, edition, "one", HOME, leased=5, sent=2)
    work(store, edition, "two", HOME, leased=4)
    work(store, edition, "three", AWAY, leased=3)
    assert working(store) == {"home": (2, 7, 2, 2), "away": (1, 3, 1, 0)}


def test_messages_of_a_worker_are_counted_after_its_end(store: Store, edition: Edition, tmp_path: Path) -> None:
    work(store, edition, "one", HOME, leased=3, sent=3)
    work(store, edition, "two", HOME, leased=3, sent=2)
    work(store, edition, "three", AWAY, leased=3, sent=1)
    store.workers.end("one")
    assert working(store)["home"] == (1, 1, 1, 5)
    with store.database.write() as connection:
        connection.execute(sa.update(workers).values(lease_until=later(days=-9_999)))
    assert take_over(store, options=DeliveryOptions(tmp_path), now=NOW) == 3
    assert working(store) == {"home": (0, 0, 0, 5), "away": (0, 0, 0, 1)}


def test_a_heartbeat_is_renewed_when_it_is_old_or_the_version_changes(store: Store, edition: Edition) -> None:
    def noted(version: str, seconds: float) -> tuple[str, bool]:
        """Return the version, and whether the time was renewed."""
        with store.database.write() as connection:
            connection.execute(sa.update(hosts).where(hosts.c.host == HOME).values(active_at=before))
        store.hosts.note_active(HOME, version, before + timedelta(seconds=seconds))
        found = store.hosts.find(HOME)
        return found.version, found.active_at != before

    assert store.fleet.hosts(NOW)[0].silent is None
    store.hosts.note_active(HOME, "1", NOW)
    assert store.fleet.hosts(NOW)[0].silent < timedelta(hours=1)
    before = store.hosts.find(HOME).active_at
    assert noted("1", 0) == ("1", False)
    assert noted("2", 1) == ("2", True)
    before -= timedelta(minutes=1)
    assert noted("2", 60) == ("2", True)
    assert store.hosts.find(AWAY).active_at is None


def test_the_silence_of_a_host_does_not_depend_on_clocks(store: Store, edition: Edition) -> None:
    if store.database.is_sqlite:
        return
    store.hosts.note_active(HOME, "1", later(days=300))
    assert store.fleet.hosts(later(days=-300))[0].silent < timedelta(hours=1)


def test_a_worker_counts_even_without_a_new_heartbeat_of_its_host(store: Store, edition: Edition) -> None:
    work(store, edition, "one", AWAY, leased=1)
    assert [each.silent is None for each in store.fleet.hosts(NOW)] == [True, False]


def test_open_deliveries_are_counted_by_newsletter_and_state(store: Store, edition: Edition) -> None:
    assert store.fleet.backlogs(NOW) == [Backlog("weekly", due=20, oldest=NOW)]
    assert store.fleet.backlogs(later(days=-1)) == [Backlog("weekly", later=20)]
    work(store, edition, "one", HOME, leased=5, sent=2)
    assert store.fleet.backlogs(NOW) == [Backlog("weekly", due=15, in_hand=3, oldest=NOW)]
    store.editions.create(draft("2026-W48", number=2))
    store.editions.hold(edition.id, by_person("wait"))
    assert store.fleet.backlogs(later(hours=1)) == [Backlog("weekly", due=20, held=15, in_hand=3, oldest=NOW)]


def test_nothing_is_counted_when_everything_is_finished(store: Store, edition: Edition) -> None:
    work(store, edition, "one", HOME, leased=20, sent=20)
    assert store.fleet.backlogs(NOW) == []
