"""Databases of older versions are migrated, and can be migrated back, with their data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import SubscriberStatus
from publisher.store import open_store
from publisher.store.database import Database
from publisher.store.migrate import move_to, revision
from publisher.store.tables import HEAD
from publisher.subscribers.double_opt_in import confirm
from publisher.subscribers.manage import suppress
from tests.support.consent_samples import FORM, SECRET, TERMS, ask
from tests.support.store_samples import NOW, draft, person

pytestmark = pytest.mark.usefixtures("real_migration")

MOMENT = "2025-01-02 03:04:05"
# Numbers are given by the database, as they were; the first of each table is 1.
OLD = (
    "INSERT INTO subscribers (uid, address, address_key, name, language, status, created_at) VALUES"
    f" ('u1', 'Ada@example.org', 'ada@example.org', 'Ada', 'en', 'active', '{MOMENT}'),"
    f" ('u2', 'bob@example.org', 'bob@example.org', '', '', 'unsubscribed', '{MOMENT}'),"
    f" ('u3', 'eve@example.org', 'eve@example.org', '', '', 'pending', '{MOMENT}')",
    "INSERT INTO subscriptions (subscriber_id, newsletter, topics) VALUES (1, 'weekly', '[\"ai\"]')",
    "INSERT INTO consent_events (subscriber_id, at, what, source, detail)"
    f" VALUES (1, '{MOMENT}', 'added', 'command line', '')",
    f"INSERT INTO suppressions (address_hash, reason, at, source) VALUES ('00ff', 'bounced', '{MOMENT}', 'before')",
    "INSERT INTO editions (newsletter, slot, number, subject, made_at)"
    f" VALUES ('weekly', '2025-W01', 1, 'Hello', '{MOMENT}')",
    "INSERT INTO deliveries (edition_id, subscriber_id, variant, status, attempts, reason)"
    " VALUES (1, 1, '', 'sent', 1, '')",
)
TABLES = ("subscribers", "subscriptions", "consent_events", "suppressions", "editions", "deliveries")


@pytest.fixture
def old(store_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database of the first version with something in every table of people."""
    database = Database(store_url, tmp_path)
    with database.write() as connection:
        move_to(connection, "0001")
        for statement in OLD:
            connection.exec_driver_sql(statement)
    yield database
    database.close()


def rows(database: Database, columns: dict[str, list[str]] | None = None) -> dict[str, list[Any]]:
    """Every row, of the columns there were."""
    with database.read() as connection:
        inspector = sa.inspect(connection)
        names = columns or {table: [c["name"] for c in inspector.get_columns(table)] for table in TABLES}
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT {', '.join(c)} FROM {table} ORDER BY 1")]
            for table, c in names.items()
        }


def columns(database: Database) -> dict[str, list[str]]:
    with database.read() as connection:
        inspector = sa.inspect(connection)
        return {table: [c["name"] for c in inspector.get_columns(table)] for table in TABLES}


def test_a_migration_keeps_all_rows(old: Database, store_url: str, tmp_path: Path) -> None:
    named, before = columns(old), rows(old)
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        ada, bob, eve = store.subscribers.list()
        assert (ada.name, ada.subscriptions[0].topics, ada.confirmed_at) == ("Ada", ("ai",), ada.created_at)
        assert (bob.status, eve.status, eve.confirmed_at) == ("unsubscribed", "pending", None)
        assert (ada.bounces, ada.paused_until) == (0, None)
        assert [event.what for event in store.subscribers.consent(ada.id)] == ["added"]
        assert store.subscribers.add(person("ada@example.org"), at=NOW, source="import").value == "unchanged"
    assert rows(old, named) == before


def test_an_old_database_works_like_a_new_one(old: Database, store_url: str, tmp_path: Path) -> None:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        notice = ask(store, "eve@example.org")
        assert notice is not None
        assert confirm(store, TERMS, notice.token, now=NOW, evidence=FORM)
        assert suppress(store, "bob@example.org", now=NOW, source="test")
        choices = {choice.topics: "" for choice in store.subscribers.choices("weekly", NOW)}
        edition = store.editions.create(draft(number=2, variants=choices))
        assert store.deliveries.counts(edition.id).total == 2
        assert store.subscribers.counts() == {SubscriberStatus.ACTIVE: 2, SubscriberStatus.SUPPRESSED: 1}


def test_migrations_down_and_up_lose_nothing(old: Database, store_url: str, tmp_path: Path) -> None:
    named = columns(old)
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        notice = ask(store, "new@example.org")
        assert notice is not None
        confirm(store, TERMS, notice.token, now=NOW, evidence=FORM)
        suppress(store, "bob@example.org", now=NOW, source="test")
    before = rows(old, named)
    with old.write() as connection:
        move_to(connection, "0001")
        assert revision(connection) == "0001"
        assert not sa.inspect(connection).has_table("tokens")
    assert (columns(old), rows(old)) == (named, before)
    with old.write() as connection:
        move_to(connection, HEAD)
    assert rows(old, named) == before


# What version 0006 kept of a hold, and who that was.
HOLDS = {
    "": None,
    "waits for approval": "approval",
    "waits for approval, then goes at 2026-11-23 08:00 (Europe/Berlin)": "approval",
    "waits for approval; waits for a person: the picture a.png has no alt text": "approval",
    "waits for a person: was due 2026-11-16 08:00, found at 2026-11-18 10:00": "scheduler",
    "the mail server refuses the edition itself, 10 of 10 messages: 554 no": "server",
    "waits for my boss": "person",
    "waits for approval of my boss": "person",
    "skipped by the owner": "person",
}


def test_migration_says_who_held_editions(store_url: str, tmp_path: Path) -> None:
    database = Database(store_url, tmp_path)
    with database.write() as connection:
        move_to(connection, "0006")
        for number, held in enumerate(HOLDS):
            connection.execute(
                sa.text(
                    "INSERT INTO editions (newsletter, slot, number, subject, made_at, held)"
                    f" VALUES ('weekly', 'slot {number}', {number}, 'Hello', '{MOMENT}', :held)"
                ),
                {"held": held},
            )
    with open_store(store_url, tmp_path) as store:
        assert {edition.held: edition.held_by for edition in store.editions.list()} == HOLDS
    with database.write() as connection:
        move_to(connection, "0006")
        assert {row.held for row in connection.execute(sa.text("SELECT * FROM editions"))} == set(HOLDS)
        move_to(connection, HEAD)
    with open_store(store_url, tmp_path) as store:
        assert {edition.held: edition.held_by for edition in store.editions.list()} == HOLDS
    database.close()


def test_a_hold_by_an_older_process_is_a_persons(store_url: str, tmp_path: Path) -> None:
    with open_store(store_url, tmp_path) as store:
        edition = store.editions.create(draft())
        assert edition is not None
        database = Database(store_url, tmp_path)
        with database.write() as connection:
            connection.execute(sa.text("UPDATE editions SET held = 'a typo'"))
        database.close()
        assert store.editions.list()[0].hold == by_person("a typo")
