"""A mail server, one message at a time over one connection (RFC 5321)."""

from __future__ import annotations

import re
import smtplib
import ssl
from typing import Self

from publisher.config import Smtp
from publisher.delivery.addresses import needs_smtputf8, wire_address
from publisher.delivery.transport import Accepted, Deferred, Outcome, Rejected, Unanswered
from publisher.errors import TransportError

READY_FOR_DATA = 354
CLOSING = 421
LOGIN_NEEDED = 530


class _DroppedError(Exception):
    """The connection broke before a message was handed over: the message may go over another one."""


class SmtpTransport:
    """A transport over SMTP. The connection is made by the first message and kept for the next ones."""

    idempotent = False

    def __init__(self, settings: Smtp, *, context: ssl.SSLContext | None = None) -> None:
        """Prepare, without connecting. context: which certificates to trust; the system's by default."""
        self._settings = settings
        self._context = context
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """See Transport.send. A connection that broke while it was idle is made anew, once."""
        try:
            sender = wire_address(envelope_from)
        except ValueError as error:
            raise self._error(f"the sender {error}", "see mail.sender") from error
        try:
            recipient = wire_address(address)
        except ValueError as error:
            return Rejected(str(error))
        try:
            return self._transaction(self._connected(), sender, recipient, message)
        except _DroppedError:
            self._drop()
        try:
            return self._transaction(self._connected(), sender, recipient, message)
        except _DroppedError as error:
            self._drop()
            raise self._error(f"the mail server hung up: {error}", "try again later") from error

    def close(self) -> None:
        """Say goodbye (QUIT) where a connection stands."""
        if self._connection is not None:
            try:
                self._connection.quit()
            except (smtplib.SMTPException, OSError):
                self._connection.close()  # it is gone already, and nothing was in flight
            self._connection = None

    def _transaction(self, smtp: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> Outcome:
        """Give the envelope; where it is taken, give the message."""
        try:
            refused = self._envelope(smtp, sender, recipient)
            if refused is None:
                code, words = smtp.docmd("DATA")
                refused = None if code == READY_FOR_DATA else self._refusal(code, words)
            if refused is not None:
                smtp.rset()
                return refused
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise _DroppedError(str(error)) from error
        return self._body(smtp, message)

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str) -> Outcome | None:
        """Give sender and recipient; return the refusal, if any."""
        unicode = needs_smtputf8(sender) or needs_smtputf8(recipient)
        if unicode and not smtp.has_extn("smtputf8"):
            return Rejected("the mail server cannot take addresses outside ASCII (no SMTPUTF8)")
        if unicode:
            smtp.command_encoding = "utf-8"
        code, words = smtp.mail(sender, ["SMTPUTF8"] if unicode else [])
        if code == CLOSING:
            raise smtplib.SMTPServerDisconnected(_one_line(code, words))
        if code >= 500 and code != LOGIN_NEEDED and not unicode:
            # Every other message has the same sender: this is no refusal of one recipient.
            raise self._error(
                f"the mail server refuses the sender {sender}: {_one_line(code, words)}", "see mail.sender"
            )
        if code >= 400:
            return self._refusal(code, words)
        code, words = smtp.rcpt(recipient)
        if code == CLOSING:
            raise smtplib.SMTPServerDisconnected(_one_line(code, words))
        return self._refusal(code, words) if code >= 400 else None

    def _body(self, smtp: smtplib.SMTP, message: bytes) -> Outcome:
        """Give the message. From here on a broken connection leaves doubt."""
        stuffed = re.sub(rb"(?m)^\.", b"..", message)  # RFC 5321, 4.5.2
        end = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        try:
            smtp.send(stuffed + end)
            code, words = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return Unanswered(f"the connection broke before an answer: {error}")
        if code == CLOSING:
            self._drop()
        return Accepted() if code < 300 else self._refusal(code, words)

    def _refusal(self, code: int, words: bytes) -> Outcome:
        said = _one_line(code, words)
        if code == LOGIN_NEEDED:
            raise self._error(f"the mail server wants a login: {said}", "see mail.smtp.username and tls")
        return Rejected(said) if code >= 500 else Deferred(said)

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        """Connect, encrypt and log in; each failure says which of the three it was."""
        s = self._settings
        try:
            smtp = self._open()
        except ssl.SSLError as error:
            raise self._error(f"no secure connection: {_reason(error)}", "see mail.smtp.tls and host") from error
        except smtplib.SMTPNotSupportedError as error:
            raise self._error("the mail server offers no STARTTLS", "see mail.smtp.tls and port") from error
        except (smtplib.SMTPException, OSError) as error:
            what = f"the mail server cannot be reached: {_reason(error)}"
            raise self._error(what, "see mail.smtp.host and port") from error
        try:
            if s.username:
                smtp.login(s.username, s.password)
        except smtplib.SMTPAuthenticationError as error:
            smtp.close()
            what = f"the mail server refuses the login of {s.username}"
            raise self._error(what, "see mail.smtp.username and password") from error
        except (smtplib.SMTPException, OSError) as error:
            smtp.close()
            raise self._error(f"the login failed: {_reason(error)}", "see mail.smtp.tls") from error
        return smtp

    def _open(self) -> smtplib.SMTP:
        s = self._settings
        context = None if s.tls == "none" else (self._context or ssl.create_default_context())
        smtp: smtplib.SMTP
        if s.tls == "tls":
            smtp = smtplib.SMTP_SSL(s.host, s.port, timeout=s.timeout, context=context)
        else:
            smtp = smtplib.SMTP(s.host, s.port, timeout=s.timeout)
        try:
            if s.tls == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _error(self, what: str, mend: str) -> TransportError:
        return TransportError(what, where=f"{self._settings.host}:{self._settings.port}", mend=mend)


def _one_line(code: int, words: bytes) -> str:
    return " ".join(f"{code} {words.decode('utf-8', 'replace')}".split())


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return _one_line(error.smtp_code, said if isinstance(said, bytes) else str(said).encode())
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
