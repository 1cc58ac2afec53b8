"""Single messages through a real mail server on loopback, and every kind of failure."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from publisher.config import Smtp
from publisher.core.errors import TransportError
from publisher.mail.doctor.mail_servers import check_tls
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Accepted, Deferred, RefusedAt, Rejected, Unanswered
from tests.support.needs import need
from tests.support.smtp_server import Mailboxes, mail_server

SENDER = "ada@example.org"
MESSAGE = b"From: ada@example.org\r\nTo: reader@example.org\r\nSubject: Hello\r\n\r\nHello\r\n.\r\n..dots\r\n"


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
        ("no address", Rejected("'no address' is not a valid email address", RefusedAt.HERE)),
    ],
)
def test_a_refusal_is_a_value(server: tuple[Mailboxes, Smtp], address: str, outcome: Deferred | Rejected) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        assert smtp.send(SENDER, address.replace(" ", "_"), MESSAGE, "k") == said(outcome)
        assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
    assert list(mailboxes.messages) == ["reader@example.org"]


def said(outcome: Deferred | Rejected) -> Deferred | Rejected:
    """Return the outcome with underscores instead of spaces, like the address that was used."""
    words = outcome.reason
    if words.startswith(("450", "550")):
        return replace(outcome, reason=words[:4] + words[4:].replace(" ", "_"))
    return replace(outcome, reason=words.replace("no address", "no_address"))


def test_a_break_after_the_message_leaves_it_in_doubt(server: tuple[Mailboxes, Smtp]) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        outcome = smtp.send(SENDER, "drop@example.org", MESSAGE, "k")
        assert isinstance(outcome, Unanswered)
        assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
    assert set(mailboxes.messages) == {"drop@example.org", "reader@example.org"}


def test_a_break_before_the_message_leaves_no_doubt(server: tuple[Mailboxes, Smtp]) -> None:
    mailboxes, settings = server
    with SmtpTransport(settings) as smtp:
        with pytest.raises(TransportError, match="the mail server hung up"):
            smtp.send(SENDER, "hangup@example.org", MESSAGE, "k")
        assert smtp.send(SENDER, "reader@example.org", MESSAGE, "k") == Accepted()
    assert set(mailboxes.messages) == {"reader@example.org"}


def test_a_closed_connection_is_opened_again(server: tuple[Mailboxes, Smtp]) -> None:
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


def test_a_refused_sender_stops_the_run(server: tuple[Mailboxes, Smtp]) -> None:
    _, settings = server
    with (
        SmtpTransport(settings) as smtp,
        pytest.raises(TransportError, match=r"refuses the sender refused@example\.org: 550"),
    ):
        smtp.send("refused@example.org", "reader@example.org", MESSAGE, "k")


def test_without_smtputf8_unicode_addresses_are_rejected() -> None:
    with mail_server(smtputf8=False) as (mailboxes, settings), SmtpTransport(settings) as smtp:
        outcome = smtp.send(SENDER, "jörg@example.org", MESSAGE, "k")
        assert isinstance(outcome, Rejected)
        assert "SMTPUTF8" in outcome.reason
        assert smtp.send(SENDER, "ada@müller.example", MESSAGE, "k") == Accepted()
        assert list(mailboxes.messages) == ["ada@xn--mller-kva.example"]


def test_an_unreachable_server_is_reported_by_name() -> None:
    port = free_port()
    transport = SmtpTransport(Smtp(host="127.0.0.1", port=port, tls="none"))
    with pytest.raises(TransportError) as caught:
        transport.send(SENDER, "reader@example.org", MESSAGE, "k")
    assert str(caught.value) == (
        f"127.0.0.1:{port}: the mail server cannot be reached: Connection refused (see mail.smtp.host and port)"
    )


def test_a_missing_socket_is_reported_with_its_setting() -> None:
    transport = SmtpTransport(Smtp(url="lmtp+unix:///nowhere/lmtp"))
    with pytest.raises(TransportError) as caught:
        transport.send(SENDER, "reader@example.org", MESSAGE, "k")
    assert str(caught.value) == (
        "/nowhere/lmtp: the mail server cannot be reached: No such file or directory (see mail.smtp.url)"
    )


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # this test is about the login; encryption has its own test
def test_a_wrong_login_is_reported() -> None:
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
            pytest.raises(TransportError, match="requires a login"),
        ):
            smtp.send(SENDER, "other@example.org", MESSAGE, "k")
    assert "wrong" not in str(caught.value)
    assert list(mailboxes.messages) == ["reader@example.org"]


def test_missing_starttls_sends_nothing(
    server: tuple[Mailboxes, Smtp],
) -> None:
    mailboxes, settings = server
    with (
        SmtpTransport(replace(settings, tls="starttls")) as smtp,
        pytest.raises(TransportError, match="does not offer STARTTLS"),
    ):
        smtp.send(SENDER, "reader@example.org", MESSAGE, "k")
    assert mailboxes.messages == {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 in one file, which only these tests trust."""
    need("openssl")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *words.split(), "-keyout", key, "-out", path], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


def test_only_trusted_servers_get_email(certificate: Path) -> None:
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
        calls = check_tls(settings, 60, trusting), check_tls(settings, 60)
    assert list(mailboxes.messages) == ["reader@example.org"]
    assert [str(each.level) for each in calls] == ["ok", "error"]
    assert calls[0].message == "STARTTLS is offered, the certificate is valid"
    assert "no secure connection" in calls[1].message
