"""SMTP connections. aiosmtplib connects, encrypts and logs in; then our own protocol takes over the connection."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import ssl
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol, cast

import aiosmtplib

from publisher.config import Smtp
from publisher.core.errors import TransportError
from publisher.mail.smtp.protocol import Ending, Extensions, Message, MessageFate, SmtpProtocol


class UnreachableError(TransportError):
    """The server did not answer, or refuses temporarily.

    Any other TransportError from this module means that a setting is wrong, so the error will recur.
    """


class ConnectionOwner(Protocol):
    """The callbacks of a connection. They are called on the loop's thread and must not block."""

    def next_message(self, connection: Connection) -> Message | None:
        """Return one more message to send, or None if there is none for now. `pump` makes the connection ask again."""
        ...

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """Handle the fate of a message."""
        ...

    def ended(self, connection: Connection, ending: Ending) -> None:
        """Handle the end of the connection. All its messages have already been answered."""
        ...


# Called when a message may be handed over, with the time until which it may, by the loop's clock.
Noted = Callable[[float], None]

# Records that a message is about to be handed over, and then calls the function.
Note = Callable[[Message, Noted], None]


async def open_connection(
    settings: Smtp,
    owner: ConnectionOwner,
    *,
    context: ssl.SSLContext | None = None,
    note: Note = lambda message, noted: noted(math.inf),
) -> Connection:
    """Connect, encrypt and log in; return a connection that has not sent a message yet.

    context: the certificates to trust; the system's by default. note: called with each message and a function as soon
    as the previous message has been answered. It calls the function when the body may be written, with the time until
    which this is allowed; after that time, `note` is called again. Raises TransportError if one of the three steps
    fails, or its subclass UnreachableError if trying again may help.
    """
    address = settings.address
    client = aiosmtplib.SMTP(
        hostname=None if address.socket else address.host,
        port=None if address.socket else address.port,
        socket_path=address.socket or None,
        timeout=settings.timeout,
        use_tls=address.tls == "tls",
        start_tls=False,
        tls_context=None if address.tls == "none" else context or await asyncio.to_thread(_system_certificates),
        local_hostname=await asyncio.to_thread(_own_name),
    )
    try:
        await _connect(client, settings)
        await _log_in(client, settings)
        connection = Connection(
            owner,
            Extensions.of(client.esmtp_extensions),
            messages=settings.messages,
            timeout=settings.timeout,
            note=note,
        )
        transport, client.transport = cast(asyncio.Transport, client.transport), None
        connection.begin(transport)
    except BaseException:  # even a cancelled attempt must leave no connection open
        client.close()
        raise
    return connection


class Connection(asyncio.Protocol):
    """A connection to a mail server. It asks its owner for messages until it breaks, is stopped or has sent enough.

    It hands over a message only when the message is recorded as in doubt, and the answer to the previous one is in the
    ledger. So if the process is killed, at most one message for each connection is in doubt. The envelope of the next
    message is sent in the meantime, so a connection waits for the database only if the database is slower than the
    server.
    """

    def __init__(
        self,
        owner: ConnectionOwner,
        extensions: Extensions,
        *,
        messages: int,
        timeout: float,
        note: Note,
    ) -> None:
        """Prepare a connection, inside a running asyncio loop; `begin` does the rest.

        messages: how many messages to send before closing. timeout: how many seconds to wait for a reply.
        note: see `open_connection`.
        """
        self._owner = owner
        self._protocol = SmtpProtocol(extensions)
        self._left = messages
        self._timeout = timeout
        self._note = note
        self._asked: Message | None = None  # the last message passed to `note`
        self._noted: Message | None = None  # the last one whose body may be written
        self._noted_until = -math.inf
        self._loop = asyncio.get_running_loop()
        self._waiting_since = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._stopping = False
        self._quitting = False
        self._closed = False
        self._watchdog: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Take over an asyncio transport after the greeting and login."""
        self._transport = transport
        transport.set_protocol(self)
        self._watchdog = self._loop.call_later(self._timeout, self._check_timeout)

    def pump(self) -> None:
        """Do everything that can be done now: take messages, write data, or close."""
        if self._closed or self._quitting:
            return
        protocol = self._protocol
        while protocol.has_room and self._left > 0 and not self._stopping:
            message = self._owner.next_message(self)
            if message is None:
                break
            self._left -= 1
            self._pass_on(protocol.add(message))
        self._note_next()
        self._write(protocol.data_to_send(hand_over=self._body_may_go()))
        if self._left <= 0 or self._stopping:
            self._quit_if_idle()

    def stop(self) -> None:
        """Take no more messages, and close after the answer to a message that has already been handed over."""
        self._stopping = True
        self.pump()

    def fail(self, reason: str) -> None:
        """Abort the connection. reason: given to the owner as the reason for its end."""
        self._finish(self._protocol.end(reason))

    async def stop_and_wait(self) -> None:
        """Stop, and wait for the server's goodbye, but no longer than a second."""
        self.stop()
        for _ in range(200):
            if self._closed:
                return
            await asyncio.sleep(0.005)
        self.fail("the server did not say goodbye")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._waiting_since = self._loop.time()
        answers = self._protocol.receive(data)
        if self._protocol.ending is None:
            self._pass_on(answers)
            self.pump()
        else:
            self._finish(answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        words = (getattr(exc, "strerror", None) or str(exc)) if exc else "closed by the server"
        self.fail(f"the connection broke: {words}")

    def _note_next(self) -> None:
        """Have the next message recorded as in doubt, unless another message already is."""
        message = self._protocol.next_body
        if message is not None and message is not self._asked and not self._protocol.in_doubt and not self._stopping:
            self._asked = message
            self._note(message, partial(self._was_noted, message))

    def _was_noted(self, message: Message, until: float) -> None:
        self._noted, self._noted_until = message, until
        if self._protocol.body_due is message:
            self.pump()

    def _body_may_go(self) -> bool:
        """Return whether the next body may be written now. If its record is too old, have it recorded again."""
        message = self._protocol.body_due
        if message is not None and message is self._noted and self._loop.time() >= self._noted_until:
            self._asked = self._noted = None
            self._note_next()
        return not self._stopping and (message is None or message is self._noted)

    def _quit_if_idle(self) -> None:
        """Close the connection unless a message is in doubt: with QUIT, or directly if stopped within an envelope."""
        protocol = self._protocol
        if protocol.in_doubt or (protocol.busy and not self._stopping):
            return
        if protocol.busy or protocol.awaits_reply:
            if self._stopping:
                self.fail("stopped before it was sent")
            return
        self._quitting = True
        protocol.quit()
        self._write(protocol.data_to_send())

    def _write(self, data: list[bytes]) -> None:
        if data and self._transport is not None:
            self._waiting_since = self._loop.time()
            self._transport.writelines(data)

    def _pass_on(self, answers: list[MessageFate]) -> None:
        for answer in answers:
            self._owner.answered(self, answer)

    def _finish(self, answers: list[MessageFate]) -> None:
        if self._closed:
            return
        self._closed = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._pass_on(answers)
        self._owner.ended(self, cast(Ending, self._protocol.ending))

    def _check_timeout(self) -> None:
        """Abort the connection if a reply is overdue; otherwise schedule the next check."""
        left = self._waiting_since + self._timeout - self._loop.time()
        if self._protocol.awaits_reply and left <= 0:
            self.fail(f"no answer for {self._timeout:g} seconds")
        else:
            self._watchdog = self._loop.call_later(left if left > 0 else self._timeout, self._check_timeout)


OK = 250

# RFC 4954, 4 and 6: the server does not offer this login method, or considers it too weak. The password may be right.
WRONG_METHOD = (504, 534)


@cache  # reading the system's certificates takes 20 ms
def _system_certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache  # it may query the DNS
def _own_name() -> str:
    return socket.getfqdn()


async def _connect(client: aiosmtplib.SMTP, settings: Smtp) -> None:
    try:
        await client.connect()
        await _greet(client, settings)
        if settings.address.tls == "starttls":
            if not client.supports_extension("starttls"):
                raise _error(settings, "the mail server does not offer STARTTLS", "see mail.smtp.tls and port")
            await client.starttls()
            await _greet(client, settings)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # ValueError: the host is not valid for IDNA
        if tls_error := _tls_error(error):
            what = f"no secure connection: {_reason(tls_error)}"
            raise _error(settings, what, "see mail.smtp.tls and host") from error
        what = f"the mail server cannot be reached: {_reason(error)}"
        keys = "url" if settings.url else "host and port"
        raise UnreachableError(what, where=str(settings.address), hint=f"see mail.smtp.{keys}") from error


async def _greet(client: aiosmtplib.SMTP, settings: Smtp) -> None:
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


async def _log_in(client: aiosmtplib.SMTP, settings: Smtp) -> None:
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
    """Log in with the best method that the server offers. Other methods are not tried after a refused password.

    Three methods on four connections would make twelve failed logins, and accounts are locked after fewer.
    """
    offered = client.supported_auth_methods  # methods that send the password unencrypted come last
    if settings.address.tls != "none":
        offered = sorted(offered, key=("plain", "login", "cram-md5").index)
    for method in offered:
        log_in = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}[method]
        try:
            await log_in(settings.username, settings.password)
            return
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code not in WRONG_METHOD or method == offered[-1]:
                raise
    await client.login(settings.username, settings.password)  # raises, because no method is offered


def _error(settings: Smtp, what: str, hint: str) -> TransportError:
    return TransportError(what, where=str(settings.address), hint=hint)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS error that caused an error, or None if there is none."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _reason(error: BaseException) -> str:
    """Return the reason for an error, as worded by the server or the system."""
    code: Any = getattr(error, "code", None)
    if isinstance(code, int):
        return " ".join(f"{code} {getattr(error, 'message', '')}".split())
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (error.errno or 0) > 0:
        return os.strerror(cast(int, error.errno))  # asyncio puts its own text before the system's
    return " ".join(str(error).split()) or type(error).__name__
