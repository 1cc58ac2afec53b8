"""Sending while the disk of the database is full: with on_uncertain = "hold" no message is sent twice."""

from __future__ import annotations

import email
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import pytest

from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus
from publisher.mail.outbox import Outbox
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Accepted, Transport, Unanswered
from publisher.store import open_store
from tests.support.delivery_samples import make_edition, run
from tests.support.full_disk import almost_full, files_of_at_most, only_root, small_disk
from tests.support.smtp_samples import everybody
from tests.support.smtp_server import mail_server

SENT, QUEUED, UNCERTAIN = DeliveryStatus.SENT, DeliveryStatus.QUEUED, DeliveryStatus.UNCERTAIN
READERS = 80


class Archive:
    """An email client that moves messages out of new/, so that the outbox no longer finds them."""

    def __init__(self, outbox: Path) -> None:
        self._outbox = outbox
        self.got: Counter[str] = Counter()

    def take(self) -> None:
        for path in (self._outbox / "new").glob("*.eml"):
            self.got[email.message_from_bytes(path.read_bytes())["To"].rpartition("<")[2].strip("<>")] += 1
            path.unlink()


def send(folder: Path, open_transport: Callable[[], Transport], disk: AbstractContextManager[None]) -> DeliveryCounts:
    """Send what is due in one run, during which `disk` may limit the free space; return the counts."""
    url = f"sqlite:///{folder}/publisher.db"
    with disk, suppress(PublisherError), open_store(url, folder) as store, open_transport() as transport:
        run(store, transport, store.editions.list()[0], folder / "state", hold=True)
    with open_store(url, folder) as store:
        return store.deliveries.counts(store.editions.list()[0].id)


def prepared(folder: Path) -> None:
    with open_store(f"sqlite:///{folder}/publisher.db", folder) as store:
        make_edition(store, READERS)


def full_three_times(folder: Path, open_transport: Callable[[], Transport], take: Callable[[], None]) -> DeliveryCounts:
    """Send in three runs that fill the disk, and in one with enough space; call `take` after each run."""
    prepared(folder)
    for frames in (24, 40, 12):
        assert send(folder, open_transport, files_of_at_most(4_120 * frames))[SENT] < READERS
        take()
    counts = send(folder, open_transport, nullcontext())
    take()
    assert counts[SENT] + counts[UNCERTAIN] == READERS
    assert counts[SENT] > 0
    return counts


def test_the_outbox_sends_no_message_twice(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    archive = Archive(outbox)
    counts = full_three_times(tmp_path, lambda: Outbox(outbox), archive.take)
    assert archive.got == everybody(READERS)
    assert 0 < counts[UNCERTAIN] <= 3


def test_a_mail_server_gets_no_message_twice(tmp_path: Path) -> None:
    with mail_server() as (mailboxes, settings):
        counts = full_three_times(tmp_path, lambda: SmtpTransport(settings), lambda: None)
    got = Counter({address: len(messages) for address, messages in mailboxes.messages.items()})
    assert set(got.values()) == {1}
    # A message may have been noted as in doubt, and not sent, because the answer to another one could not be written.
    assert len(everybody(READERS) - got) <= counts[UNCERTAIN]
    assert counts[UNCERTAIN] <= 3 * settings.connections


@only_root
def test_one_full_disk_for_everything_sends_no_message_twice(tmp_path: Path) -> None:
    with small_disk(disk := tmp_path / "disk"):
        prepared(disk)
        archive = Archive(disk / "outbox")
        for room in (200_000, 80_000, 0):
            send(disk, lambda: Outbox(disk / "outbox"), almost_full(disk, room))
            archive.take()
        counts = send(disk, lambda: Outbox(disk / "outbox"), nullcontext())
        archive.take()
    assert counts[SENT] + counts[UNCERTAIN] == READERS
    assert max(archive.got.values()) == 1
    assert set(archive.got) <= set(everybody(READERS))
    assert counts[SENT] <= archive.got.total()


def test_a_message_whose_name_may_be_lost_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    outbox, fsync = Outbox(tmp_path), os.fsync

    def sync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - as quick as the rest
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    answer = outbox.send("ada@example.org", "bob@example.org", b"Subject: hello\r\n\r\n", "weekly/1")
    assert answer == Unanswered("it may not have been saved in the outbox: No space left on device")
    monkeypatch.undo()
    assert outbox.send("ada@example.org", "bob@example.org", b"Subject: hello\r\n\r\n", "weekly/1") == Accepted()
