"""Copies of databases, from each kind to each kind."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

import publisher.store.copying
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import Store, open_store
from publisher.store.copying import copy_all, row_counts
from publisher.store.database import Database
from publisher.store.subscriber_records import AddOptions, Evidence
from tests.support.store_fixtures import new_postgres_url
from tests.support.store_samples import NOW, draft, later, person


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, in addition to that of `store`."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/copy/publisher.db"
    return new_postgres_url(request.getfixturevalue("postgres"))


def fill(store: Store) -> None:
    people = [person(f"{name}@example.org", name=name) for name in ("zoë", "Ada", "éva", "bob", "10", "9")]
    imported = AddOptions(NOW, "import people.csv", SubscriberEvent.IMPORTED, number=1)
    store.subscribers.add_all(people, imported)
    store.editions.create(draft())
    store.editions.pass_over("weekly", ["tag:b", "tag:A", "tag:ä", "tag:a"])
    store.segments.save("vips", "tag:vip", NOW)


def everything(database: Database) -> dict[str, list[str]]:
    tables = row_counts(database)
    with database.read() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.select(table)).all()))
            for name, table in ((each.name, each) for each in publisher.store.copying._tables())
            if name in tables
        }


def test_a_copy_has_every_row_and_continues_the_numbering(store: Store, target: str, tmp_path: Path) -> None:
    fill(store)
    with open_store(target, tmp_path) as other:
        done = copy_all(store._database, other._database)
        assert everything(other._database) == everything(store._database)
        assert {each.name: each.written for each in done}["subscribers"] == 6
        assert all(each.written == each.rows and not each.removed for each in done)
        other.subscribers.add(person("new@example.org"), at=NOW, source="test")
        assert other.subscribers.get("new@example.org").id > store.subscribers.get("9@example.org").id


def test_a_second_copy_carries_over_what_has_changed(
    store: Store, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher.store.copying, "CHUNK", 2)
    fill(store)
    with open_store(target, tmp_path) as other:
        copy_all(store._database, other._database)
        with store.subscribers.transaction(later(hours=1)) as transaction:
            transaction.leave(transaction.find("bob@example.org"), None, Evidence("link"))
            ada = transaction.find("ada@example.org")
            transaction.erase(ada, ada.address)
        store.segments.delete("vips")
        other.segments.save("only-here", "tag:x", NOW)
        done = {each.name: each for each in copy_all(store._database, other._database)}
        assert everything(other._database) == everything(store._database)
        assert (done["subscribers"].written, done["subscribers"].removed) == (1, 1)
        assert done["segments"].removed == 2
        assert sum(each.written + each.removed for each in copy_all(store._database, other._database)) == 0


def test_an_interrupted_copy_continues(store: Store, target: str, tmp_path: Path) -> None:
    fill(store)

    def interrupt(table: str, rows: int) -> None:
        if table == "deliveries":
            raise KeyboardInterrupt

    with open_store(target, tmp_path) as other:
        with pytest.raises(KeyboardInterrupt):
            copy_all(store._database, other._database, interrupt)
        done = {each.name: each.written for each in copy_all(store._database, other._database)}
        assert everything(other._database) == everything(store._database)
        assert done["subscribers"] == 0


def test_a_source_in_use_is_copied_in_its_state_at_the_beginning(store: Store, tmp_path: Path) -> None:
    fill(store)

    def change(table: str, rows: int) -> None:
        if table == "subscribers":
            store.subscribers.add(person("late@example.org"), at=NOW, source="test")
            store.subscribers.remove("bob@example.org", at=NOW, source="test")

    with open_store(f"sqlite:///{tmp_path}/copy.db", tmp_path) as other:
        before = everything(store._database)
        copy_all(store._database, other._database, change)
        assert everything(other._database) == before
        copy_all(store._database, other._database)
        assert everything(other._database) == everything(store._database)
