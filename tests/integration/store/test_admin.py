"""What the admin page reads and writes, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from publisher.core.newsletter_models import SubscriberStatus
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store
from publisher.store.database import Database
from publisher.store.deliveries import Settled
from publisher.store.feed_readers import MOST_READERS, FeedReader
from publisher.store.sessions import MOST_SESSIONS
from publisher.store.statistics import GivenReason, SourceTotals
from publisher.store.subscriber_records import Evidence
from tests.support.store_samples import NOW, add_people, draft, later, person

HOUR = timedelta(hours=1)


def test_the_newest_password_is_the_only_one(store: Store) -> None:
    assert store.owner.password_hash() == ""
    store.owner.set_password("first", NOW)
    store.owner.set_password("second", later(days=1))
    assert store.owner.password_hash() == "second"


def begin(store: Store, token: str, minutes: int = 0, old: str = "") -> None:
    begun = later(minutes=minutes)
    store.sessions.begin(token, begun, begun + HOUR, client="203.0.113.0/24", browser="Firefox on Linux", old=old)


def test_a_session_lasts_until_it_ends(store: Store) -> None:
    begin(store, "one")
    begin(store, "two", minutes=30)
    found = store.sessions.find("one", later(minutes=59))
    assert found
    assert (found.begun_at, found.client, found.browser) == (NOW, "203.0.113.0/24", "Firefox on Linux")
    assert store.sessions.find("one", later(minutes=60)) is None
    assert [each.begun_at for each in store.sessions.list(later(minutes=45))] == [later(minutes=30), NOW]
    assert [store.sessions.end("two"), store.sessions.end("two"), store.sessions.end("")] == [True, False, False]
    assert store.sessions.find("two", later(minutes=45)) is None
    store.sessions.forget(later(minutes=59))
    assert store.sessions.list(NOW)
    store.sessions.forget(later(minutes=60))
    assert store.sessions.list(NOW) == []


def test_a_session_replaces_the_one_of_the_same_browser(store: Store) -> None:
    begin(store, "one")
    begin(store, "two", old="one")
    assert store.sessions.find("one", NOW) is None
    assert store.sessions.find("two", NOW)


def test_one_session_can_survive_the_end_of_all_others(store: Store) -> None:
    for token in ("one", "two", "three"):
        begin(store, token)
    assert store.sessions.end_others("two") == 2
    assert [store.sessions.find(token, NOW) is None for token in ("one", "two", "three")] == [True, False, True]


def test_the_oldest_of_too_many_sessions_ends(store: Store) -> None:
    for number in range(MOST_SESSIONS + 2):
        begin(store, f"token {number}")
    assert [store.sessions.find(f"token {number}", NOW) is None for number in range(4)] == [True, True, False, False]
    assert store.sessions.end_all() == MOST_SESSIONS
    assert store.sessions.list(NOW) == []


def test_a_new_password_ends_every_session(store: Store) -> None:
    store.owner.set_password("first", NOW)
    begin(store, "one")
    store.owner.set_password("second", NOW)
    assert store.sessions.list(NOW) == []


def test_the_database_contains_no_token(store: Store, store_url: str, tmp_path: Path) -> None:
    begin(store, "a secret token")
    database = Database(store_url, tmp_path)
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sessions").all()
    database.close()
    assert len(rows) == 1
    assert "a secret token" not in repr(rows)


def test_a_feed_reader_has_one_row(store: Store) -> None:
    store.feed_readers.record([FeedReader("feed.xml", "Feedly", 41, NOW)], {})
    store.feed_readers.record(
        [FeedReader("feed.xml", "NewsBlur", 3, NOW), FeedReader("feed.xml", "Feedly", 42, later(days=2))], {}
    )
    assert [(each.reader, each.subscribers) for each in store.feed_readers.list(NOW)] == [
        ("Feedly", 42),
        ("NewsBlur", 3),
    ]
    assert [each.reader for each in store.feed_readers.list(later(days=1))] == ["Feedly"]


def test_a_feed_keeps_a_limited_number_of_readers(store: Store) -> None:
    store.feed_readers.record([FeedReader("feed.xml", f"r{n}", n, NOW) for n in range(MOST_READERS + 5)], {})
    store.feed_readers.record([FeedReader("feed.xml", "r0", 77, NOW), FeedReader("atom.xml", "new", 1, NOW)], {})
    kept = {(each.feed, each.reader): each.subscribers for each in store.feed_readers.list(NOW)}
    assert len(kept) == MOST_READERS + 1
    assert (kept["feed.xml", "r0"], kept["atom.xml", "new"]) == (77, 1)
    assert MOST_READERS == 100
    assert store.feed_readers.requests("2026-01-01") == {("feed.xml", "2026-11-21"): 5}
    store.feed_readers.record([FeedReader("feed.xml", "real", 9, later(days=31))], {})
    assert [each.reader for each in store.feed_readers.list(later(days=1))] == ["real"]
    assert len(store.feed_readers.list(NOW)) == 2


def test_requests_add_up_by_day_and_old_days_are_deleted(store: Store) -> None:
    store.feed_readers.record([], {("feed.xml", "2024-01-01"): 9, ("feed.xml", "2026-11-20"): 2})
    store.feed_readers.record([], {("feed.xml", "2026-11-20"): 3, ("feed.xml", "2026-11-21"): 1})
    assert store.feed_readers.requests("2000-01-01") == {("feed.xml", "2026-11-20"): 5, ("feed.xml", "2026-11-21"): 1}


def test_deliveries_of_several_editions_are_counted_like_those_of_one(store: Store) -> None:
    add_people(store, 5)
    edition = store.editions.create(draft())
    assert edition is not None
    taken = store.deliveries.claim(
        edition.id,
        "w",
        now=NOW,
        lease_until=later(minutes=5),
        limit=10,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )
    answers = [
        (DeliveryEvent.ACCEPTED, ""),
        *[(DeliveryEvent.REJECTED, "550 no such user")] * 2,
        (DeliveryEvent.REJECTED, "554 spam"),
    ]
    settled = [
        Settled(delivery.id, moves(event), reason=reason)
        for delivery, (event, reason) in zip(taken, answers, strict=False)
    ]
    store.deliveries.acknowledge("w", settled)
    assert store.statistics.deliveries([edition.id, 99]) == {
        edition.id: store.deliveries.counts(edition.id),
        99: store.deliveries.counts(99),
    }


def test_reasons_of_failures_are_found_in_one_place(store: Store) -> None:
    said = ("weekly", "too many"), (None, "Too Many"), ("weekly", ""), (None, ""), ("daily", "too many"), (None, "<b>")
    for number, (newsletter, reason) in enumerate(said):
        store.subscribers.add(person(f"p{number}@example.org", "weekly", "daily"), at=NOW, source="test")
        with store.subscribers.transaction(later(hours=number)) as change:
            found = change.find(f"p{number}@example.org")
            assert found
            change.leave(found, newsletter, Evidence("page"), reason)
    assert store.statistics.reasons(99) == [
        GivenReason("<b>", later(hours=5), (), 1),
        GivenReason("too many", later(hours=4), ("daily", "weekly"), 3),
    ]
    assert [each.reason for each in store.statistics.reasons(1)] == ["<b>"]


def test_subscribers_are_counted_by_day(store: Store) -> None:
    store.subscribers.add(person("ada@example.org", "weekly", "daily"), at=NOW, source="test")
    store.subscribers.add(person("bob@example.org"), at=NOW, source="test")
    store.subscribers.add(person("eve@example.org"), at=later(days=3), source="test")
    store.subscribers.remove("bob@example.org", at=later(days=1), source="test")
    assert store.statistics.joined() == {"2026-11-21": 2, "2026-11-24": 1}
    assert store.statistics.left() == {"2026-11-22": 1}
    assert store.statistics.by_newsletter() == {"weekly": 2, "daily": 1}
    assert store.statistics.joined("daily") == {"2026-11-21": 1}
    assert store.statistics.left("daily") == {}
    store.subscribers.remove("ada@example.org", "daily", at=later(days=2), source="test")
    assert store.statistics.left("daily") == {"2026-11-23": 1}
    assert store.statistics.left() == {"2026-11-22": 1}
    assert store.statistics.joined(source="test") == store.statistics.joined()
    assert store.statistics.joined(source="nowhere") == {}
    assert store.statistics.since(later(days=1)) == {"joined": 1, "left": 1}
    assert store.statistics.by_source(later(days=1)) == [SourceTotals("test", joined=3, active=2, lately=1)]
    with store.subscribers.transaction(NOW + timedelta(days=4)) as change:
        eve = change.find("eve@example.org")
        assert eve is not None
        change.count_bounce(eve)
    assert store.statistics.bounces() == {1: 1}
    assert store.subscribers.counts()[SubscriberStatus.ACTIVE] == 2


def test_the_second_factor_needs_a_password_and_survives_a_new_one(store: Store) -> None:
    assert not store.owner.turn_totp_on("a key", 7, ["code 1"])
    assert (store.owner.totp_secret(), store.owner.recovery_codes_left()) == ("", 0)
    store.owner.set_password("first", NOW)
    assert store.owner.turn_totp_on("a key", 7, ["code 1", "code 2"])
    store.owner.set_password("second", NOW)
    assert (store.owner.totp_secret(), store.owner.recovery_codes_left()) == ("a key", 2)
    assert [store.owner.turn_totp_off(), store.owner.turn_totp_off()] == [True, False]
    assert (store.owner.totp_secret(), store.owner.recovery_codes_left()) == ("", 0)


def test_each_code_is_used_once(store: Store) -> None:
    store.owner.set_password("first", NOW)
    store.owner.turn_totp_on("a key", 7, ["code 1", "code 2"])
    assert [store.owner.use_totp_step(step) for step in (7, 6, 8, 8, 7, 9)] == [False, False, True, False, False, True]
    used = [store.owner.use_recovery_code(each) for each in ("code 1", "code 1", "code 3", "code 2")]
    assert used == [True, False, False, True]


def test_one_of_two_simultaneous_uses_succeeds(store: Store) -> None:
    store.owner.set_password("first", NOW)
    store.owner.turn_totp_on("a key", 7, ["code 1"])
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: store.owner.use_totp_step(8), range(4))) == 1
        assert sum(pool.map(lambda _: store.owner.use_recovery_code("code 1"), range(4))) == 1
