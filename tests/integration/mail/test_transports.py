"""One contract for both transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from publisher.mail.outbox import Outbox
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Accepted, Transport
from tests.support.smtp_server import mail_server

SENDER = "ada@example.org"
MESSAGE = b"From: ada@example.org\r\nTo: reader@example.org\r\nSubject: Hello\r\n\r\nHello\r\n.\r\n..dots\r\n"


@dataclass(frozen=True)
class Way:
    """A transport, and a way to see what it has sent."""

    transport: Transport
    sent: Callable[[], list[bytes]]


@pytest.fixture(params=["outbox", "smtp"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with ExitStack() as stack:
        if request.param == "outbox":
            outbox = stack.enter_context(Outbox(tmp_path / "outbox"))
            yield Way(outbox, lambda: [path.read_bytes() for path in files(tmp_path / "outbox")])
        else:
            mailboxes, settings = stack.enter_context(mail_server())
            smtp = stack.enter_context(SmtpTransport(settings))
            yield Way(smtp, lambda: [message for box in mailboxes.messages.values() for message in box])


def files(outbox: Path) -> list[Path]:
    return sorted(path for part in ("tmp", "new", "cur") for path in (outbox / part).iterdir())


def test_a_message_goes_out_byte_for_byte(way: Way) -> None:
    assert way.transport.send(SENDER, "reader@example.org", MESSAGE, "weekly/1") == Accepted()
    assert way.sent() == [MESSAGE]


@pytest.mark.parametrize("body", [b".", b"..", b".\r\n", b"x\r\n.", b"\r\n.\r\nQUIT\r\n", b"x" * 900 + b"\r\n", b""])
def test_no_body_ends_the_transaction_early(way: Way, body: bytes) -> None:
    message = b"Subject: x\r\n\r\n" + body

    assert way.transport.send(SENDER, "reader@example.org", message, "weekly/1") == Accepted()
    assert way.transport.send(SENDER, "second@example.org", MESSAGE, "weekly/2") == Accepted()
    assert sorted(sent.rstrip(b"\r\n") for sent in way.sent()) == sorted(
        sent.rstrip(b"\r\n") for sent in (message, MESSAGE)
    )


@pytest.mark.parametrize("address", ["jörg@example.org", "ada@müller.example", "o'neil+news@example.org"])
def test_every_kind_of_address_is_accepted(way: Way, address: str) -> None:
    assert way.transport.send(SENDER, address, MESSAGE, "weekly/1") == Accepted()
    assert len(way.sent()) == 1


def test_many_messages_are_sent_in_a_row(way: Way) -> None:
    for i in range(25):
        assert way.transport.send(SENDER, f"reader{i}@example.org", MESSAGE, f"weekly/{i}") == Accepted()
    assert way.sent() == [MESSAGE] * 25


def test_closing_twice_does_no_harm(way: Way) -> None:
    way.transport.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    way.transport.close()
    way.transport.close()
