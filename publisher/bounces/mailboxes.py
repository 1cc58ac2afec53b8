"""The mailboxes with bounce reports: a single message, a Maildir, an mbox file or an IMAP folder (RFC 3501).

Each source yields the messages that have not been read yet. A message is marked as read only after its report has been
applied, so no report is lost after an interruption.
"""

from __future__ import annotations

import imaplib
import mailbox
import os
import re
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from publisher.bounces.reading import MOST_BYTES
from publisher.core.errors import BounceError
from publisher.core.frozen import dataclass

IMAP_TIMEOUT = 60
_CHUNK = 100_000  # bytes
_THIS_HOST = ("localhost", "127.0.0.1", "::1")

# The "From " line and the headers of a message in an mbox; mail programs write its status in the headers.
_HEAD = re.compile(rb"[^\n]*\n(?:(?:[!-9;-~]*:|From |[ \t])[^\r\n]*\r?\n?)*")
_STATUS = re.compile(rb"^Status:([A-Za-z \t]*)(?:\r?\n|\Z)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ReportMessage:
    """One message with a bounce report.

    data       the message, or its first MOST_BYTES bytes
    mark_read  marks the message as read; to be called after its report has been applied
    """

    data: bytes
    mark_read: Callable[[], None]


class ReportSource(Protocol):
    """A place from which bounce reports are read."""

    def messages(self) -> Generator[ReportMessage]:
        """Yield each message that has not been read yet, oldest first; can be called only once.

        A message that isn't marked as read is yielded again the next time the source is opened. Raises BounceError if
        the source can't be read.
        """
        ...


def open_source(text: str, root: Path, password: Callable[[], str]) -> ReportSource:
    """Return the source for a path or a URL, without opening it.

    root      the folder for relative paths
    password  a function that returns the password; called only for an IMAP account
    Raises BounceError if the path does not exist or is not a Maildir, and if the URL is invalid.
    """
    if "://" in text:
        return Imap(parse_account(text), password)
    path = root / Path(text).expanduser()
    if path.is_dir():
        if not (path / "cur").is_dir() or not (path / "new").is_dir():
            raise BounceError("isn't a Maildir: it has no new/ and cur/", where=str(path))
        return Maildir(path)
    if path.is_file():
        return Mbox(path)
    hint = "name a Maildir, an mbox file or imaps://user@host/folder"
    raise BounceError("does not exist", where=str(path), hint=hint)


@dataclass(frozen=True, slots=True)
class SingleMessage:
    """A single message, which a mail server pipes to the program."""

    data: bytes

    @classmethod
    def of(cls, stream: BinaryIO) -> SingleMessage:
        """Return the message in a stream, which is read to its end; only the first MOST_BYTES bytes of a long one."""
        data = stream.read(MOST_BYTES)
        while stream.read(_CHUNK):  # a mail server treats a pipe that is closed early as a failure
            pass
        return cls(data)

    def messages(self) -> Generator[ReportMessage]:
        """Yield the message."""
        yield ReportMessage(self.data, lambda: None)


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir. A message that was read is moved to cur/ and flagged as seen, as mail programs do."""

    folder: Path

    def messages(self) -> Generator[ReportMessage]:
        """Yield the messages in new/, and those in cur/ that are not flagged as seen, in order of their names."""
        with _readable(self.folder):
            names = [
                (place, entry.name)
                for place in ("new", "cur")
                for entry in os.scandir(self.folder / place)
                if entry.is_file()
            ]
        for place, name in sorted(names, key=lambda pair: pair[1]):
            if name.startswith(".") or (place == "cur" and "S" in name.rpartition(":2,")[2] and ":2," in name):
                continue
            path = self.folder / place / name
            with _readable(path):
                try:
                    data = _beginning(path)
                except FileNotFoundError:
                    continue  # another program has just moved it
            yield ReportMessage(data, lambda path=path: self._mark_read(path))  # type: ignore[misc]

    def _mark_read(self, path: Path) -> None:
        base, _, flags = path.name.partition(":2,")
        with _readable(path):
            try:
                path.rename(self.folder / "cur" / f"{base}:2,{''.join(sorted({*flags, 'S'}))}")
            except FileNotFoundError:
                return  # another program has just moved it


@dataclass(frozen=True, slots=True)
class Mbox:
    """An mbox file, locked while it is read. A message that was read gets `Status: RO`, as in mail programs."""

    path: Path

    def messages(self) -> Generator[ReportMessage]:
        """Yield each message that is not marked as read, oldest first."""
        with _readable(self.path):
            if not self._is_mbox():
                hint = "name a Maildir, an mbox file, or - for one message on standard input"
                message = "isn't an mbox file: its first line doesn't begin with \"From \""
                raise BounceError(message, where=str(self.path), hint=hint)
            box = mailbox.mbox(self.path, create=False)
            try:
                box.lock()
            except mailbox.ExternalClashError as error:
                box.close()
                raise BounceError("is locked by another program", where=str(self.path), hint="try again") from error
        try:
            for key in list(box.keys()):
                if b"R" not in _flags(_head(box.get_file(key, from_=True).read(MOST_BYTES))):
                    data = box.get_file(key).read(MOST_BYTES)
                    yield ReportMessage(data, lambda key=key: self._mark_read(box, key))  # type: ignore[misc]
        finally:
            with _readable(self.path):
                box.flush()
                box.unlock()
                box.close()

    def _is_mbox(self) -> bool:
        """Return whether the file is empty or begins like an mbox (RFC 4155)."""
        with self.path.open("rb") as file:
            return file.read(5) in (b"", b"From ")

    @staticmethod
    def _mark_read(box: mailbox.mbox, key: str) -> None:
        box[key] = _marked_read(box.get_bytes(key, from_=True))


def _head(message: bytes) -> bytes:
    """Return a message's "From " line and headers.

    They are not parsed by the email package, whose parser can be made to fail. A message that makes it fail must be
    marked as read too, or it would block all later messages.
    """
    found = _HEAD.match(message)
    return found[0] if found else message


def _flags(head: bytes) -> bytes:
    found = _STATUS.search(head)
    return b"".join(found[1].split()) if found else b""


def _marked_read(message: bytes) -> bytes:
    """Return a message of an mbox, with its "From " line, marked as read and old but otherwise unchanged."""
    head = _head(message)
    line, _, headers = head.partition(b"\n")
    end = b"\r\n" if line.endswith(b"\r") else b"\n"
    flags = bytes(sorted({*b"RO", *_flags(head)}, reverse=True))
    return b"".join((line, b"\n", b"Status: ", flags, end, _STATUS.sub(b"", headers), message[len(head) :]))


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        what = error.strerror or str(error)
        raise BounceError(f"cannot be read: {what}", where=str(path), hint="check its permissions") from error


@dataclass(frozen=True, slots=True)
class Account:
    """An IMAP account and folder: imap:// or imaps://user@host:port/folder, without the password."""

    user: str
    host: str
    port: int
    folder: str
    tls: bool

    def __str__(self) -> str:
        return f"{'imaps' if self.tls else 'imap'}://{self.user}@{self.host}/{self.folder}"


def parse_account(text: str) -> Account:
    """Parse the URL of an IMAP account. Raises BounceError, which shows no password, if it is invalid."""
    invalid, hint = "the source isn't the URL of a mailbox", "write it like imaps://user@mail.example.org/INBOX"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BounceError(invalid, hint=hint) from error
    if parts.password is not None:
        raise BounceError(
            "the source contains a password, which every process on this host can read",
            hint="set PUBLISHER_BOUNCES_PASSWORD or bounces.password_file instead",
        )
    user, folder = unquote(parts.username or ""), unquote(parts.path.lstrip("/")) or "INBOX"
    plain = all(part.isascii() and part.isprintable() for part in (user, folder))
    if parts.scheme not in ("imap", "imaps") or not user or not parts.hostname or not plain:
        raise BounceError(invalid, hint=hint)
    tls = parts.scheme == "imaps"
    return Account(user, parts.hostname, port or (993 if tls else 143), folder, tls)


@dataclass(frozen=True, slots=True)
class Imap:
    """A folder of an IMAP account. A message that was read is flagged as seen."""

    account: Account
    password: Callable[[], str]

    def messages(self) -> Generator[ReportMessage]:
        """Yield the messages that are not flagged as seen, oldest first."""
        password = self.password()
        with self._wrapped():
            connection = self._connected(password)
        try:
            with self._wrapped():
                self._ok(connection.select(_quoted(self.account.folder)), "the folder cannot be opened")
                numbers = self._ok(connection.uid("SEARCH", "UNSEEN"), "the folder cannot be searched")[0].split()
            for number in numbers:
                with self._wrapped():
                    data = self._message(connection, number.decode("ascii"))
                if data is not None:
                    yield ReportMessage(data, lambda number=number: self._mark_read(connection, number.decode("ascii")))  # type: ignore[misc]
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                connection.logout()

    def _connected(self, password: str) -> imaplib.IMAP4:
        account, context = self.account, ssl.create_default_context()
        if account.tls:
            connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                account.host, account.port, ssl_context=context, timeout=IMAP_TIMEOUT
            )
        else:
            connection = imaplib.IMAP4(account.host, account.port, timeout=IMAP_TIMEOUT)
            if account.host not in _THIS_HOST:
                if "STARTTLS" not in connection.capabilities:
                    connection.shutdown()
                    hint = "write imaps:// if the server supports it"
                    raise BounceError("the server offers no encryption", where=str(account), hint=hint)
                connection.starttls(context)
        connection.login(_quoted(account.user), password)
        return connection

    def _message(self, connection: imaplib.IMAP4, number: str) -> bytes | None:
        """Fetch the beginning of a message; None if another program has just removed it."""
        parts = self._ok(connection.uid("FETCH", number, f"(BODY.PEEK[]<0.{MOST_BYTES}>)"), "a message cannot be read")
        found = [part[1] for part in parts if isinstance(part, tuple)]
        return bytes(found[0]) if found else None

    def _mark_read(self, connection: imaplib.IMAP4, number: str) -> None:
        with self._wrapped():
            self._ok(connection.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"), "a message cannot be marked as read")

    def _ok(self, answer: tuple[str, list[Any]], otherwise: str) -> list[Any]:
        if answer[0] != "OK":
            raise BounceError(f"{otherwise}: {_server_words(answer[1])}", where=str(self.account))
        return answer[1]

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
            hint = "check bounces.source and its password"
            message = f"cannot be read: {_server_words([str(error)])}"
            raise BounceError(message, where=str(self.account), hint=hint) from error


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _server_words(parts: list[Any]) -> str:
    text = next((part for part in parts if part), b"")
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)).split())[:200]
