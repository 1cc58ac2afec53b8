"""A dialogue on an asyncio transport: reads, writes, and the patience for an answer."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from publisher.config import Smtp
from publisher.core.errors import TransportError
from publisher.mail.smtp.protocol import Answer, Dialogue, Ending, Extensions, Message

if TYPE_CHECKING:
    import aiosmtplib


class Owner(Protocol):
    """Whom a line works for. Each is called on the loop's thread, and must not wait."""

    def next_message(self, line: Connection) -> Message | None:
        """Return one more message to send, or None for now; the line is then called again with `pump`."""
        ...

    def hands_over(self, message: Message) -> bool:
        """Know that a message is about to be handed over; return whether it may be."""
        ...

    def answered(self, line: Connection, answer: Answer) -> None:
        """Take a message's fate. Until `written` is called for it, the line hands nothing more over."""
        ...

    def ended(self, line: Connection, ending: Ending) -> None:
        """Know that the line is gone; every message that it held has been answered before."""
        ...


class Connection(asyncio.Protocol):
    """One connection to a relay; it asks its crew for messages, and lives until it breaks or is done.

    It hands no message over before the answer to the last one is in the ledger, so that a process that is
    killed can have sent, unknown to the ledger, one message a connection. The envelope of the next message is
    under way meanwhile: a connection waits for the disk only where that takes longer than the server.
    """

    def __init__(self, crew: Owner, offer: Extensions, *, messages: int, timeout: float) -> None:
        """messages: after so many it says goodbye. timeout: seconds it waits for an answer."""
        self._crew = crew
        self._dialogue = Dialogue(offer)
        self._left = messages
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._asked_at = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._stopping = False
        self._quitting = False
        self._over = False
        self._watch: asyncio.TimerHandle | None = None
        self.unwritten = 0

    @property
    def idle(self) -> bool:
        """Whether it has nothing in hand and may be given something."""
        return not self._dialogue.busy and self._left > 0 and not self._stopping and not self._over

    def begin(self, transport: asyncio.Transport) -> None:
        """Take over a transport after greeting and login."""
        self._transport = transport
        transport.set_protocol(self)
        self._watch = self._loop.call_later(self._timeout, self._look)

    def pump(self) -> None:
        """Do all that can be done now: take messages, write, say goodbye."""
        if self._over or self._quitting:
            return
        dialogue = self._dialogue
        while dialogue.room and self._left > 0 and not self._stopping:
            message = self._crew.next_message(self)
            if message is None:
                break
            self._left -= 1
            self._answer(dialogue.give(message))
        self._write(dialogue.writes(hand_over=self._may_hand_over()))
        if self._left <= 0 or self._stopping:
            self._leave()

    def _may_hand_over(self) -> bool:
        """Whether the body that the server waits for may be written, if there is one."""
        if self.unwritten or self._stopping:
            return False
        due = self._dialogue.due
        return due is None or self._crew.hands_over(due)

    def written(self) -> None:
        """Know that one more answer is in the ledger."""
        self.unwritten -= 1
        if not self.unwritten:
            self.pump()

    def stop(self) -> None:
        """Take nothing more, wait only for the answer to what is handed over, and leave."""
        self._stopping = True
        self.pump()

    def fail(self, reason: str) -> None:
        """Break the connection."""
        self._finish(self._dialogue.lost(reason))

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._asked_at = self._loop.time()
        answers = self._dialogue.read(data)
        if self._dialogue.ending is None:
            self._answer(answers)
            self.pump()
        else:
            self._finish(answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        words = (getattr(exc, "strerror", None) or str(exc)) if exc else "closed by the server"
        self.fail(f"the connection broke: {words}")

    def _leave(self) -> None:
        """Go as soon as nobody's message is in doubt: with a goodbye, or at once where an envelope is open."""
        if self._dialogue.handed_over or (self._dialogue.busy and not self._stopping):
            return
        if self._dialogue.busy or self._dialogue.waiting:
            if self._stopping:
                self.fail("stopped before it was sent")
            return
        self._quitting = True
        self._dialogue.quit()
        self._write(self._dialogue.writes())

    def _write(self, data: list[bytes]) -> None:
        if data and self._transport is not None:
            self._asked_at = self._loop.time()
            self._transport.writelines(data)

    def _answer(self, answers: list[Answer]) -> None:
        for answer in answers:
            self.unwritten += 1
            self._crew.answered(self, answer)

    def _finish(self, answers: list[Answer]) -> None:
        if self._over:
            return
        self._over = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._answer(answers)
        self._crew.ended(self, cast(Ending, self._dialogue.ending))

    def _look(self) -> None:
        """Break a connection whose server owes an answer for too long; look again when it might."""
        late = self._asked_at + self._timeout - self._loop.time()
        if self._dialogue.waiting and late <= 0:
            self.fail(f"no answer for {self._timeout:g} seconds")
        else:
            self._watch = self._loop.call_later(late if late > 0 else self._timeout, self._look)


OK = 250

# RFC 4954, 4 and 6: this way of logging in is not had, or is too weak; nothing is said of the password.
NOT_THIS_WAY = (504, 534)


class UnreachableError(TransportError):
    """The server did not answer, or not now. Other TransportErrors are mistakes of the settings, and stay."""


async def open_connection(settings: Smtp, crew: Owner, context: ssl.SSLContext | None = None) -> Connection:
    """Connect, encrypt and log in; return a line that works for the crew and has not begun.

    context: which certificates to trust; the system's by default. Raises TransportError, saying which of the
    three failed; UnreachableError where it may be otherwise in a moment.
    """
    import aiosmtplib

    address = settings.address
    client = aiosmtplib.SMTP(
        hostname=None if address.socket else address.host,
        port=None if address.socket else address.port,
        socket_path=address.socket or None,
        timeout=settings.timeout,
        use_tls=address.tls == "tls",
        start_tls=False,
        tls_context=None if address.tls == "none" else context or await asyncio.to_thread(_usual_trust),
        local_hostname=await asyncio.to_thread(_own_name),
    )
    try:
        await _opened(client, settings)
        await _login(client, settings)
        line = Connection(crew, _offer(client), messages=settings.messages, timeout=settings.timeout)
        transport, client.transport = cast(asyncio.Transport, client.transport), None
        line.begin(transport)
    except BaseException:
        client.close()
        raise
    return line


@cache  # reading the system's certificates takes 20 ms
def _usual_trust() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache  # it may ask the DNS
def _own_name() -> str:
    return socket.getfqdn()


async def _opened(client: aiosmtplib.SMTP, settings: Smtp) -> None:
    import aiosmtplib

    try:
        await client.connect()
        await _greet(client, settings)
        if settings.address.tls == "starttls":
            if not client.supports_extension("starttls"):
                raise _error(settings, "the mail server offers no STARTTLS", "see mail.smtp.tls and port")
            await client.starttls()
            await _greet(client, settings)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a host that IDNA cannot write
        if bad := _tls_error(error):
            raise _error(settings, f"no secure connection: {_reason(bad)}", "see mail.smtp.tls and host") from error
        what = f"the mail server cannot be reached: {_reason(error)}"
        keys = "url" if settings.url else "host and port"
        raise UnreachableError(what, where=str(settings.address), hint=f"see mail.smtp.{keys}") from error


async def _greet(client: aiosmtplib.SMTP, settings: Smtp) -> None:
    import aiosmtplib

    if not settings.address.lmtp:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()
        return
    name = (client.local_hostname or "localhost").encode("ascii", "replace")
    response = await client.execute_command(b"LHLO", name)  # RFC 2033, 4.1
    if response.code != OK:
        raise aiosmtplib.SMTPResponseException(response.code, response.message)
    client.last_ehlo_response = response


async def _login(client: aiosmtplib.SMTP, settings: Smtp) -> None:
    import aiosmtplib

    if not settings.username:
        return
    try:
        await _authenticate(client, settings)
    except aiosmtplib.SMTPAuthenticationError as error:
        if error.code < 500:
            what = f"the login failed: {_reason(error)}"
            raise UnreachableError(what, where=str(settings.address), hint="try again later") from error
        what = f"the mail server refuses the login of {settings.username}"
        raise _error(settings, what, "see mail.smtp.username and password") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _error(settings, f"the login failed: {_reason(error)}", "see mail.smtp.tls") from error


async def _authenticate(client: aiosmtplib.SMTP, settings: Smtp) -> None:
    """Log in by the best way that the server offers, and by no other once it has refused the password.

    Three ways tried over four connections would be twelve wrong passwords, and accounts are locked after fewer.
    """
    import aiosmtplib

    offered = client.supported_auth_methods  # those that send the password in the clear are last
    if settings.address.tls != "none":
        offered = sorted(offered, key=("plain", "login", "cram-md5").index)
    for way in offered:
        log_in = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}[way]
        try:
            await log_in(settings.username, settings.password)
            return
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code not in NOT_THIS_WAY or way == offered[-1]:
                raise
    await client.login(settings.username, settings.password)  # says that there is no way


def _offer(client: aiosmtplib.SMTP) -> Extensions:
    return Extensions.of(client.esmtp_extensions)


def _error(settings: Smtp, what: str, hint: str) -> TransportError:
    return TransportError(what, where=str(settings.address), hint=hint)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return the mistake of encryption that is behind an error, if any."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _reason(error: BaseException) -> str:
    """Return why, in the words of the server or of the system."""
    code: Any = getattr(error, "code", None)
    if isinstance(code, int):
        return " ".join(f"{code} {getattr(error, 'message', '')}".split())
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (error.errno or 0) > 0:
        return os.strerror(cast(int, error.errno))  # asyncio puts words of its own before the system's
    return " ".join(str(error).split()) or type(error).__name__
