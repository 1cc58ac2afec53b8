"""An IMAP account as a source of reports (RFC 3501): unseen messages are read, and marked as seen when taken."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from publisher.bounces.message import Found
from publisher.bounces.reading import MOST_BYTES
from publisher.core.errors import BounceError

TIMEOUT = 60
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Account:
    """imap:// or imaps://user@host:port/folder, without its password."""

    user: str
    host: str
    port: int
    folder: str
    tls: bool

    def __str__(self) -> str:
        return f"{'imaps' if self.tls else 'imap'}://{self.user}@{self.host}/{self.folder}"


def parse_account(text: str) -> Account:
    """Read the URL of an account. Raises BounceError, which repeats no password."""
    hint = "write it like imaps://user@mail.example.org/INBOX"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BounceError("the source is no address of a mailbox", hint=hint) from error
    if parts.password is not None:
        raise BounceError(
            "the source holds a password, which every process on the machine can read",
            hint="put it into PUBLISHER_BOUNCES_PASSWORD or bounces.password_file",
        )
    user, folder = unquote(parts.username or ""), unquote(parts.path.lstrip("/")) or "INBOX"
    plain = all(part.isascii() and part.isprintable() for part in (user, folder))
    if parts.scheme not in ("imap", "imaps") or not user or not parts.hostname or not plain:
        raise BounceError("the source is no address of a mailbox", hint=hint)
    tls = parts.scheme == "imaps"
    return Account(user, parts.hostname, port or (993 if tls else 143), folder, tls)


@dataclass(frozen=True, slots=True)
class Imap:
    """One folder of an account."""

    account: Account
    password: Callable[[], str]

    def messages(self) -> Iterator[Found]:
        """Yield what is not seen yet, oldest first."""
        password = self.password()
        with self._wrapped():
            connection = self._connected(password)
        try:
            with self._wrapped():
                self._ok(connection.select(_quoted(self.account.folder)), "the folder cannot be opened")
                numbers = self._ok(connection.uid("SEARCH", "UNSEEN"), "it cannot be searched")[0].split()
            for number in numbers:
                with self._wrapped():
                    data = self._message(connection, number.decode("ascii"))
                if data is not None:
                    yield Found(data, lambda number=number: self._seen(connection, number.decode("ascii")))  # type: ignore[misc]
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                connection.logout()

    def _connected(self, password: str) -> imaplib.IMAP4:
        account, context = self.account, ssl.create_default_context()
        if account.tls:
            connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                account.host, account.port, ssl_context=context, timeout=TIMEOUT
            )
        else:
            connection = imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT)
            if account.host not in _HERE:
                if "STARTTLS" not in connection.capabilities:
                    connection.shutdown()
                    raise BounceError("offers no encryption", where=str(account), hint="write imaps:// if it has that")
                connection.starttls(context)
        connection.login(_quoted(account.user), password)
        return connection

    def _message(self, connection: imaplib.IMAP4, number: str) -> bytes | None:
        parts = self._ok(connection.uid("FETCH", number, f"(BODY.PEEK[]<0.{MOST_BYTES}>)"), "a message cannot be had")
        found = [part[1] for part in parts if isinstance(part, tuple)]
        return bytes(found[0]) if found else None  # None: another program has taken it away

    def _seen(self, connection: imaplib.IMAP4, number: str) -> None:
        with self._wrapped():
            self._ok(connection.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"), "a message cannot be marked")

    def _ok(self, answer: tuple[str, list[Any]], otherwise: str) -> list[Any]:
        if answer[0] != "OK":
            raise BounceError(f"{otherwise}: {_said(answer[1])}", where=str(self.account))
        return answer[1]

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
            hint = "see bounces.source and its password"
            raise BounceError(f"cannot be read: {_said([str(error)])}", where=str(self.account), hint=hint) from error


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _said(parts: list[Any]) -> str:
    text = next((part for part in parts if part), b"")
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)).split())[:200]
