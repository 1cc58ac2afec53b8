"""The mail worker: jobs are done in order and retried, and never delay other jobs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from publisher.core.errors import TransportError
from publisher.mail.outbox import Outbox
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Transport
from publisher.web.mail_worker import MailWorker, RetryLaterError, Work
from publisher.web.send_notices import raise_unless_accepted
from tests.support.smtp_server import mail_server


class Reports:
    """Collects the reports of a worker, and contains the jobs that tests give to the worker."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, str]] = []
        self.tries = 0

    def report(self, outcome: str, what: str) -> None:
        self.reports.append((outcome, what))

    def never(self, transport: Transport) -> None:
        """A job that the mail server always defers."""
        self.tries += 1
        raise RetryLaterError("not now, ada@example.org")

    def second_time(self, transport: Transport) -> None:
        """A job that succeeds at the second try."""
        self.tries += 1
        if self.tries == 1:
            raise TransportError("the mail server cannot be reached", where="localhost:25")

    def broken(self, transport: Transport) -> None:
        """A job with a bug."""
        raise KeyError("ada@example.org")


def room(collected: Reports, folder: Path, *, most: int = 100) -> MailWorker:
    return MailWorker(lambda: Outbox(folder), collected.report, delays=(0.01, 0.01), most=most)


def finish(worker: MailWorker) -> None:
    """Wait until the queue is empty, then close it."""
    while worker.waiting():
        threading.Event().wait(0.01)
    worker.close()


def test_failed_jobs_are_retried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collected = Reports()
    worker = room(collected, tmp_path)
    worker.put("notice", collected.second_time)
    worker.start()
    finish(worker)
    assert (collected.reports, collected.tries) == ([("done", "notice")], 2)
    assert capsys.readouterr().err.endswith("warning: notice deferred: TransportError localhost:25\n")


def test_the_worker_survives_a_transport_that_cannot_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collected, opened = Reports(), list[Path]()

    def open_outbox() -> Outbox:
        """Open an outbox whose disk is full at the first try."""
        opened.append(tmp_path)
        if len(opened) == 1:
            raise TransportError("the outbox cannot be written: no space left", where="outbox")
        return Outbox(tmp_path / "outbox")

    worker = MailWorker(open_outbox, collected.report, delays=(0.01, 0.01))
    worker.put("notice", lambda transport: None)
    worker.start()
    finish(worker)
    assert collected.reports == [("done", "notice")]
    assert capsys.readouterr().err.endswith("warning: notice deferred: TransportError outbox\n")


def test_jobs_are_given_up_without_logging_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collected = Reports()
    worker = room(collected, tmp_path)
    worker.put("notice", collected.never)
    worker.put("request", collected.broken)
    worker.start()
    finish(worker)
    assert collected.reports == [("failed", "request"), ("failed", "notice")]
    assert collected.tries == 3
    assert "ada" not in capsys.readouterr().err


def test_permanent_rejections_are_not_retried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collected = Reports()
    with mail_server(smtputf8=False) as (_, settings):
        worker = MailWorker(lambda: SmtpTransport(settings), collected.report, delays=(0.01, 0.01))
        for number, address in enumerate(("jürgen@example.org", "550-gone@example.org", "data-554@example.org")):
            worker.put(f"notice {number}", sending_to(address))
        worker.put("notice 3", sending_to("ada@example.org"))
        worker.start()
        finish(worker)
    assert collected.reports == [*(("failed", f"notice {n}") for n in range(3)), ("done", "notice 3")]
    lines = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == [f"notice {n} failed: RejectedForGoodError" for n in range(3)]


def sending_to(address: str) -> Work:
    """Return the job of sending a message to an address."""
    message = b"Subject: A notice\r\n\r\nHello\r\n"
    return lambda transport: raise_unless_accepted(transport.send("ada@letters.example", address, message, "notice/1"))


def test_jobs_keep_their_order_and_limit(tmp_path: Path) -> None:
    collected = Reports()
    worker = room(collected, tmp_path, most=3)
    taken = [worker.put(str(number), lambda transport: None) for number in range(5)]
    worker.start()
    finish(worker)
    assert taken == [True, True, True, False, False]
    assert collected.reports == [("done", "0"), ("done", "1"), ("done", "2")]


def test_closing_finishes_due_jobs(tmp_path: Path) -> None:
    collected = Reports()
    worker = room(collected, tmp_path)
    for number in range(20):
        worker.put(str(number), lambda transport: None)
    worker.start()
    worker.close()
    assert len(collected.reports) == 20
    assert not worker.put("late", lambda transport: None)
