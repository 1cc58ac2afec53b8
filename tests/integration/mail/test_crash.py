"""Workers are killed at any moment, several at a time: everyone gets one message."""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.forking import LOADED, PROCESSES
from publisher.core.newsletter_models import DeliveryStatus
from publisher.mail.queue import BATCH
from publisher.store import open_store
from tests.support.deliver_everything import forked
from tests.support.delivery_samples import make_edition
from tests.support.smtp_samples import wait_until
from tests.support.smtp_server import Patient, mail_server

PROCESSES.set_forkserver_preload([*LOADED, "tests.support.deliver_everything"])


@dataclass(frozen=True)
class Worker:
    """A worker in its own process, with the connection to it."""

    process: BaseProcess
    line: Connection


def start(url: str, state: Path, way: str, on_uncertain: str = "resend", most: int = 0) -> Worker:
    """Start a worker in its own process, and let it begin. most: see `ready`."""
    worker = ready(url, state, way, on_uncertain, most)
    begin(worker)
    return worker


def ready(url: str, state: Path, way: str, on_uncertain: str = "resend", most: int = 0) -> Worker:
    """Start a worker, and wait until it has opened the store. most: the number of messages after which it stops."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=forked, args=(url, str(state), way, on_uncertain, most, theirs))
    process.start()
    theirs.close()
    assert ours.recv() == "ready"
    return Worker(process, ours)


def begin(worker: Worker) -> None:
    worker.line.send("go")


def finish(worker: Worker) -> None:
    """Wait for a worker that is not killed, and check that it succeeds."""
    worker.process.join()
    assert worker.process.exitcode == 0


def kill_when(worker: Worker, reached: Callable[[], bool]) -> None:
    """Kill the worker as soon as `reached` returns true. Something must keep it from finishing before that."""
    while worker.process.is_alive() and not reached():
        time.sleep(0.001)
    worker.process.kill()
    worker.process.join()
    assert worker.process.exitcode == -signal.SIGKILL


def readers_of(outbox: Path) -> list[str]:
    """Return the recipient of each email in the outbox."""
    files = [path for part in ("new", "cur") for path in (outbox / part).glob("*")]
    return sorted(
        re.findall(rb"^To: .*?([\w.]+@[\w.]+)", path.read_bytes(), re.MULTILINE)[0].decode() for path in files
    )


def test_killed_workers_leave_one_file_per_subscriber(store_url: str, tmp_path: Path) -> None:
    outbox, moments = tmp_path / "outbox", random.Random(47)
    with open_store(store_url, tmp_path) as store:
        edition = make_edition(store, 300)

    def files() -> int:
        return len(list((outbox / "new").glob("*")))

    for target in sorted(moments.sample(range(240), 6)):
        # It may file again all messages whose answers are not in the ledger, but it never files the last ones.
        most = min(max(1, target - files()) + BATCH + 5, 299 - files())
        worker = start(store_url, tmp_path, f"outbox:{outbox}", most=most)
        kill_when(worker, lambda: files() > target)  # noqa: B023 - called before the next round
    finish(start(store_url, tmp_path, f"outbox:{outbox}"))

    assert readers_of(outbox) == sorted(f"reader{i}@example.org" for i in range(300))
    assert list((outbox / "tmp").iterdir()) == []
    with open_store(store_url, tmp_path) as store:
        assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: 300}
    assert list((tmp_path / "workers").iterdir()) == []


def test_parallel_workers_send_each_message_once(store_url: str, tmp_path: Path) -> None:
    patient = Patient()
    with open_store(store_url, tmp_path) as store, mail_server(mailboxes=patient) as (mailboxes, settings):
        edition = make_edition(store, 300)
        workers = [ready(store_url, tmp_path, f"smtp:{settings.port}", "hold") for _ in range(3)]
        for worker in workers:
            begin(worker)
        wait_until(lambda: patient.handed_over == len(workers))
        patient.let(300)
        for worker in workers:
            finish(worker)

        assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: 300}
        assert mailboxes.sessions >= len(workers)
        assert len(mailboxes.messages) == 300
        assert {len(messages) for messages in mailboxes.messages.values()} == {1}


def test_a_killed_sender_copies_only_messages_in_flight(store_url: str, tmp_path: Path) -> None:
    moments, patient = sorted(random.Random(6).sample(range(5, 140), 4)), Patient()
    with open_store(store_url, tmp_path) as store, mail_server(mailboxes=patient) as (mailboxes, settings):
        edition = make_edition(
            store, 150, made_at=datetime.now(UTC)
        )  # messages of old editions are dated when they are sent
        for before, target in pairwise((-10, *moments)):
            patient.let(target - before)  # ten more than it must accept before the kill
            worker = start(store_url, tmp_path, f"smtp:{settings.port}")
            kill_when(worker, lambda: len(mailboxes.messages) > target)  # noqa: B023 - called before the next round
        patient.let(300)
        finish(start(store_url, tmp_path, f"smtp:{settings.port}"))

        assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: 150}
        assert len(mailboxes.messages) == 150
        copies = [messages for messages in mailboxes.messages.values() if len(messages) > 1]
        assert len(copies) <= len(moments)
        assert all(len(set(messages)) == 1 for messages in copies)  # byte for byte, including the Message-ID


def test_a_killed_sender_can_hold_doubtful_messages(store_url: str, tmp_path: Path) -> None:
    moments, patient = sorted(random.Random(2).sample(range(5, 90), 3)), Patient()
    with open_store(store_url, tmp_path) as store, mail_server(mailboxes=patient) as (mailboxes, settings):
        edition = make_edition(store, 300)
        for before, target in pairwise((-10, *moments)):
            patient.let(target - before)
            worker = start(store_url, tmp_path, f"smtp:{settings.port}", "hold")
            kill_when(worker, lambda: len(mailboxes.messages) > target)  # noqa: B023 - called before the next round
        patient.let(300)
        finish(start(store_url, tmp_path, f"smtp:{settings.port}", "hold"))

        counts = store.deliveries.counts(edition.id)
        assert {len(messages) for messages in mailboxes.messages.values()} == {1}
        assert counts.total == counts[DeliveryStatus.SENT] + counts[DeliveryStatus.UNCERTAIN] == 300
        assert counts[DeliveryStatus.SENT] <= len(mailboxes.messages)
        assert counts[DeliveryStatus.UNCERTAIN] <= len(moments)
