"""The ledger: claims, answers and leases, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store
from publisher.store.deliveries import Settled
from tests.support.store_samples import NOW, add_people, draft, later


@pytest.fixture
def edition(store: Store) -> Edition:
    add_people(store, 10)
    made = store.editions.create(draft())
    assert made is not None
    return made


def claim(
    store: Store, edition: Edition, worker: str = "w1", *, now: datetime = NOW, limit: int = 50
) -> Sequence[Delivery]:
    return store.deliveries.claim(
        edition.id,
        worker,
        now=now,
        lease_until=now.replace(minute=now.minute + 2),
        limit=limit,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )


def accepted(delivery: Delivery) -> Settled:
    return Settled(delivery.id, moves(DeliveryEvent.ACCEPTED), sent_at=NOW)


def put_off(delivery: Delivery, until: datetime) -> Settled:
    return Settled(delivery.id, moves(DeliveryEvent.DEFERRED), next_try_at=until, reason="450 not now")


def reclaim(store: Store, *, now: datetime = NOW, dead: Sequence[str] = (), hold: bool = False) -> int:
    return store.deliveries.reclaim(
        now=now,
        dead_workers=dead,
        moves=moves(DeliveryEvent.UNANSWERED_HOLD if hold else DeliveryEvent.UNANSWERED_RESEND),
        next_try_at=None if hold else now,
    )


def test_a_claim_gives_each_delivery_to_one_worker(store: Store, edition: Edition) -> None:
    first = claim(store, edition, "w1", limit=4)
    second = claim(store, edition, "w2", limit=4)
    third = claim(store, edition, "w1", limit=4)

    assert [len(first), len(second), len(third)] == [4, 4, 2]
    assert len({d.id for d in (*first, *second, *third)}) == 10
    assert claim(store, edition, "w3") == []
    assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENDING: 10}


def test_a_claim_contains_what_a_message_needs(store: Store, edition: Edition) -> None:
    (delivery,) = claim(store, edition, limit=1)
    reader = store.subscribers.get("reader0@example.org")

    assert reader is not None
    assert delivery.edition_id == edition.id
    assert (delivery.address, delivery.name) == (reader.address, reader.name)
    assert delivery.subscriber_uid == reader.uid
    assert (delivery.variant, delivery.attempts) == ("", 0)


def test_eight_workers_at_once_never_claim_the_same_delivery(store: Store, edition: Edition) -> None:
    def work(number: int) -> list[int]:
        mine: list[int] = []
        while batch := claim(store, edition, f"w{number}", limit=2):
            mine += [delivery.id for delivery in batch]
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [delivery for worker in pool.map(work, range(8)) for delivery in worker]

    assert len(claimed) == len(set(claimed)) == 10


def test_answers_are_written_and_end_the_lease(store: Store, edition: Edition) -> None:
    batch = claim(store, edition)
    answers = [
        *(accepted(delivery) for delivery in batch[:7]),
        put_off(batch[7], later(minutes=5)),
        Settled(batch[8].id, moves(DeliveryEvent.REJECTED), reason="550 no such user"),
        Settled(batch[9].id, moves(DeliveryEvent.RETURNED), tried=False, next_try_at=NOW),
    ]

    assert store.deliveries.acknowledge("w1", answers) == 10
    assert store.deliveries.counts(edition.id).by_status == {
        DeliveryStatus.SENT: 7,
        DeliveryStatus.DEFERRED: 1,
        DeliveryStatus.FAILED: 1,
        DeliveryStatus.QUEUED: 1,
    }
    assert reclaim(store, now=later(days=1), dead=["w1"]) == 0


def test_a_deferred_delivery_is_due_again_at_its_time_and_not_before(store: Store, edition: Edition) -> None:
    batch = claim(store, edition)
    store.deliveries.acknowledge("w1", [put_off(batch[0], later(minutes=5)), *map(accepted, batch[1:])])

    assert [e.id for e in store.editions.unfinished()] == [edition.id]
    assert claim(store, edition, now=later(minutes=4)) == []
    (again,) = claim(store, edition, now=later(minutes=5))
    assert again.id == batch[0].id
    assert again.attempts == 1
    store.deliveries.acknowledge("w1", [accepted(again)])
    assert list(store.editions.unfinished()) == []


def test_unfinished_editions_come_oldest_first(store: Store, edition: Edition) -> None:
    second = store.editions.create(draft("2026-W48", made_at=later(days=7)))
    assert second is not None
    claim(store, edition)

    assert [e.slot for e in store.editions.unfinished()] == ["2026-W47", "2026-W48"]


def test_someone_who_unsubscribed_is_skipped(store: Store, edition: Edition) -> None:
    store.subscribers.remove("reader3@example.org", at=NOW, source="link")
    store.subscribers.remove("reader4@example.org", "weekly", at=NOW, source="link")

    batch = claim(store, edition)

    assert {"reader3@example.org", "reader4@example.org"}.isdisjoint(d.address for d in batch)
    assert store.deliveries.counts(edition.id)[DeliveryStatus.SKIPPED] == 2
    assert len(batch) == 8


def test_a_claim_continues_past_unsubscribed_people(store: Store, edition: Edition) -> None:
    for i in range(9):
        store.subscribers.remove(f"reader{i}@example.org", at=NOW, source="link")

    (only,) = claim(store, edition, limit=2)
    assert only.address == "reader9@example.org"


def test_deliveries_of_a_dead_worker_are_free_immediately(store: Store, edition: Edition) -> None:
    claim(store, edition, "dead", limit=4)
    claim(store, edition, "alive", limit=3)

    assert reclaim(store, dead=["dead", "unheard-of"]) == 4
    again = claim(store, edition, "alive")
    assert len(again) == 7
    assert sorted(d.attempts for d in again) == [0, 0, 0, 1, 1, 1, 1]


def test_an_expired_lease_is_free_for_others(store: Store, edition: Edition) -> None:
    claim(store, edition, "elsewhere")

    assert reclaim(store, now=later(minutes=1)) == 0
    assert reclaim(store, now=later(minutes=2)) == 10
    assert len(claim(store, edition, "w2", now=later(minutes=2))) == 10


def test_a_delivery_on_hold_waits_for_a_person(store: Store, edition: Edition) -> None:
    claim(store, edition, "dead", limit=4)

    assert reclaim(store, dead=["dead"], hold=True) == 4
    assert store.deliveries.counts(edition.id)[DeliveryStatus.UNCERTAIN] == 4
    assert len(claim(store, edition, now=later(minutes=50))) == 6


def test_a_late_answer_counts_for_a_free_delivery(store: Store, edition: Edition) -> None:
    (late,) = claim(store, edition, "slow", limit=1)
    reclaim(store, now=later(minutes=3))

    assert store.deliveries.acknowledge("slow", [accepted(late)]) == 1
    assert late.id not in [d.id for d in claim(store, edition, "w2", now=later(minutes=3))]
    assert store.deliveries.counts(edition.id)[DeliveryStatus.SENT] == 1


def test_a_late_answer_leaves_leased_deliveries_alone(store: Store, edition: Edition) -> None:
    (late,) = claim(store, edition, "slow", limit=1)
    reclaim(store, now=later(minutes=3))
    claim(store, edition, "w2", now=later(minutes=3))

    assert store.deliveries.acknowledge("slow", [accepted(late)]) == 0
    assert store.deliveries.counts(edition.id)[DeliveryStatus.SENT] == 0


def test_a_sent_delivery_stays_sent(store: Store, edition: Edition) -> None:
    (done,) = claim(store, edition, limit=1)
    store.deliveries.acknowledge("w1", [accepted(done)])

    assert store.deliveries.acknowledge("w1", [put_off(done, NOW)]) == 0
    assert store.deliveries.counts(edition.id)[DeliveryStatus.SENT] == 1


def test_no_answers_write_nothing(store: Store) -> None:
    assert store.deliveries.acknowledge("w1", []) == 0


def test_counts_belong_to_one_edition(store: Store, edition: Edition) -> None:
    other = store.editions.create(draft("2026-W48"))
    assert other is not None
    claim(store, edition, limit=3)

    assert store.deliveries.counts(other.id).by_status == {DeliveryStatus.QUEUED: 10}
    assert store.deliveries.counts(edition.id).open == 10
