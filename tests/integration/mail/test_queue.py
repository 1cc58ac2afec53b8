"""Delivering an edition: how each answer and each accident changes the ledger."""

from __future__ import annotations

import email
from contextlib import _GeneratorContextManager
from dataclasses import replace
from datetime import timedelta
from email.policy import default
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from publisher.core.errors import SubscriberError, TransportError
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Letter
from publisher.mail.lifecycle import DeliveryEvent
from publisher.mail.links import LinkPurpose
from publisher.mail.outbox import Outbox
from publisher.mail.queue import deliver, take_over
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.send_test import send_test_email
from publisher.mail.transport import Accepted, Deferred, Rejected, Unanswered
from publisher.mail.worker_locks import working
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock, Scripted, make_edition, run
from tests.support.store_samples import NOW, add_people, draft, person

SENT, FAILED, DEFERRED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.DEFERRED
QUEUED, UNCERTAIN = DeliveryStatus.QUEUED, DeliveryStatus.UNCERTAIN


def test_a_second_run_sends_nothing(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 120)
    transport = Scripted()

    assert run(store, transport, edition, tmp_path).by_status == {SENT: 120}
    assert run(store, transport, edition, tmp_path).by_status == {SENT: 120}
    assert set(transport.sent.values()) == {1}
    assert list(store.editions.unfinished()) == []


def test_each_subscriber_gets_their_own_message(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 3)
    transport = Scripted()
    run(store, transport, edition, tmp_path)

    for reader in store.subscribers.list():
        (raw,) = transport.messages[reader.address]
        message = email.message_from_bytes(raw, policy=default)
        token = message["List-Unsubscribe"].strip("<>").rpartition("/")[2]
        assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token) == (reader.uid, "weekly")
        assert f"Hello {reader.name}" in raw.decode().replace("=\r\n", "")
        assert message["Date"].datetime == NOW


def test_every_answer_becomes_its_status(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 5)
    transport = Scripted(
        {
            "reader0@example.org": [Deferred("450 busy")],
            "reader1@example.org": [Rejected("550 gone")],
            "reader2@example.org": [Unanswered("reset")],
        }
    )
    seen: list[tuple[str, DeliveryStatus, str]] = []

    def progress(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        seen.append((delivery.address, status, reason))

    counts = deliver(
        store, transport, edition, HEADERS, LINKS, options=DeliveryOptions(tmp_path), clock=Clock(), progress=progress
    )

    assert counts.by_status == {DEFERRED: 1, FAILED: 1, QUEUED: 1, SENT: 2}
    assert seen[:3] == [
        ("reader0@example.org", DEFERRED, "450 busy"),
        ("reader1@example.org", FAILED, "550 gone"),
        ("reader2@example.org", QUEUED, "reset"),
    ]


def test_a_deferred_message_is_sent_again_unchanged(store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(store, 1), Clock()
    transport = Scripted({"reader0@example.org": [Deferred("450"), Deferred("450")]})

    for minutes, expected in [(0, 1), (4, 1), (1, 2), (9, 2), (1, 3)]:
        clock.move(minutes=minutes)
        run(store, transport, edition, tmp_path, clock=clock)
        assert transport.sent["reader0@example.org"] == expected
    assert store.deliveries.counts(edition.id).by_status == {SENT: 1}
    assert len(transport.messages["reader0@example.org"]) == 1


def test_deferrals_end_after_five_days(store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(store, 1), Clock()
    transport = Scripted({"reader0@example.org": [Deferred("450")] * 100})

    while run(store, transport, edition, tmp_path, clock=clock).open:
        clock.move(hours=6)
    assert store.deliveries.counts(edition.id).by_status == {FAILED: 1}
    assert timedelta(days=4) < clock() - NOW <= timedelta(days=5)


def test_a_message_of_an_edition_that_was_on_hold_for_a_week_survives_greylisting(store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(store, 2), Clock()
    clock.move(days=7)
    transport = Scripted({"reader0@example.org": [Deferred("451 greylisted")]})

    assert run(store, transport, edition, tmp_path, clock=clock).by_status == {DEFERRED: 1, SENT: 1}
    clock.move(minutes=5)
    assert run(store, transport, edition, tmp_path, clock=clock).by_status == {SENT: 2}


def test_unanswered_messages_are_treated_as_configured(store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(store, 2), Clock()
    script = {"reader0@example.org": [Unanswered("reset")], "reader1@example.org": [Unanswered("reset")]}
    transport = Scripted({address: list(turns) for address, turns in script.items()})

    assert run(store, transport, edition, tmp_path, clock=clock).by_status == {QUEUED: 2}
    clock.move(minutes=5)
    transport.script["reader1@example.org"] = [Unanswered("reset")]
    assert run(store, transport, edition, tmp_path, clock=clock, hold=True).by_status == {
        SENT: 1,
        UNCERTAIN: 1,
    }
    clock.move(days=2)
    assert run(store, transport, edition, tmp_path, clock=clock)[UNCERTAIN] == 1


def test_an_unreachable_server_empties_no_queue(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 60)
    transport = Scripted(at={7: TransportError("nobody listens")})

    with pytest.raises(TransportError, match="nobody listens"):
        run(store, transport, edition, tmp_path, hold=True)
    assert store.deliveries.counts(edition.id).by_status == {SENT: 7, QUEUED: 53}
    assert run(store, transport, edition, tmp_path, hold=True).by_status == {SENT: 60}
    assert set(transport.sent.values()) == {1}


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(1), RuntimeError("a defect")])
def test_an_interruption_leaves_one_message_in_doubt(store: Store, tmp_path: Path, interruption: BaseException) -> None:
    edition = make_edition(store, 60)
    transport = Scripted(at={7: interruption})

    with pytest.raises(type(interruption)):
        run(store, transport, edition, tmp_path, hold=True)
    assert store.deliveries.counts(edition.id).by_status == {SENT: 7, UNCERTAIN: 1, QUEUED: 52}


@pytest.mark.parametrize(("hold", "doubtful"), [(False, {QUEUED: 53}), (True, {UNCERTAIN: 1, QUEUED: 52})])
def test_an_interrupted_outbox_is_treated_as_configured(
    store: Store, tmp_path: Path, hold: bool, doubtful: dict[DeliveryStatus, int]
) -> None:
    edition = make_edition(store, 60)
    transport = Scripted(at={7: KeyboardInterrupt()}, idempotent=True)

    with pytest.raises(KeyboardInterrupt):
        run(store, transport, edition, tmp_path, hold=hold)
    assert store.deliveries.counts(edition.id).by_status == {SENT: 7} | doubtful
    assert run(store, transport, edition, tmp_path, hold=hold).by_status[SENT] == 60 - hold


def test_a_signal_between_a_transaction_and_its_block_leaves_no_lock(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = make_edition(sqlite_store, 60)
    enter, transactions = _GeneratorContextManager.__enter__, count(1)

    def interrupted(block: _GeneratorContextManager[Any]) -> Any:
        is_transaction = block.func.__qualname__ == "Database.write"
        entered = enter(block)
        if is_transaction and next(transactions) == 12:
            raise KeyboardInterrupt
        return entered

    monkeypatch.setattr(_GeneratorContextManager, "__enter__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(sqlite_store, Scripted(), edition, tmp_path, hold=True)
    assert sqlite_store.deliveries.counts(edition.id).by_status[SENT] > 5


def test_repeated_hang_ups_stop_the_run(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 60)
    transport = Scripted({f"reader{i}@example.org": [Unanswered("reset")] for i in range(60)})

    with pytest.raises(TransportError, match="hung up on 3 messages in a row"):
        run(store, transport, edition, tmp_path, hold=True)
    assert store.deliveries.counts(edition.id).by_status == {UNCERTAIN: 3, QUEUED: 57}


def test_an_invalid_address_does_not_affect_others(store: Store, tmp_path: Path) -> None:
    store.subscribers.add(person("not an address"), at=NOW, source="test")
    edition = make_edition(store, 4)

    assert run(store, Scripted(), edition, tmp_path).by_status == {FAILED: 1, SENT: 4}


def test_unsubscribing_during_sending_is_respected(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 60)

    def leave(address: str) -> None:
        if address == "reader0@example.org":
            store.subscribers.remove("reader59@example.org", at=NOW, source="link")

    transport = Scripted(before=leave)
    counts = run(store, transport, edition, tmp_path)
    assert counts.by_status == {SENT: 59, DeliveryStatus.SKIPPED: 1}
    assert "reader59@example.org" not in transport.sent


def test_answers_of_a_slow_batch_are_written_early(store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(store, 50), Clock()
    written: list[int] = []

    def tick(address: str) -> None:
        clock.move(seconds=0.4)
        written.append(store.deliveries.counts(edition.id)[SENT])

    run(store, Scripted(before=tick, idempotent=True), edition, tmp_path, clock=clock)
    assert all(number - done <= 4 for number, done in enumerate(written))


def test_a_slow_worker_gives_back_its_batch(store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(store, 20), Clock()
    leased: list[int] = []

    def dawdle(address: str) -> None:
        leased.append(store.deliveries.counts(edition.id)[DeliveryStatus.SENDING])
        clock.move(seconds=25)

    transport = Scripted(before=dawdle)
    counts = run(store, transport, edition, tmp_path, clock=clock)
    assert counts.by_status == {SENT: 20}
    assert set(transport.sent.values()) == {1}
    # 120 s of lease and 25 s a message: after every third one, the rest is given back and claimed again
    assert leased[:6] == [20, 19, 18, 17, 16, 15]


def test_deliveries_of_a_dead_worker_are_taken_over(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 10)
    with working(tmp_path / "workers") as alive:
        claim(store, edition.id, alive, 3)
        dead = alive.rpartition(".")[0] + ".dead"
        (tmp_path / "workers" / f"{dead}.lock").touch()
        claim(store, edition.id, dead, 4)
        claim(store, edition.id, "otherhost.1.2", 2)

        counts = run(store, Scripted(), edition, tmp_path)
    assert counts.by_status == {SENT: 5, DeliveryStatus.SENDING: 5}


def test_deliveries_of_a_dead_worker_can_be_put_on_hold(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 10)
    claim(store, edition.id, "otherhost.1.2", 4)
    options = DeliveryOptions(tmp_path, on_uncertain="hold")
    late = NOW + timedelta(minutes=3)

    assert take_over(store, options=options, now=NOW) == 0
    assert take_over(store, options=options, now=late) == 4
    assert take_over(store, options=options, now=late) == 0
    assert store.deliveries.counts(edition.id).by_status == {UNCERTAIN: 4, QUEUED: 6}


def claim(store: Store, edition_id: int, worker: str, limit: int) -> None:
    from publisher.mail.lifecycle import moves

    claimed = store.deliveries.claim(
        edition_id,
        worker,
        now=NOW,
        lease_until=NOW + timedelta(minutes=2),
        limit=limit,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )
    assert len(claimed) == limit


def test_each_variant_gets_its_letter(sqlite_store: Store, tmp_path: Path) -> None:
    add_people(sqlite_store, 1)
    sqlite_store.subscribers.add(person("ai@example.org", topics=("ai",)), at=NOW, source="test")
    letters = (Letter("", "All", "", "<p>", "All\n"), Letter("ai", "AI", "", "<p>", "AI\n"))
    edition = sqlite_store.editions.create(draft(letters=letters, variants={("ai",): "ai"}))
    assert edition is not None

    transport = Scripted()
    run(sqlite_store, transport, edition, tmp_path)
    assert b"Subject: All\r\n" in transport.messages["reader0@example.org"].pop()
    assert b"Subject: AI\r\n" in transport.messages["ai@example.org"].pop()


def test_an_invalid_sender_sends_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    edition, transport = make_edition(sqlite_store, 2), Scripted()
    headers = replace(HEADERS, sender="nobody")
    with pytest.raises(TransportError, match=r"the sender 'nobody' cannot be used.*\(see mail\.sender"):
        deliver(sqlite_store, transport, edition, headers, LINKS, options=DeliveryOptions(tmp_path), clock=Clock())
    assert not transport.sent


def test_a_test_email_is_marked_and_unrecorded(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 2)
    (letter,) = sqlite_store.editions.letters(edition.id)
    outbox = Outbox(tmp_path / "outbox")

    for _ in range(2):
        assert send_test_email(outbox, edition, letter, HEADERS, LINKS, to="ada@example.org") == Accepted()
    (path,) = (tmp_path / "outbox" / "new").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert (message["Subject"], message["To"]) == ("[Test] Hello", "ada@example.org")
    assert sqlite_store.deliveries.counts(edition.id).by_status == {QUEUED: 2}
    with pytest.raises(SubscriberError, match="is not a valid email address"):
        send_test_email(outbox, edition, letter, HEADERS, LINKS, to="ada")
