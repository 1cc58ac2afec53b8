"""The partitions of the ledger on PostgreSQL; SQLite has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail.lifecycle import UNSETTLED, DeliveryEvent, moves
from publisher.store import Store, edition_filling, editions, ledger_partitions, open_store
from publisher.store.database import Database
from publisher.store.deliveries import Settled
from publisher.store.ledger_partitions import OTHERS, drop_partitions, make_partition
from publisher.store.migrate import move_to
from publisher.store.tables import HEAD
from tests.support.store_samples import NOW, add_people, claim, draft, later

PEOPLE = 8
MANY = "many"
FEW = "few"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition_filling, "PART", 3)
    monkeypatch.setattr(edition_filling, "BREATH", 0)


@pytest.fixture
def pg(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    """A store on PostgreSQL, with a newsletter for many people and one for few."""
    with open_store(postgres_url, tmp_path) as opened:
        add_people(opened, PEOPLE, MANY)
        add_people(opened, 2, FEW)
        yield opened


def made(store: Store, newsletter: str = MANY, slot: str = "2026-W47") -> Edition:
    edition = store.editions.create(draft(slot, newsletter=newsletter))
    assert edition is not None
    return edition


def partitions(store: Store) -> set[str]:
    """Return the names of the partitions, without the shared one."""
    with store.database.read() as connection:
        query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'deliveries'::regclass"
        return set(connection.exec_driver_sql(query).scalars()) - {OTHERS}


def rows(store: Store, table: str = "deliveries") -> list[tuple[object, ...]]:
    with store.database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY id")]


def send(store: Store, edition: Edition) -> int:
    claimed = claim(store, edition)
    accepted = moves(DeliveryEvent.ACCEPTED)
    settled = [Settled(each.id, accepted, sent_at=NOW, edition_id=each.edition_id) for each in claimed]
    return store.deliveries.acknowledge("w", settled)


def test_an_edition_for_many_people_has_a_partition_and_one_for_few_has_none(pg: Store) -> None:
    large, small = made(pg), made(pg, FEW)
    assert partitions(pg) == {f"deliveries_{large.id}"}
    assert len(rows(pg, f"deliveries_{large.id}")) == PEOPLE
    assert len(rows(pg, OTHERS)) == pg.deliveries.counts(small.id).total == 2
    assert send(pg, large) == PEOPLE
    assert send(pg, small) == 2


def test_postgresql_knows_how_many_rows_a_new_partition_has(pg: Store) -> None:
    large = made(pg)
    with pg.database.read() as connection:
        query = f"SELECT reltuples FROM pg_class WHERE oid = 'deliveries_{large.id}'::regclass"
        assert connection.exec_driver_sql(query).scalar() == PEOPLE


def test_a_partition_is_dropped_when_totals_replace_it(pg: Store) -> None:
    large, small = made(pg), made(pg, FEW)
    still = made(pg, MANY, "2026-W48")
    send(pg, large)
    send(pg, small)
    assert pg.chores.roll_up(later(days=1), UNSETTLED) == 2
    assert partitions(pg) == {f"deliveries_{still.id}"}
    assert pg.deliveries.counts(large.id)[DeliveryStatus.SENT] == PEOPLE
    assert len(rows(pg)) == PEOPLE


def test_a_partition_that_is_being_read_is_dropped_on_a_later_day(pg: Store) -> None:
    large = made(pg)
    send(pg, large)
    with pg.database.read() as reading:
        reading.exec_driver_sql(f"SELECT * FROM deliveries_{large.id}").all()
        assert pg.chores.roll_up(later(days=1), UNSETTLED) == 0
        assert pg.deliveries.counts(large.id)[DeliveryStatus.SENT] == PEOPLE
    assert pg.chores.roll_up(later(days=1), UNSETTLED) == 1
    assert partitions(pg) == set()


def test_an_edition_shares_a_partition_if_its_own_would_block_others(pg: Store) -> None:
    with pg.database.read() as reading:
        reading.exec_driver_sql(f"SELECT * FROM {OTHERS}").all()
        large = made(pg)
    assert partitions(pg) == set()
    assert send(pg, large) == PEOPLE
    assert pg.chores.roll_up(later(days=1), UNSETTLED) == 1
    assert rows(pg) == []


def test_a_partition_without_an_edition_is_dropped_after_a_later_one_was_made(pg: Store) -> None:
    unused = make_partition(pg.database)
    assert partitions(pg) == {f"deliveries_{unused}"}
    assert drop_partitions(pg.database) == 0
    large = made(pg)
    assert drop_partitions(pg.database) == 1
    assert partitions(pg) == {f"deliveries_{large.id}"}


def test_the_partition_of_an_edition_that_is_being_made_is_not_dropped(
    pg: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved: list[int | None] = []
    made_late: list[Edition] = []
    drop = ledger_partitions._drop

    def drop_later(database: Database, edition_id: int) -> bool:
        """Make the edition after it was found missing, before its partition is dropped."""
        with monkeypatch.context() as patched:
            patched.setattr(editions, "make_partition", lambda database: reserved[0])
            made_late.append(made(pg))
        return drop(database, edition_id)

    reserved.append(make_partition(pg.database))
    made(pg, FEW)
    monkeypatch.setattr(ledger_partitions, "_drop", drop_later)
    assert drop_partitions(pg.database) == 0
    assert partitions(pg) == {f"deliveries_{made_late[0].id}"}
    assert pg.deliveries.counts(made_late[0].id).total == PEOPLE


def test_a_filled_slot_leaves_no_second_edition(pg: Store) -> None:
    large = made(pg)
    assert pg.editions.create(draft(newsletter=MANY)) is None
    assert pg.deliveries.counts(large.id).total == len(rows(pg)) == PEOPLE


def test_claims_and_answers_read_only_the_partition_of_their_edition(pg: Store) -> None:
    first, second = made(pg), made(pg, MANY, "2026-W48")
    executed: list[tuple[str, Any]] = []

    def record(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        if "deliveries" in statement:
            executed.append((statement, values[0] if isinstance(values, list) else values))

    sa.event.listen(pg.database._engine, "before_cursor_execute", record)
    assert send(pg, first) == PEOPLE
    sa.event.remove(pg.database._engine, "before_cursor_execute", record)
    with pg.database.read() as connection:
        cursor = connection.connection.cursor()
        plans = ["\n".join(row[0] for row in cursor.execute(f"EXPLAIN {text}", values)) for text, values in executed]
    assert len(plans) == 3  # what is due, its lease, its end
    for plan in plans:
        assert f"deliveries_{first.id}" in plan
        assert f"deliveries_{second.id}" not in plan
        assert OTHERS not in plan


@pytest.mark.usefixtures("real_migration")
def test_going_back_and_forth_keeps_the_rows_of_all_partitions(postgres_url: str, tmp_path: Path) -> None:
    with open_store(postgres_url, tmp_path) as store:
        add_people(store, PEOPLE, MANY)
        add_people(store, 2, FEW)
        made(store)
        made(store, FEW)
        before = rows(store)
        for revision in ("0024", HEAD):
            with store.database.write() as connection:
                move_to(connection, revision)
            assert rows(store) == before
        assert len(rows(store, OTHERS)) == PEOPLE + 2
        assert len(rows(store)) == len(before)
        late = made(store, MANY, "2026-W49")
        assert send(store, late) == PEOPLE
        assert partitions(store) == {f"deliveries_{late.id}"}


@pytest.mark.usefixtures("real_migration")
def test_an_older_version_is_refused_while_an_edition_is_being_made(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(store_url, tmp_path) as store:
        add_people(store, PEOPLE, MANY)
        with monkeypatch.context() as patched:
            patched.setattr(edition_filling, "_write_part", lambda database, edition_id: False)
            made(store)
        with pytest.raises(ValueError, match="not complete"), store.database.write() as connection:
            move_to(connection, "0024")


def test_sqlite_has_no_partitions(sqlite_store: Store) -> None:
    add_people(sqlite_store, PEOPLE, MANY)
    large = made(sqlite_store)
    assert make_partition(sqlite_store.database) is None
    assert drop_partitions(sqlite_store.database) == 0
    send(sqlite_store, large)
    assert sqlite_store.chores.roll_up(later(days=1), UNSETTLED) == 1
    assert rows(sqlite_store) == []
