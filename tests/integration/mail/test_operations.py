"""What the owner can do and see while an edition is sent, on both databases."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Moment

import pytest

from publisher.core.action_kinds import ActionKind, Via
from publisher.core.newsletter_models import Delivery, DeliveryCounts, DeliveryStatus, Edition
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.publishing import operations as by_hand
from publisher.store import Store
from publisher.store import ledger as ledger_module
from publisher.store.deliveries import Settled
from publisher.store.ledger import LedgerRow, ReasonCount, Undelivered
from tests.support.store_samples import NOW, add_people, draft, later

QUEUED, SENDING, SENT = DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.SENT
DEFERRED, FAILED = DeliveryStatus.DEFERRED, DeliveryStatus.FAILED
UNCERTAIN, SKIPPED = DeliveryStatus.UNCERTAIN, DeliveryStatus.SKIPPED


def claim(store: Store, edition: Edition, limit: int = 50, worker: str = "w1") -> list[Delivery]:
    until = later(minutes=2)
    claimed, left = moves(DeliveryEvent.CLAIMED), moves(DeliveryEvent.LEFT)
    return list(
        store.deliveries.claim(edition.id, worker, now=NOW, lease_until=until, limit=limit, claimed=claimed, left=left)
    )


@pytest.fixture
def edition(store: Store) -> Edition:
    """An edition of seven deliveries: two queued, and one each leased, sent, deferred, failed and uncertain."""
    add_people(store, 7)
    made = store.editions.create(draft())
    assert made is not None
    sent, deferred, failed, uncertain = claim(store, made, 4)
    store.deliveries.acknowledge(
        "w1",
        [
            Settled(sent.id, moves(DeliveryEvent.ACCEPTED), sent_at=NOW),
            Settled(deferred.id, moves(DeliveryEvent.DEFERRED), next_try_at=later(hours=1), reason="450 4.2.1 not now"),
            Settled(failed.id, moves(DeliveryEvent.REJECTED), reason=f"550 5.1.1 <{failed.address}>: no such user"),
            Settled(uncertain.id, moves(DeliveryEvent.UNANSWERED_HOLD), reason="the connection broke"),
        ],
    )
    claim(store, made, 1, "another")
    return made


def by_status(store: Store, edition: Edition) -> dict[DeliveryStatus, int]:
    return {status: count for status, count in store.deliveries.counts(edition.id).by_status.items() if count}


def statuses(store: Store, edition: Edition) -> list[DeliveryStatus]:
    return [row.status for row in store.ledger.rows(edition.id)]


def test_only_resuming_continues_an_edition_on_hold(store: Store, edition: Edition) -> None:
    assert by_hand.hold(store, edition, "the subject has a typo")
    assert not by_hand.hold(store, edition, "another reason")
    held = store.editions.get(edition.id)
    assert held is not None
    assert held.held == "the subject has a typo"
    assert claim(store, edition) == []

    assert by_hand.resume(store, edition, now=NOW)
    assert not by_hand.resume(store, edition, now=NOW)
    assert sorted(delivery.attempts for delivery in claim(store, edition)) == [0, 0, 1]  # the deferred one is due


def test_resuming_an_edition_not_on_hold_changes_nothing(store: Store, edition: Edition) -> None:
    before = list(store.ledger.rows(edition.id))

    assert not by_hand.resume(store, edition, now=NOW)
    assert list(store.ledger.rows(edition.id)) == before


@pytest.mark.parametrize("chosen", [{FAILED}, {UNCERTAIN}, {DEFERRED}, {FAILED, UNCERTAIN, DEFERRED}, set()])
def test_a_retry_affects_only_the_chosen_deliveries(
    store: Store, edition: Edition, chosen: set[DeliveryStatus]
) -> None:
    assert by_hand.retry(store, edition, chosen, now=NOW) == len(chosen)

    kept = [QUEUED if status in chosen else status for status in [SENT, DEFERRED, FAILED, UNCERTAIN]]
    assert statuses(store, edition) == [*kept, SENDING, QUEUED, QUEUED]
    assert len(claim(store, edition)) == 2 + len(chosen)


@pytest.mark.parametrize("final", [SENDING, SENT, SKIPPED])
def test_settled_deliveries_cannot_be_retried(store: Store, edition: Edition, final: DeliveryStatus) -> None:
    with pytest.raises(ValueError, match=f"a delivery that is {final} cannot be retried"):
        by_hand.retry(store, edition, [FAILED, final], now=NOW)
    assert by_status(store, edition)[FAILED] == 1


def test_a_retry_skips_people_who_unsubscribed(store: Store, edition: Edition) -> None:
    (failed,) = store.ledger.rows(edition.id, [FAILED])
    store.subscribers.remove(failed.address, at=NOW, source="link")

    assert by_hand.retry(store, edition, [FAILED], now=NOW) == 1
    assert failed.address not in {delivery.address for delivery in claim(store, edition)}
    assert [row.status for row in store.ledger.rows(edition.id) if row.id == failed.id] == [SKIPPED]


def test_cancelling_does_not_affect_messages_in_flight(store: Store, edition: Edition) -> None:
    assert by_hand.cancel(store, edition, why="it was the wrong letter") == 4

    assert statuses(store, edition) == [SENT, SKIPPED, FAILED, SKIPPED, SENDING, SKIPPED, SKIPPED]
    assert {row.reason for row in store.ledger.rows(edition.id, [SKIPPED])} == {"it was the wrong letter"}
    assert claim(store, edition) == []
    (in_hand,) = store.ledger.rows(edition.id, [SENDING])
    assert (
        store.deliveries.acknowledge("another", [Settled(in_hand.id, moves(DeliveryEvent.ACCEPTED), sent_at=NOW)]) == 1
    )
    assert store.editions.unfinished() == []
    assert by_hand.cancel(store, edition, why="again") == 0


@pytest.mark.parametrize("verb", ["cancel", "hold"])
def test_operations_during_sending_lose_nothing(store: Store, verb: str) -> None:
    add_people(store, 200)
    edition = store.editions.create(draft())
    assert edition is not None
    handed_over: list[str] = []
    begun, done = Moment(), Moment()

    def work(worker: str) -> None:
        while batch := claim(store, edition, 3, worker):
            handed_over.extend(delivery.address for delivery in batch)
            begun.set()
            if len(handed_over) > 100:  # the others are left for the operation, however late it is
                assert done.wait(300)
            settled = [Settled(delivery.id, moves(DeliveryEvent.ACCEPTED), sent_at=NOW) for delivery in batch]
            assert store.deliveries.acknowledge(worker, settled) == len(batch)

    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(work, name) for name in ("w1", "w2")]
        assert begun.wait(300)
        stopped = by_hand.cancel(store, edition, why="old") if verb == "cancel" else 0
        assert verb == "cancel" or by_hand.hold(store, edition, "a typo")
        done.set()
        for worker in workers:
            worker.result()

    left = SKIPPED if verb == "cancel" else QUEUED
    found = by_status(store, edition)
    assert found.pop(SENT) == len(handed_over) == len(set(handed_over))
    assert 0 < len(handed_over) < 120
    assert found == {left: 200 - len(handed_over)}
    assert stopped == (200 - len(handed_over) if verb == "cancel" else 0)


def test_operations_affect_only_one_edition(store: Store, edition: Edition) -> None:
    other = store.editions.create(draft("2026-W48"))
    assert other is not None
    by_hand.retry(store, edition, by_hand.RETRIABLE, now=NOW)
    by_hand.cancel(store, edition, why="the wrong letter")

    assert by_status(store, other) == {QUEUED: 7}


def test_rows_show_the_fate_of_each_delivery(store: Store, edition: Edition) -> None:
    rows = {row.status: row for row in store.ledger.rows(edition.id)}

    reader = store.subscribers.get("reader1@example.org")
    assert reader is not None
    assert rows[DEFERRED] == LedgerRow(
        rows[DEFERRED].id,
        reader.id,
        reader.uid,
        "reader1@example.org",
        DEFERRED,
        1,
        later(hours=1),
        None,
        "450 4.2.1 not now",
    )
    assert (rows[SENT].sent_at, rows[SENT].next_try_at) == (NOW, None)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_show_every_row_once(store: Store, edition: Edition, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(ledger_module, "PAGE", size)
    first = store.ledger.page(edition.id, limit=size)

    assert [row.address for row in first] == [f"reader{number}@example.org" for number in range(size)]
    assert [row.address for row in store.ledger.rows(edition.id)] == [f"reader{n}@example.org" for n in range(7)]
    assert Counter(row.status for row in store.ledger.rows(edition.id, [FAILED, QUEUED])) == {FAILED: 1, QUEUED: 2}


def test_reasons_are_counted(store: Store, edition: Edition) -> None:
    by_hand.retry(store, edition, [UNCERTAIN, DEFERRED], now=NOW)
    refused = claim(store, edition)
    store.deliveries.acknowledge(
        "w1",
        [
            Settled(d.id, moves(DeliveryEvent.REJECTED), reason=f"550 5.1.1 <{d.address}>: no such user")
            for d in refused
        ],
    )

    assert store.ledger.reasons(edition.id) == [ReasonCount(FAILED, "550 5.1.1 <…>: no such user", 5)]
    assert store.ledger.reasons(edition.id, [SENT]) == []


def test_recent_editions_with_uncertain_or_failed_messages_are_found(store: Store, edition: Edition) -> None:
    assert store.editions.create(draft("2026-W48")) is not None  # nothing was sent of it
    assert store.ledger.undelivered(NOW) == [Undelivered(edition.id, "weekly", "2026-W47", 1, 1)]
    assert store.ledger.undelivered(later(seconds=1)) == []


def test_only_one_process_reports_that_an_edition_is_delivered(store: Store, edition: Edition) -> None:
    def asked() -> list[bool]:
        counts = store.deliveries.counts(edition.id)
        return [by_hand.finish(store, edition, counts, NOW) for _ in range(2)]

    assert asked() == [False, False]  # some are waiting, and another worker has one
    over = DeliveryCounts({SENT: 5, FAILED: 1, UNCERTAIN: 1})
    assert [by_hand.finish(store, edition, over, NOW) for _ in range(2)] == [True, False]
    after_a_retry = DeliveryCounts({SENT: 6, FAILED: 1})
    assert [by_hand.finish(store, edition, after_a_retry, NOW) for _ in range(2)] == [True, False]


def test_an_edition_on_hold_or_cancelled_is_not_delivered(store: Store, edition: Edition) -> None:
    over = DeliveryCounts({SENT: 5, SKIPPED: 2})
    by_hand.hold(store, edition, "a typo")
    held = store.editions.get(edition.id)
    assert held is not None
    assert not by_hand.finish(store, held, over, NOW)
    assert not by_hand.finish(store, edition, DeliveryCounts({SKIPPED: 7}), NOW)
    store.actions.record(ActionKind.CANCEL, NOW, via=Via.PAGE, client="", about=by_hand.edition_label(edition))
    assert not by_hand.finish(store, edition, over, NOW)
