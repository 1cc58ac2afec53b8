"""Unconfirmed subscribers are deleted after a time, on both databases, and no one else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.core.newsletter_models import SubscriberStatus
from publisher.store import Store, erasure, open_store
from publisher.subscribers.double_opt_in import confirm
from publisher.subscribers.manage import suppress
from publisher.subscribers.privacy import Forgotten, forget_unconfirmed
from tests.support.consent_samples import FORM, SECRET, TERMS, ask, everything, known, people, subscribed
from tests.support.store_samples import NOW, add_people

__all__ = ["people"]

LATE = NOW + TERMS.forget_after + timedelta(seconds=1)


def test_unconfirmed_subscribers_are_deleted(people: Store) -> None:
    nothing = everything(people)
    ask(people, "silent@example.org", name="Silent")

    assert forget_unconfirmed(people, TERMS, NOW + TERMS.forget_after) == Forgotten(0, 1)
    assert known(people, "silent@example.org").status is SubscriberStatus.PENDING
    assert forget_unconfirmed(people, TERMS, LATE, dry_run=True) == Forgotten(1, 0)
    assert forget_unconfirmed(people, TERMS, LATE) == Forgotten(1, 0)
    after = everything(people)
    assert "silent" not in str(after)
    assert len(after.pop("requested_emails")) == 1  # so that waits keep growing
    assert after == {table: rows for table, rows in nothing.items() if table in after}
    assert forget_unconfirmed(people, TERMS, LATE) == Forgotten(0, 0)

    assert ask(people, "silent@example.org", now=LATE) is not None


def test_confirmed_subscribers_stay(people: Store) -> None:
    subscribed(people, "active@example.org")
    suppress(people, "never@example.org", now=NOW, source="test")
    ask(people, "gone@example.org")
    suppress(people, "gone@example.org", now=NOW, source="test")
    kept = [person.address for person in people.subscribers.list()]

    forget_unconfirmed(people, TERMS, NOW + timedelta(days=3_650))

    assert [person.address for person in people.subscribers.list()] == kept
    assert people.suppressions.is_listed("gone@example.org")


def test_a_recent_request_keeps_a_subscriber(people: Store) -> None:
    ask(people, "slow@example.org")
    again = ask(people, "slow@example.org", now=LATE - timedelta(days=1))
    assert again is not None

    assert forget_unconfirmed(people, TERMS, LATE).people == 0

    assert confirm(people, TERMS, again.token, now=LATE, evidence=FORM) is not None


def test_more_than_one_group_is_deleted(people: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "GROUP", 50)
    for number in range(51):
        ask(people, f"silent{number}@example.org")
    assert forget_unconfirmed(people, TERMS, LATE).people == 51
    assert people.subscribers.count() == 0


def test_deleted_subscribers_leave_no_bytes_behind(tmp_path: Path) -> None:
    """Deleting overwrites the data, even if nothing rewrites the file as an erasure does."""
    with open_store("sqlite:///publisher.db", tmp_path, lambda: SECRET) as store:
        add_people(store, 300)
        assert ask(store, "zebra.quagga@okapi.example") is not None
        add_people(store, 300, "daily")
        files = [tmp_path / "publisher.db", tmp_path / "publisher.db-wal"]
        empty_log(files[0])
        assert [b"quagga" in file.read_bytes() for file in files] == [True, False]
        assert forget_unconfirmed(store, TERMS, LATE).people == 1
        assert files[1].stat().st_size > 0
        assert b"quagga" not in files[1].read_bytes()
        empty_log(files[0])
        assert b"quagga" not in files[0].read_bytes()


def empty_log(file: Path) -> None:
    """Move the contents of the write-ahead log to the database's file."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
