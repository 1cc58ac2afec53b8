"""The ledger lists the messages that a worker may have handed over; only these are in doubt if it dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session

from publisher.config import Relay
from publisher.core.errors import LeaseLostError
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail import queue
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.queue import EditionOrder, take_over
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp import sending_loop
from publisher.mail.smtp.connection import Noted, open_connection
from publisher.mail.smtp.protocol import Ending, Message, MessageFate
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Accepted
from publisher.mail.worker_locks import working
from publisher.store import Store, open_store
from publisher.store.deliveries import Settled
from publisher.store.fleet_tables import workers
from publisher.store.tables import deliveries, subscribers
from publisher.store.workers import Heartbeat
from tests.support.delivery_samples import HEADERS, LINKS, Scripted, make_edition, make_small, run
from tests.support.smtp_samples import everybody, send, wait_until
from tests.support.smtp_server import Mailboxes, Patient, mail_server
from tests.support.store_samples import NOW, later

SENT, QUEUED, UNCERTAIN = DeliveryStatus.SENT, DeliveryStatus.QUEUED, DeliveryStatus.UNCERTAIN
LEASE = timedelta(minutes=2)


def begin(store: Store, edition: Edition, worker: str, leased: int, in_doubt: int | None) -> list[int]:
    """Let a worker claim deliveries, and note the first of them as in doubt; return the ids of all of them."""
    store.workers.begin(worker, "a host", Heartbeat(NOW, LEASE))
    claimed = store.deliveries.claim(
        edition.id,
        worker,
        now=NOW,
        lease_until=later(hours=1),
        limit=leased,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
        beat=Heartbeat(NOW, LEASE),
    )
    ids = [delivery.id for delivery in claimed]
    assert store.workers.renew(worker, Heartbeat(NOW, LEASE, None if in_doubt is None else ids[:in_doubt]))
    return ids


def end_lease(store: Store, worker: str) -> None:
    """Let the lease of a worker end now, by the database's clock."""
    with store.database.write() as connection:
        past = sa.update(workers).where(workers.c.worker == worker).values(lease_until=later(days=-9_999))
        assert connection.execute(past).rowcount == 1


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(("noted", "doubtful"), [(2, 2), (0, 0), (None, 7)])
def test_only_noted_messages_are_in_doubt(
    store: Store, tmp_path: Path, hold: bool, noted: int | None, doubtful: int
) -> None:
    edition = make_edition(store, 10)
    begin(store, edition, "elsewhere.1.x", 7, noted)
    options = DeliveryOptions(tmp_path, on_uncertain="hold" if hold else "resend")

    assert take_over(store, options=options, now=NOW) == 0
    end_lease(store, "elsewhere.1.x")
    assert take_over(store, options=options, now=NOW) == 7
    counts = store.deliveries.counts(edition.id)
    assert (counts[QUEUED], counts[UNCERTAIN]) == ((10 - doubtful, doubtful) if hold else (10, 0))
    assert store.workers.list() == []
    tries = Counter(row.attempts for row in store.ledger.rows(edition.id))
    assert tries == Counter({0: 10 - doubtful, 1: doubtful} if doubtful else {0: 10})
    transport = Scripted()
    assert run(store, transport, edition, tmp_path, hold=hold)[SENT] == transport.sent.total() == counts[QUEUED]


def test_a_dead_process_is_taken_over_before_its_lease_ends(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 10)
    with working(tmp_path / "workers") as alive:
        begin(store, edition, alive, 3, 0)
        dead = alive.rpartition(".")[0] + ".dead"
        begin(store, edition, dead, 4, 1)
        (tmp_path / "workers" / f"{dead}.lock").touch()
        assert take_over(store, options=DeliveryOptions(tmp_path, on_uncertain="hold"), now=NOW) == 4
        assert [worker.name for worker in store.workers.list()] == [alive]
    assert store.deliveries.counts(edition.id)[UNCERTAIN] == 1


def test_a_worker_whose_work_was_taken_over_hands_over_nothing(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 10)
    first, *_ = begin(store, edition, "slow.1.x", 3, 1)
    end_lease(store, "slow.1.x")
    take_over(store, options=DeliveryOptions(tmp_path, on_uncertain="hold"), now=NOW)

    beat = Heartbeat(NOW, LEASE, ())
    assert not store.workers.renew("slow.1.x", beat)
    with pytest.raises(LeaseLostError, match="have taken over this worker's messages, because it was silent for 120 s"):
        store.deliveries.claim(
            *(edition.id, "slow.1.x"), now=NOW, lease_until=NOW, limit=1, claimed={}, left={}, beat=beat
        )
    # The answer to what it had handed over still counts.
    settled = Settled(first, moves(DeliveryEvent.ACCEPTED), sent_at=NOW)
    with pytest.raises(LeaseLostError):
        store.deliveries.acknowledge("slow.1.x", [settled], beat)
    assert store.deliveries.counts(edition.id).by_status == {SENT: 1, QUEUED: 9}


def test_a_repeated_result_changes_nothing_that_has_happened_since(store: Store, tmp_path: Path) -> None:
    """The worker's connection broke during the commit. Before it tries again, another worker sends the message."""
    edition = make_edition(store, 1)
    (only,) = begin(store, edition, "cut.1.x", 1, 1)
    deferred = Settled(only, moves(DeliveryEvent.DEFERRED), next_try_at=NOW)
    beat = Heartbeat(NOW, LEASE, ())
    assert store.deliveries.acknowledge("cut.1.x", [deferred], beat) == 1
    assert begin(store, edition, "other.1.x", 1, 1) == [only]
    end_lease(store, "other.1.x")
    take_over(store, options=DeliveryOptions(tmp_path, on_uncertain="hold"), now=NOW)

    assert store.deliveries.acknowledge("cut.1.x", [deferred], beat, again=True) == 0
    assert store.deliveries.counts(edition.id).by_status == {UNCERTAIN: 1}


def test_only_deliveries_that_a_worker_is_unaware_of_are_returned(store: Store) -> None:
    edition = make_edition(store, 10)
    known = begin(store, edition, "cut.1.x", 3, 1)
    returned = moves(DeliveryEvent.RETURNED)
    assert store.deliveries.return_unknown("cut.1.x", edition.id, known, returned=returned, now=NOW) == 0
    assert store.deliveries.return_unknown("cut.1.x", edition.id, known[:1], returned=returned, now=NOW) == 2
    assert store.deliveries.return_unknown("other.1.x", edition.id, (), returned=returned, now=NOW) == 0
    assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENDING: 1, QUEUED: 9}


def test_a_renewed_lease_is_not_taken_over(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 5)
    begin(store, edition, "slow.1.x", 3, 1)
    end_lease(store, "slow.1.x")
    assert store.workers.expired(NOW) == ["slow.1.x"]
    assert store.workers.renew("slow.1.x", Heartbeat(NOW, LEASE, (), sent=3))
    assert store.workers.renew(
        "slow.1.x", Heartbeat(NOW, LEASE, (), sent=3)
    )  # it was not known whether it had been renewed
    assert store.workers.expired(NOW) == []
    assert take_over(store, options=DeliveryOptions(tmp_path), now=NOW) == 0
    assert [(worker.host, worker.sent) for worker in store.workers.list()] == [("a host", 3)]


def test_a_worker_that_ends_is_forgotten_unless_it_still_has_leases(store: Store) -> None:
    edition = make_edition(store, 5)
    begin(store, edition, "one.1.x", 2, 1)
    store.workers.begin("two.1.x", "b", Heartbeat(NOW, LEASE))
    for worker in ("one.1.x", "two.1.x"):
        store.workers.end(worker)
    assert [worker.name for worker in store.workers.list()] == ["one.1.x"]


class Reading(Mailboxes):
    """Checks the ledger when the body of a message has arrived: is this message noted, and how many are noted?"""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.noted: list[tuple[str, bool, int]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - see there
        (address,) = envelope.rcpt_tos
        query = (
            sa.select(deliveries.c.id, workers.c.in_doubt)
            .join_from(deliveries, workers, workers.c.worker == deliveries.c.lease_owner)
            .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
            .where(subscribers.c.address == address)
        )
        with self._store.database.read() as connection:
            row = connection.execute(query).one()
        in_doubt = (row.in_doubt or "").split()
        self.noted.append((address, str(row.id) in in_doubt, len(in_doubt)))
        return await super().handle_DATA(server, session, envelope)


def test_every_message_is_noted_before_its_body_is_sent(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 60)
    with mail_server(mailboxes=Reading(store)) as (mailboxes, server):
        assert isinstance(mailboxes, Reading)
        relay = Relay(host=server.host, port=server.port, tls="none", timeout=60, connections=3)
        assert send(store, [relay], edition, tmp_path, hold=True).by_status == {SENT: 60}
    assert Counter(address for address, *_ in mailboxes.noted) == everybody(60)
    assert all(noted for _, noted, _ in mailboxes.noted)
    assert max(count for *_, count in mailboxes.noted) <= 3  # one for each connection
    assert store.workers.list() == []


def test_a_worker_whose_work_is_taken_over_during_a_run_ends(store: Store, tmp_path: Path) -> None:
    """Others take the worker for dead while it sends. Only they send what that worker has not handed over."""
    edition = make_edition(store, 60)
    options = DeliveryOptions(tmp_path / "other", on_uncertain="hold")
    mailboxes = Patient()
    with mail_server(mailboxes=mailboxes) as (_, server), ThreadPoolExecutor(1) as pool:
        relay = Relay(host=server.host, port=server.port, tls="none", timeout=60, connections=2)
        slow = pool.submit(send, store, [relay], edition, tmp_path, hold=True)
        mailboxes.let(10)
        wait_until(lambda: len(mailboxes.messages) == 10)
        wait_until(lambda: sum(worker.sent for worker in store.workers.list()) == 10)
        (worker,) = store.workers.list()
        freed = 0
        while not freed:  # it renews its lease now and then
            end_lease(store, worker.name)
            freed = take_over(store, options=options, now=NOW)
        doubtful = store.deliveries.counts(edition.id)[UNCERTAIN]
        assert doubtful <= 2
        mailboxes.let(60)
        with pytest.raises(LeaseLostError):
            slow.result()
        assert len(mailboxes.messages) == 10 + doubtful
        send(store, [relay], edition, tmp_path, hold=True)
    assert Counter({address: len(taken) for address, taken in mailboxes.messages.items()}) == everybody(60)
    assert store.deliveries.counts(edition.id).by_status == {SENT: 60}


class OneMessage:
    """The owner of a connection, with one message, noted twice because the first note expires before it is sent."""

    def __init__(self) -> None:
        self.message: Message | None = Message("ada@example.org", "bob@example.org", [b"Hello\r\n"])
        self.notes = 0
        self.fate: asyncio.Future[MessageFate] = asyncio.get_running_loop().create_future()

    def note(self, message: Message, noted: Noted) -> None:
        self.notes += 1
        now = asyncio.get_running_loop().time()
        asyncio.get_running_loop().call_soon(noted, now - 1 if self.notes == 1 else now + 60)

    def next_message(self, connection: object) -> Message | None:
        message, self.message = self.message, None
        return message

    def answered(self, connection: object, answer: MessageFate) -> None:
        self.fate.set_result(answer)

    def ended(self, connection: object, ending: Ending) -> None:
        """Do nothing, because nothing waits for the end of the connection."""


def test_a_message_with_an_old_note_is_noted_again_before_it_is_sent() -> None:
    async def one_message() -> OneMessage:
        owner = OneMessage()
        connection = await open_connection(server, owner, note=owner.note)
        connection.pump()
        assert isinstance((await asyncio.wait_for(owner.fate, 60)).fate, Accepted)
        await connection.stop_and_wait()
        return owner

    with mail_server() as (mailboxes, server):
        assert asyncio.run(one_message()).notes == 2
    assert {address: len(taken) for address, taken in mailboxes.messages.items()} == {"bob@example.org": 1}


def test_a_worker_that_stopped_during_a_transaction_does_not_block_others(postgres_url: str, tmp_path: Path) -> None:
    with open_store(postgres_url, tmp_path) as store:
        edition = make_edition(store, 5)
        begin(store, edition, "frozen.1.x", 3, 0)
        end_lease(store, "frozen.1.x")
        with store.database.write() as connection:
            assert store.workers.renew_within(connection, "frozen.1.x", Heartbeat(NOW, LEASE, ()))
            assert take_over(store, options=DeliveryOptions(tmp_path), now=NOW) == 0
            connection.rollback()  # as the database does after a minute
        assert take_over(store, options=DeliveryOptions(tmp_path), now=NOW) == 3


def test_a_run_takes_over_what_others_leave_behind_while_it_sends(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "SHORTEST_LOOK", 0.0)
    edition, other = make_edition(store, 3), make_small(store, "other", "ada@example.net")
    options, mailboxes, looks = DeliveryOptions(tmp_path, lease=timedelta(seconds=1)), Patient(), count()
    order = EditionOrder(edition, HEADERS, LINKS)

    def more() -> list[EditionOrder]:
        look = next(looks)
        if look == 1:
            assert len(begin(store, other, "elsewhere.1.x", 1, 1)) == 1
            end_lease(store, "elsewhere.1.x")
        elif look > 1 and "elsewhere.1.x" not in [worker.name for worker in store.workers.list()]:
            mailboxes.let(3)
        return [order] if look == 0 else []

    monkeypatch.setattr(sending_loop, "JOIN_SECONDS", 0.1)
    with mail_server(mailboxes=mailboxes) as (_, server):
        relay = Relay(host=server.host, port=server.port, tls="none", timeout=60, connections=2)
        with SmtpTransport([relay]) as transport:
            queue.deliver_editions(store, transport, more, options=options, clock=lambda: NOW)
    assert store.deliveries.counts(edition.id).by_status == {SENT: 3}
    assert store.deliveries.counts(other.id).by_status == {QUEUED: 1}
