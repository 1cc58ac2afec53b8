"""From settings to an open line: connection, encryption, login. The only user of aiosmtplib."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from publisher.config import Smtp
from publisher.core.errors import TransportError
from publisher.mail.smtp.connection import Crew, Line
from publisher.mail.smtp.messages import Offer

if TYPE_CHECKING:
    import aiosmtplib

OK = 250

# RFC 4954, 4 and 6: this way of logging in is not had, or is too weak; nothing is said of the password.
NOT_THIS_WAY = (504, 534)


class UnreachableError(TransportError):
    """The server did not answer, or not now. Other TransportErrors are mistakes of the settings, and stay."""


async def open_line(settings: Smtp, crew: Crew, context: ssl.SSLContext | None = None) -> Line:
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
        line = Line(crew, _offer(client), messages=settings.messages, timeout=settings.timeout)
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


def _offer(client: aiosmtplib.SMTP) -> Offer:
    return Offer.of(client.esmtp_extensions)


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
