"""A real mail server on loopback that keeps its messages, and fails on demand."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from publisher.config import Smtp


@dataclass
class Mailboxes:
    """The messages by recipient; the local part of a recipient determines the answer.

    An address like "450-busy@example.org" is answered with 450 at RCPT, "data-554@..." with 554 after the message, and
    "moment@..." after more than a second; "drop@..." gets no answer after its message, and "hangup@..." none at RCPT;
    the mailbox "gone@..." does not exist. lenient: accept everything from now on.
    """

    messages: dict[str, list[bytes]] = field(default_factory=dict)
    senders: list[str] = field(default_factory=list)
    sessions: int = 0
    logins: int = 0
    lenient: bool = False

    async def handle_EHLO(  # noqa: N802 - the server looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802 - the server looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 5.7.1 you may not send"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the server looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        local = "" if self.lenient else address.partition("@")[0]
        if local == "hangup":
            server.transport.close()
        if local.startswith("gone"):
            return f"550 5.1.1 <{address}>: no such user"
        if local[:3].isdigit():
            return f"{local[:3]} {local[4:]}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - same
        (address,) = envelope.rcpt_tos
        if address.startswith("moment@"):
            await asyncio.sleep(1.1)
        if address.startswith("data-") and not self.lenient:
            return f"{address[5:8]} 5.6.0 no thank you"
        content = envelope.content
        self.messages.setdefault(address, []).append(content if isinstance(content, bytes) else b"")
        self.senders.append(envelope.mail_from or "")
        if address.startswith("drop") and not self.lenient:
            server.transport.close()
        return "250 2.0.0 taken"


class Patient(Mailboxes):
    """Accepts a message only after `let`, so that a test can look at a run half-way.

    handed_over  how many messages it has received, including those that it has not answered yet
    """

    def __init__(self) -> None:
        super().__init__()
        self._let = threading.Semaphore(0)
        self.handed_over = 0

    @property
    def arrived(self) -> int:
        """How many messages it has accepted."""
        return sum(len(messages) for messages in self.messages.values())

    def let(self, count: int) -> None:
        """Accept this many more messages."""
        self._let.release(count)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - same
        self.handed_over += 1
        while not self._let.acquire(blocking=False):
            await asyncio.sleep(0.01)
        return await super().handle_DATA(server, session, envelope)


class Silent(Mailboxes):
    """Never answers when it is asked for a mailbox; `asked` is set then."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    async def handle_RCPT(  # noqa: N802 - the server looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked.set()
        return str(await asyncio.Future())


class AnyPort(Controller):
    """A server on any free port; the controller's check that it has started needs this port as well."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    password: str = "",
    smtputf8: bool = True,
    mailboxes: Mailboxes | None = None,
) -> Iterator[tuple[Mailboxes, Smtp]]:
    """Run a server on a free port; yield its mailboxes and the settings to reach it."""
    mailboxes = mailboxes or Mailboxes()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        mailboxes.logins += 1
        return AuthResult(success=data.password == password.encode(), handled=False)

    options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8, "tls_context": tls, "require_starttls": bool(tls)}
    if password:
        options |= {"auth_required": True, "authenticator": authenticate, "auth_require_tls": False}
    controller = AnyPort(mailboxes, hostname="127.0.0.1", port=0, ready_timeout=60, **options)
    controller.start()
    try:
        yield (
            mailboxes,
            Smtp(host="127.0.0.1", port=controller.port, tls="starttls" if tls else "none", timeout=600),
        )
    finally:
        controller.stop()
