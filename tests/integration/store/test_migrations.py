"""Databases of older versions are migrated, and can be migrated back, with their data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.source_models import FeedItem
from publisher.core.source_records import ItemChanges, ItemKeys, NewItem
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import open_store
from publisher.store.database import Database
from publisher.store.migrate import move_to, revision
from publisher.store.subscriber_records import AddOptions
from publisher.store.tables import HEAD
from publisher.subscribers.double_opt_in import confirm
from publisher.subscribers.manage import suppress
from tests.support.consent_samples import FORM, SECRET, TERMS, ask
from tests.support.store_samples import NOW, draft, person

pytestmark = pytest.mark.usefixtures("real_migration")

MOMENT = "2025-01-02 03:04:05"
# The database assigns numbers, as in that version; the first of each table is 1.
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
    """A database of the first version, with rows in every table about people."""
    database = Database(store_url, tmp_path)
    with database.write() as connection:
        move_to(connection, "0001")
        for statement in OLD:
            connection.exec_driver_sql(statement)
    yield database
    database.close()


def rows(database: Database, columns: dict[str, list[str]] | None = None) -> dict[str, list[Any]]:
    """Return every row, with only the old columns."""
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


# What version 0006 stored about a hold, and who had put it on hold.
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


def test_the_migration_records_who_put_editions_on_hold(store_url: str, tmp_path: Path) -> None:
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


def test_a_hold_by_an_older_process_counts_as_one_by_a_person(store_url: str, tmp_path: Path) -> None:
    with open_store(store_url, tmp_path) as store:
        edition = store.editions.create(draft())
        assert edition is not None
        database = Database(store_url, tmp_path)
        with database.write() as connection:
            connection.execute(sa.text("UPDATE editions SET held = 'a typo'"))
        database.close()
        assert store.editions.list()[0].hold == by_person("a typo")


# Histories of people in version 0009, (status, rows of subscriptions, events), and the result of each.
HISTORIES: dict[str, tuple[str, tuple[str, ...], tuple[tuple[str, str], ...], str]] = {
    "never left": ("active", ("weekly",), (("subscribed", "weekly"),), "active: weekly subscribed confirmed"),
    "left one of two": (
        "active",
        ("daily",),
        (("subscribed", 'weekly ["ai"]'), ("subscribed", "daily"), ("left", "weekly too often")),
        "active: daily subscribed confirmed, weekly(ai) unsubscribed left",
    ),
    "left the only one": (
        "active",
        (),
        (("subscribed", "weekly"), ("left", "weekly")),
        "unsubscribed: weekly unsubscribed left",
    ),
    "removed from one of two": (
        "active",
        ("daily",),
        (("subscribed", "weekly"), ("subscribed", "daily"), ("removed", "weekly")),
        "active: daily subscribed confirmed, weekly removed removed",
    ),
    "left everything": (
        "unsubscribed",
        ("daily", "weekly"),
        (("subscribed", "weekly"), ("subscribed", "daily"), ("unsubscribed", "daily bores me")),
        "unsubscribed: daily unsubscribed left_all, weekly unsubscribed left_all",
    ),
    "removed from everything": (
        "unsubscribed",
        ("weekly",),
        (("subscribed", "weekly"), ("unsubscribed", ""), ("removed", "")),
        "unsubscribed: weekly removed removed",
    ),
    "came back": (
        "active",
        ("weekly",),
        (("subscribed", "weekly"), ("left", "weekly"), ("subscribed", "weekly")),
        "active: weekly subscribed confirmed",
    ),
    "undid it": (
        "active",
        ("weekly",),
        (("subscribed", "weekly"), ("unsubscribed", ""), ("returned", "")),
        "active: weekly subscribed confirmed",
    ),
    "bounced": (
        "bounced",
        ("weekly",),
        (("subscribed", "weekly"), ("bounced", "5.1.1")),
        "bounced: weekly subscribed confirmed",
    ),
    "complained": (
        "complained",
        ("weekly",),
        (("subscribed", "weekly"), ("complained", "")),
        "complained: weekly unsubscribed complained",
    ),
    "left before it was renamed": (
        "active",
        ("daily",),
        (("subscribed", "old"), ("subscribed", "daily"), ("left", "old")),
        "active: daily subscribed confirmed, news unsubscribed left",
    ),
    "was there when it was renamed": (
        "active",
        ("news",),
        (("requested", "old"), ("confirmed", ""), ("subscribed", "old"), ("renamed", "old news")),
        "active: news subscribed confirmed",
    ),
    "without a history": ("active", ("weekly",), (), "active: weekly subscribed imported"),
    "waits": ("pending", (), (("requested", "weekly"),), "pending: "),
}


def test_the_consent_history_gives_each_subscription_its_status(store_url: str, tmp_path: Path) -> None:
    database = Database(store_url, tmp_path)
    with database.write() as connection:
        move_to(connection, "0009")
        for number, (name, (status, held, events, _)) in enumerate(HISTORIES.items(), 1):
            insert(connection, number, name, status, held)
            for day, (what, detail) in enumerate(events, 1):
                columns = "(subscriber_id, at, what, source, detail)"
                values = f"({number}, '2025-02-0{day} 00:00:00', :what, 'form', :detail)"
                row = {"what": what, "detail": detail}
                connection.execute(sa.text(f"INSERT INTO consent_events {columns} VALUES {values}"), row)
    expected = {name: after for name, (*_, after) in HISTORIES.items()}
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        assert {each.name: described(each) for each in store.subscribers.list()} == expected
        left = store.subscribers.get("r2@example.org")
        again = store.subscribers.add_all([person("r2@example.org")], AddOptions(NOW, "x", SubscriberEvent.IMPORTED))
        assert again[0].reason == "unsubscribed from weekly on 3 February 2025"
        assert store.statistics.by_newsletter() == {"daily": 3, "news": 1, "weekly": 4}
    with database.write() as connection:
        move_to(connection, "0009")
        kept = connection.exec_driver_sql("SELECT newsletter FROM subscriptions WHERE subscriber_id = 2").all()
        assert [row[0] for row in kept] == ["daily"]
        move_to(connection, HEAD)
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        assert {each.name: described(each) for each in store.subscribers.list()} == expected
        assert store.subscribers.get("r2@example.org") == left
    database.close()


def insert(connection: Connection, number: int, name: str, status: str, newsletters: tuple[str, ...]) -> None:
    """Insert a subscriber of version 0009 with subscriptions."""
    columns = "(uid, address, address_key, name, language, status, created_at)"
    values = f"('u{number}', 'r{number}@example.org', 'r{number}@example.org', :name, '', :status, '{MOMENT}')"
    text = sa.text(f"INSERT INTO subscribers {columns} VALUES {values}")
    connection.execute(text, {"name": name, "status": status})
    for newsletter in newsletters:
        row = f"(subscriber_id, newsletter, topics) VALUES ({number}, '{newsletter}', '[]')"
        connection.exec_driver_sql(f"INSERT INTO subscriptions {row}")


def described(person: Subscriber) -> str:
    """Return a subscriber's statuses in one line."""
    parts = [
        f"{each.newsletter}{f'({each.topics[0]})' if each.topics else ''} {each.status} {each.cause}"
        for each in person.records
    ]
    return f"{person.status}: {', '.join(parts)}"


def test_the_owner_of_an_older_database_keeps_the_password(store_url: str, tmp_path: Path) -> None:
    database = Database(store_url, tmp_path)
    row = f"INSERT INTO owner (id, password_hash, set_at) VALUES (1, 'a hash', '{MOMENT}')"
    with database.write() as connection:
        move_to(connection, "0011")
        connection.exec_driver_sql(row)
    with open_store(store_url, tmp_path) as store:
        assert (store.owner.password_hash(), store.owner.totp_secret()) == ("a hash", "")
        assert store.sessions.list(NOW) == []
        assert store.actions.list(limit=None) == []
        assert store.owner.turn_totp_on("a key", 7, ["a code"])
        store.sessions.begin("a token", NOW, NOW + timedelta(hours=1), client="", browser="")
    with database.write() as connection:
        move_to(connection, "0011")
        move_to(connection, HEAD)
    with open_store(store_url, tmp_path) as store:
        assert (store.owner.password_hash(), store.owner.totp_secret()) == ("a hash", "")
        assert store.sessions.list(NOW) == []
    database.close()


def test_a_database_without_sources_gets_them_and_keeps_its_editions(store_url: str, tmp_path: Path) -> None:
    database = Database(store_url, tmp_path)
    with database.write() as connection:
        move_to(connection, "0013")
        connection.exec_driver_sql(OLD[4])
    with open_store(store_url, tmp_path) as store:
        assert [edition.slot for edition in store.editions.list()] == ["2025-W01"]
        assert (store.sources.states(), store.sources.listing(), store.sources.revision()) == ([], [], 0)
        state = store.sources.see({"blog": "https://blog.example.org/feed"}, NOW)["blog"]
        item = NewItem(FeedItem("1", "", "A post"), "tag:x,2026:1", ItemKeys("1"), "d", is_old=True)
        assert store.sources.apply(state, ItemChanges((item,), listed=(-1,)), NOW)
        assert [each.is_old for each in store.sources.items("blog")] == [True]
    with database.write() as connection:
        move_to(connection, "0014")
    with open_store(store_url, tmp_path) as store:
        assert [(each.item.title, each.is_old) for each in store.sources.items("blog")] == [("A post", False)]
    with database.write() as connection:
        move_to(connection, "0013")
        assert not sa.inspect(connection).has_table("source_items")
        move_to(connection, HEAD)
    database.close()
