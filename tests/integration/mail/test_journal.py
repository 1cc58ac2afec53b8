"""A worker's journal shows what it handed over; without a complete one, everything is in doubt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from publisher.core.errors import ProjectError, TransportError
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail import workers as names
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.queue import take_over
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.workers import SUFFIX, handed_over, journal
from publisher.store import Store, open_store
from tests.support.delivery_samples import Scripted, make_edition, run
from tests.support.full_disk import files_of_at_most
from tests.support.sink import sink
from tests.support.smtp_samples import everybody, send
from tests.support.store_fixtures import new_postgres_url
from tests.support.store_samples import NOW, later

SENT, QUEUED, UNCERTAIN = DeliveryStatus.SENT, DeliveryStatus.QUEUED, DeliveryStatus.UNCERTAIN


def dead_worker(store: Store, edition: Edition, folder: Path, leased: int, handed: int) -> Path:
    """Leave behind what a killed worker leaves: leases, its lock and its journal; return the journal."""
    workers = folder / "workers"
    with names.working(workers) as alive:
        dead = alive.rpartition(".")[0] + ".dead"
    (workers / f"{dead}.lock").touch()
    claimed = store.deliveries.claim(
        edition.id,
        dead,
        now=NOW,
        lease_until=later(minutes=2),
        limit=leased,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )
    with pytest.raises(KeyboardInterrupt), journal(workers, dead) as told:
        for delivery in claimed[:handed]:
            told.note(delivery.id)
        raise KeyboardInterrupt
    return workers / f"{dead}{SUFFIX}"


@pytest.mark.parametrize("hold", [True, False])
def test_only_handed_over_deliveries_are_in_doubt(store: Store, tmp_path: Path, hold: bool) -> None:
    edition = make_edition(store, 10)
    dead_worker(store, edition, tmp_path, leased=7, handed=2)
    options = DeliveryOptions(tmp_path, on_uncertain="hold" if hold else "resend")

    assert take_over(store, options=options, now=NOW) == 7
    assert store.deliveries.counts(edition.id).by_status == ({QUEUED: 8, UNCERTAIN: 2} if hold else {QUEUED: 10})
    assert list((tmp_path / "workers").iterdir()) == []
    transport = Scripted()
    assert run(store, transport, edition, tmp_path, hold=hold)[SENT] == transport.sent.total() == (8 if hold else 10)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def of_another_boot(path: Path) -> None:
    path.write_bytes(re.sub(rb"\A[^\n]*", b"00000000-0000-0000-0000-000000000000", path.read_bytes()))


def of_no_boot(path: Path) -> None:
    path.write_bytes(re.sub(rb"\A[^\n]*", b"", path.read_bytes()))


@pytest.mark.parametrize(("harm", "doubtful"), [(cut, 1), (of_another_boot, 7), (of_no_boot, 7), (Path.unlink, 7)])
def test_an_incomplete_journal_proves_nothing(
    sqlite_store: Store, tmp_path: Path, harm: Callable[[Path], None], doubtful: int
) -> None:
    edition = make_edition(sqlite_store, 10)
    harm(dead_worker(sqlite_store, edition, tmp_path, leased=7, handed=2))

    take_over(sqlite_store, options=DeliveryOptions(tmp_path, on_uncertain="hold"), now=NOW)
    assert sqlite_store.deliveries.counts(edition.id)[UNCERTAIN] == doubtful


def test_only_a_worker_that_ends_well_removes_its_journal(tmp_path: Path) -> None:
    with journal(tmp_path, "well") as told:
        told.note(2**40)
        assert handed_over(tmp_path, "well", [1, 2**40]) == {2**40}
    with pytest.raises(RuntimeError), journal(tmp_path, "ill") as told:
        told.note(3)
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == [f"ill{SUFFIX}"]
    assert handed_over(tmp_path, "well", [1]) is None
    with pytest.raises(ProjectError, match="the worker's journal cannot be made"), journal(tmp_path / "x", "y"):
        pass


def test_a_broken_journal_stops_handing_over(tmp_path: Path) -> None:
    header = 37
    with pytest.raises(TransportError), journal(tmp_path, "w") as told:
        with files_of_at_most(header + 8 + 3):
            told.note(1)
            with pytest.raises(TransportError, match=r"journal cannot be written.*free some disk space"):
                told.note(2)
        assert handed_over(tmp_path, "w", [1, 2, 3]) == {1}
        told.note(3)


def test_every_sent_message_is_in_the_journal(postgres: Any, tmp_path: Path) -> None:
    with open_store(new_postgres_url(postgres), tmp_path) as store, sink(tmp_path / "sink", connections=3) as to:
        edition = make_edition(store, 300)
        with pytest.raises(TransportError, match="journal cannot be written"), files_of_at_most(37 + 8 * 100):
            send(store, [to.server], edition, tmp_path, hold=True)
        assert store.deliveries.counts(edition.id).by_status == {SENT: 100, QUEUED: 200}
        assert send(store, [to.server], edition, tmp_path, hold=True).by_status == {SENT: 300}
        assert Counter(to.recipients()) == everybody(300)
