"""Deliveries that are added to existing editions, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import Choice, DeliveryStatus, Edition, EditionKind
from publisher.core.subscriber_status import SubscriberEvent
from publisher.mail.lifecycle import UNSETTLED, DeliveryEvent, moves
from publisher.store import Store
from publisher.store.deliveries import Settled
from publisher.store.latecomers import AddedDeliveries, StepTime, WhoJoined
from publisher.store.subscriber_records import AddOptions
from tests.support.store_samples import NOW, draft, later, person

STEPS = ("welcome", "welcome-2", "welcome-3")
DAY = timedelta(days=1)


def join(store: Store, name: str, days: float, *topics: str) -> int:
    """Add a subscriber some days after NOW; return their id."""
    store.subscribers.add(person(f"{name}@example.org", topics=topics), at=later(days=days), source="test")
    found = store.subscribers.get(f"{name}@example.org")
    assert found
    return found.id


def send(store: Store, edition: Edition, days: float = 0) -> list[str]:
    """Send the due messages of an edition; return the names of the recipients."""
    at = later(days=days)
    claimed = store.deliveries.claim(
        edition.id,
        "w",
        now=at,
        lease_until=at + DAY,
        limit=100,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )
    accepted = moves(DeliveryEvent.ACCEPTED)
    store.deliveries.acknowledge("w", [Settled(each.id, accepted, sent_at=at) for each in claimed])
    return [each.address.partition("@")[0] for each in claimed]


def everyone(choice: Choice) -> str | None:
    return "" if "none" not in choice.topics else None


def make(store: Store, slot: str, days: float = 0) -> Edition:
    edition = store.editions.create(draft(slot, made_at=later(days=days), posts=()))
    assert edition
    return edition


def test_people_who_joined_later_get_an_existing_edition_once(store: Store) -> None:
    join(store, "before", -1)
    edition = make(store, "2026-W47")
    assert send(store, edition) == ["before"]
    for name, days, topics in (("ada", 1, ()), ("bob", 3, ("ai",)), ("cy", 4, ("none",)), ("left", 5, ())):
        join(store, name, days, *topics)
    store.subscribers.remove("left@example.org", at=later(days=6), source="test")

    since = WhoJoined(joined_since=later(days=2))
    assert store.latecomers.count(edition, since, everyone, later(days=7)) == AddedDeliveries(1, 1)
    assert store.latecomers.add(edition, since, everyone, later(days=7)) == AddedDeliveries(1, 1)
    assert store.latecomers.add(edition, since, everyone, later(days=7)) == AddedDeliveries(0, 1)
    everybody = WhoJoined(joined_since=later(days=-9))
    assert store.latecomers.add(edition, everybody, everyone, later(days=7)) == AddedDeliveries(1, 1)
    assert sorted(send(store, edition, 7)) == ["ada", "bob"]
    assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: 3}


def test_only_the_chosen_people_get_the_edition(store: Store) -> None:
    edition = make(store, "2026-W47")
    ada, bob = join(store, "ada", 1), join(store, "bob", 1)
    assert store.latecomers.add(edition, WhoJoined([bob]), everyone, later(days=2)) == AddedDeliveries(1)
    assert store.latecomers.having(edition, [ada, bob]) == {bob}
    assert send(store, edition, 2) == ["bob"]


def test_nothing_is_added_to_an_edition_with_only_totals_left(store: Store) -> None:
    join(store, "before", -1)
    edition = make(store, "2026-W47")
    send(store, edition)
    assert store.chores.roll_up(later(days=1), UNSETTLED) == 1
    join(store, "ada", 1)
    with pytest.raises(PublisherError, match="nobody knows who got it"):
        store.latecomers.add(edition, WhoJoined(joined_since=later(days=-9)), everyone, later(days=2))
    assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: 1}


class Sequence:
    """A sequence of three steps, sent immediately, after 3 days and after 7, and first seen at NOW."""

    after = dict(zip(STEPS, (timedelta(), 3 * DAY, 7 * DAY), strict=True))

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen = dict.fromkeys(STEPS, NOW)
        self.editions: dict[str, Edition] = {}
        for step in STEPS:
            self.new_version(step, "one")

    def new_version(self, step: str, digest: str) -> None:
        made = self.store.editions.create(
            draft(f"{step}:{digest}", kind=EditionKind.WELCOME, posts=(), number=0, segment="")
        )
        assert made
        self.editions[step] = made

    def run(self, days: float) -> list[str]:
        """Add and send what is due; return "step name" of each message."""
        sent = []
        for step in STEPS:
            time = StepTime(self.after[step], min(self.seen.values()), self.seen[step], 30 * DAY, DAY)
            due = self.store.latecomers.due("weekly", STEPS, step, time, later(days=days))
            added = self.store.latecomers.add_due(self.editions[step], STEPS, step, time, later(days=days))
            assert added == due
            sent += [f"{step} {name}" for name in send(self.store, self.editions[step], days)]
        return sent


def test_each_new_subscriber_gets_the_steps_at_their_times(store: Store) -> None:
    sequence = Sequence(store)
    join(store, "old", -1)
    assert sequence.run(0) == []
    join(store, "ada", 1)
    options = AddOptions(later(days=1), "a file", SubscriberEvent.IMPORTED)
    store.subscribers.add_all([person("file@example.org")], options)
    assert sequence.run(1) == ["welcome ada"]
    join(store, "bob", 2)
    assert sequence.run(2) == ["welcome bob"]
    assert sequence.run(3.9) == []
    sequence.new_version("welcome", "two")
    sequence.new_version("welcome-2", "two")
    assert sequence.run(4) == ["welcome-2 ada"]
    assert sequence.run(4.5) == []
    store.subscribers.remove("ada@example.org", at=later(days=5), source="test")
    assert sequence.run(5) == ["welcome-2 bob"]
    assert sequence.run(8) == []
    assert sequence.run(9) == ["welcome-3 bob"]
    assert sequence.run(40) == []


def test_late_steps_keep_their_order_and_distance(store: Store) -> None:
    sequence = Sequence(store)
    join(store, "ada", 0)
    assert sequence.run(8) == ["welcome ada"]
    assert sequence.run(8.9) == []
    assert sequence.run(9) == ["welcome-2 ada"]
    assert sequence.run(10) == ["welcome-3 ada"]


def test_a_later_step_waits_for_an_open_one(store: Store) -> None:
    sequence = Sequence(store)
    join(store, "ada", 0)
    time = StepTime(timedelta(), NOW, NOW, 30 * DAY)
    assert store.latecomers.add_due(sequence.editions["welcome"], STEPS, "welcome", time, NOW) == 1
    second = StepTime(3 * DAY, NOW, NOW, 30 * DAY, DAY)
    assert store.latecomers.due("weekly", STEPS, "welcome-2", second, later(days=4)) == 0
    assert send(store, sequence.editions["welcome"], 4) == ["ada"]
    assert store.latecomers.due("weekly", STEPS, "welcome-2", second, later(days=5)) == 1


def test_a_step_added_later_goes_to_people_who_are_not_past_it(store: Store) -> None:
    sequence = Sequence(store)
    join(store, "ada", 0)
    join(store, "bob", 6)
    sequence.seen["welcome-2"] = later(days=8)
    sequence.seen["welcome"] = later(days=6)
    assert sequence.run(8) == ["welcome bob", "welcome-3 ada"]
    assert sequence.run(9) == ["welcome-2 bob"]


def test_people_who_are_too_late_are_left_out(store: Store) -> None:
    sequence = Sequence(store)
    join(store, "ada", 0)
    assert sequence.run(31) == ["welcome-2 ada"]


def test_welcome_emails_keep_their_rows(store: Store) -> None:
    sequence = Sequence(store)
    join(store, "ada", 0)
    assert sequence.run(0) == ["welcome ada"]
    assert store.chores.roll_up(later(days=400), UNSETTLED) == 0


def test_renaming_a_newsletter_keeps_the_record_of_its_steps(store: Store) -> None:
    store.newsletters.see("weekly", "rule", NOW)
    store.newsletters.see("weekly/welcome", "welcome", NOW)
    store.newsletters.see("weekly-news/welcome", "welcome", NOW)
    store.newsletters.rename("weekly", "news", later(days=1), "test")
    assert store.newsletters.find("weekly/welcome") is None
    found = store.newsletters.find("news/welcome")
    assert found and found.since == NOW
    assert store.newsletters.find("weekly-news/welcome")
