"""One contract for both ways out, and what is each one's own."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smtp_server import Mailboxes, mail_server

from publisher.config.keys import Smtp
from publisher.delivery.outbox import Outbox, file_name
from publisher.delivery.smtp import SmtpTransport
from publisher.delivery.transport import Accepted, Deferred, Rejected, Transport, Unanswered
from publisher.errors import TransportError

SENDER = "ada@example.org"
MESSAGE = b"From: ada@example.org\r\nTo: reader@example.org\r\nSubject: Hello\r\n\r\nHello\r\n.\r\n..dots\r\n"


@dataclass(frozen=True)
class Way:
    """A transport and how to see what has gone out by it."""

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
def test_addresses_of_every_kind_are_taken(way: Way, address: str) -> None:
    assert way.transport.send(SENDER, address, MESSAGE, "weekly/1") == Accepted()
    assert len(way.sent()) == 1


def test_many_messages_go_out_in_a_row(way: Way) -> None:
    for i in range(25):
        assert way.transport.send(SENDER, f"reader{i}@example.org", MESSAGE, f"weekly/{i}") == Accepted()
    assert way.sent() == [MESSAGE] * 25


def test_closing_twice_does_no_harm(way: Way) -> None:
    way.transport.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    way.transport.close()
    way.transport.close()


# The outbox


def test_the_same_delivery_keeps_one_file(tmp_path: Path) -> None:
    for _ in range(3):
        with Outbox(tmp_path) as outbox:
            outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly-2026-W47/uid")
    (path,) = files(tmp_path)
    assert path.parent.name == "new"
    assert path.name.startswith("weekly-2026-W47-reader@example.org-")


def test_a_file_that_a_mail_reader_moved_is_not_made_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    (path,) = files(tmp_path)
    path.rename(tmp_path / "cur" / f"{path.name}:2,S")

    outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")
    assert [found.name for found in files(tmp_path)] == [f"{path.name}:2,S"]


def test_what_a_killed_process_left_is_swept_and_what_a_live_one_writes_is_not(tmp_path: Path) -> None:
    import fcntl

    Outbox(tmp_path)
    (tmp_path / "tmp" / "dead.eml.0a1b2c3d").write_bytes(b"half a mess")
    alive = tmp_path / "tmp" / "alive.eml.0a1b2c3d"
    with alive.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(b"half a mess")
        file.flush()
        Outbox(tmp_path)
        assert files(tmp_path) == [alive]


def test_opening_the_outbox_all_the_time_disturbs_nobody_who_writes(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        sweeping = pool.submit(lambda: [Outbox(tmp_path) for _ in range(300)])
        written = 0
        while not sweeping.done():
            assert outbox.send(SENDER, f"reader{written}@example.org", MESSAGE, f"weekly/{written}") == Accepted()
            written += 1
    assert len(files(tmp_path)) == written


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransportError, match=r"file/outbox: the outbox cannot be written"):
        Outbox(tmp_path / "file" / "outbox")


def test_a_folder_that_vanished_is_an_error_and_not_a_sent_message(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    shutil.rmtree(tmp_path / "outbox")
    with pytest.raises(TransportError, match="the outbox cannot be written"):
        outbox.send(SENDER, "reader@example.org", MESSAGE, "weekly/1")


ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@given(ANY_TEXT, ANY_TEXT)
def test_a_file_name_is_safe_short_and_each_keys_own(address: str, key: str) -> None:
    name = file_name(address, key)

    assert name == file_name(address, key)
    assert name != file_name(address, f"{key}x")
    assert len(os.fsencode(name)) <= 200
    assert not set(name) & set('/\\:*?"<>|\0\r\n ')
    assert not name.startswith(".")
    assert name.endswith(".eml")


# SMTP


@pytest.fixture
def server() -> Iterator[tuple[Mailboxes, Smtp]]:
    with mail_server() as running:
        yield running


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("450-mailbox busy@example.org", Deferred("450 mailbox busy")),
        ("550-no such user@example.org", Rejected("550 no such user")),
        ("data-451@example.org", Deferred("451 5.6.0 no thank you")),
        ("data-554@example.org", Rejected("554 5.6.0 no thank you")),
        ("no address", Rejected("'no address' is no mail address")),
    ],
)
def test_a_refusal_is_one_recipients_and_a_value(
    server: tuple[Mailboxes, Smtp], address: str, outcome: Deferred | Rejected
) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        assert smtp.send(SENDER, address.replace(" ", "_"), MESSAGE, "k") == said(outcome)
        assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
    assert list(mailboxes.messages) == ["reader@example.org"]


def said(outcome: Deferred | Rejected) -> Deferred | Rejected:
    """The outcome with the underscores that stand for spaces in a local part."""
    words = outcome.reason
    if words.startswith(("450", "550")):
        return replace(outcome, reason=words[:4] + words[4:].replace(" ", "_"))
    return replace(outcome, reason=words.replace("no address", "no_address"))


def test_a_connection_that_breaks_after_the_message_leaves_doubt(server: tuple[Mailboxes, Smtp]) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        outcome = smtp.send(SENDER, "drop@example.org", MESSAGE, "k")
        assert isinstance(outcome, Unanswered)
        assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
    assert set(mailboxes.messages) == {"drop@example.org", "reader@example.org"}


def test_a_connection_that_breaks_before_the_message_leaves_none(server: tuple[Mailboxes, Smtp]) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        with pytest.raises(TransportError, match="the mail server hung up"):
            smtp.send(SENDER, "hangup@example.org", MESSAGE, "k")
        assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
    assert set(mailboxes.messages) == {"reader@example.org"}


def test_a_server_that_closes_between_messages_is_called_again(server: tuple[Mailboxes, Smtp]) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        for address in ("421-too many@example.org", "reader@example.org"):
            if address.startswith("421"):
                with pytest.raises(TransportError, match="421 too_many"):
                    smtp.send(SENDER, address.replace(" ", "_"), MESSAGE, "k")
            else:
                assert smtp.send(SENDER, address, MESSAGE, "k") == Accepted()
    assert mailboxes.sessions == 3


def test_one_connection_serves_many_messages(server: tuple[Mailboxes, Smtp]) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        for i in range(5):
            smtp.send(SENDER, f"reader{i}@example.org", MESSAGE, "k")
    assert mailboxes.sessions == 1
    assert mailboxes.senders == [SENDER] * 5


def test_a_refused_sender_stops_everything_and_fails_nobody(server: tuple[Mailboxes, Smtp]) -> None:
    _, settings = server
    with (
        SmtpTransport(settings) as smtp,
        pytest.raises(TransportError, match=r"refuses the sender refused@example\.org: 550"),
    ):
        smtp.send("refused@example.org", "reader@example.org", MESSAGE, "k")


def test_a_server_without_smtputf8_rejects_only_those_who_need_it() -> None:
    with mail_server(smtputf8=False) as (mailboxes, settings), SmtpTransport(settings) as smtp:
        outcome = smtp.send(SENDER, "jörg@example.org", MESSAGE, "k")
        assert isinstance(outcome, Rejected)
        assert "SMTPUTF8" in outcome.reason
        assert smtp.send(SENDER, "ada@müller.example", MESSAGE, "k") == Accepted()
        assert list(mailboxes.messages) == ["ada@xn--mller-kva.example"]


def test_a_server_that_is_away_is_one_line_with_host_and_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = SmtpTransport(Smtp(host="127.0.0.1", port=port, tls="none"))
    with pytest.raises(TransportError) as caught:
        transport.send(SENDER, "reader@example.org", MESSAGE, "k")
    assert str(caught.value) == (
        f"127.0.0.1:{port}: the mail server cannot be reached: Connection refused (see mail.smtp.host and port)"
    )


def test_a_login_is_made_and_a_wrong_one_is_said() -> None:
    with mail_server(password="right") as (mailboxes, settings):
        with SmtpTransport(replace(settings, username="ada", password="right")) as smtp:
            assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
        with (
            SmtpTransport(replace(settings, username="ada", password="wrong")) as smtp,
            pytest.raises(TransportError, match="refuses the login of ada") as caught,
        ):
            smtp.send(SENDER, "other@example.org", MESSAGE, "k")
        with (
            SmtpTransport(settings) as smtp,
            pytest.raises(TransportError, match="wants a login"),
        ):
            smtp.send(SENDER, "other@example.org", MESSAGE, "k")
    assert "wrong" not in str(caught.value)
    assert list(mailboxes.messages) == ["reader@example.org"]


def test_a_server_without_starttls_gets_no_mail_when_encryption_is_asked_for(
    server: tuple[Mailboxes, Smtp],
) -> None:
    mailboxes, settings = server
    with (
        SmtpTransport(replace(settings, tls="starttls")) as smtp,
        pytest.raises(TransportError, match="offers no STARTTLS"),
    ):
        smtp.send(SENDER, "reader@example.org", MESSAGE, "k")
    assert mailboxes.messages == {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody but these tests trusts, in one file."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *words.split(), "-keyout", key, "-out", path], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


def test_mail_goes_encrypted_to_a_server_that_is_trusted_and_not_to_another(certificate: Path) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    with mail_server(tls=serving) as (mailboxes, settings):
        trusting = ssl.create_default_context(cafile=str(certificate))
        with SmtpTransport(settings, context=trusting) as smtp:
            assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
        with (
            SmtpTransport(settings) as smtp,
            pytest.raises(TransportError, match=r"no secure connection: .*certificate"),
        ):
            smtp.send(SENDER, "other@example.org", MESSAGE, "k")
    assert list(mailboxes.messages) == ["reader@example.org"]
