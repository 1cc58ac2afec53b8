"""Work that an answer does not wait for: done in turn, tried again, never in the way of other work."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from publisher.core.errors import TransportError
from publisher.mail.outbox import Outbox
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Transport
from publisher.web.mail_worker import MailWorker, RetryLaterError, Work
from publisher.web.send_notices import send_message
from tests.support.smtp_server import mail_server


class Told:
    """What a worker reports, and the work that tests give it."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, str]] = []
        self.tries = 0

    def report(self, outcome: str, what: str) -> None:
        self.reports.append((outcome, what))

    def never(self, transport: Transport) -> None:
        """Work that the mail server puts off for ever."""
        self.tries += 1
        raise RetryLaterError("not now, ada@example.org")

    def second_time(self, transport: Transport) -> None:
        """Work that succeeds when it is tried again."""
        self.tries += 1
        if self.tries == 1:
            raise TransportError("the mail server cannot be reached", where="localhost:25")

    def broken(self, transport: Transport) -> None:
        """Work with a defect."""
        raise KeyError("ada@example.org")


def room(told: Told, folder: Path, *, most: int = 100) -> MailWorker:
    return MailWorker(lambda: Outbox(folder), told.report, delays=(0.01, 0.01), most=most)


def finish(worker: MailWorker) -> None:
    """Wait until nothing waits, then end."""
    while worker.waiting():
        threading.Event().wait(0.01)
    worker.close()


def test_what_could_not_be_done_is_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = Told()
    worker = room(told, tmp_path)
    worker.put("notice", told.second_time)
    worker.start()
    finish(worker)
    assert (told.reports, told.tries) == ([("done", "notice")], 2)
    assert capsys.readouterr().err.endswith("warning: notice deferred: TransportError localhost:25\n")


def test_it_is_given_up_in_the_end_and_the_log_names_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = Told()
    worker = room(told, tmp_path)
    worker.put("notice", told.never)
    worker.put("request", told.broken)
    worker.start()
    finish(worker)
    assert told.reports == [("failed", "request"), ("failed", "notice")]
    assert told.tries == 3
    assert "ada" not in capsys.readouterr().err


def test_what_the_mail_server_refuses_for_ever_is_said_and_not_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told()
    with mail_server(smtputf8=False) as (_, settings):
        worker = MailWorker(lambda: SmtpTransport(settings), told.report, delays=(0.01, 0.01))
        for number, address in enumerate(("jürgen@example.org", "550-gone@example.org", "data-554@example.org")):
            worker.put(f"notice {number}", handing_over(address))
        worker.put("notice 3", handing_over("ada@example.org"))
        worker.start()
        finish(worker)
    assert told.reports == [*(("failed", f"notice {n}") for n in range(3)), ("done", "notice 3")]
    lines = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == [f"notice {n} failed: RejectedForGoodError" for n in range(3)]


def handing_over(address: str) -> Work:
    """The work of handing over a notice to an address."""
    message = b"Subject: A notice\r\n\r\nHello\r\n"
    return lambda transport: send_message(transport, "ada@letters.example", address, message, "notice/1")


def test_work_is_done_in_the_order_it_came_and_more_than_enough_is_refused(tmp_path: Path) -> None:
    told = Told()
    worker = room(told, tmp_path, most=3)
    taken = [worker.put(str(number), lambda transport: None) for number in range(5)]
    worker.start()
    finish(worker)
    assert taken == [True, True, True, False, False]
    assert told.reports == [("done", "0"), ("done", "1"), ("done", "2")]


def test_closing_finishes_what_is_due_and_takes_no_more(tmp_path: Path) -> None:
    told = Told()
    worker = room(told, tmp_path)
    for number in range(20):
        worker.put(str(number), lambda transport: None)
    worker.start()
    worker.close()
    assert len(told.reports) == 20
    assert not worker.put("late", lambda transport: None)
