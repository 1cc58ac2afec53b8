"""Where reports are read: each source gives messages, and is told of each that it was taken."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from publisher.bounces.message import Found
from publisher.bounces.reading import MOST_BYTES
from publisher.core.errors import BounceError

# The marks of mail programs on a message of an mbox, in the headers behind its "From " line.
_HEAD = re.compile(rb"[^\n]*\n(?:(?:[!-9;-~]*:|From |[ \t])[^\r\n]*\r?\n?)*")
_STATUS = re.compile(rb"^Status:([A-Za-z \t]*)(?:\r?\n|\Z)", re.IGNORECASE | re.MULTILINE)


class Source(Protocol):
    """A place of reports. `messages` may be had once; what is not `done` is there again the next time.

    Raises BounceError where the place cannot be read.
    """

    def messages(self) -> Iterator[Found]:
        """Yield each message that was not read before."""
        ...


@dataclass(frozen=True, slots=True)
class One:
    """A single message, as a mail server pipes it."""

    data: bytes

    def messages(self) -> Iterator[Found]:
        """Yield it."""
        yield Found(self.data, lambda: None)


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir. What was read is moved into cur/ and marked as seen, as a mail program does."""

    folder: Path

    def messages(self) -> Iterator[Found]:
        """Yield what is in new/, and what in cur/ was not seen, in the order of their names."""
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
                    continue  # another reader moved it just now
            yield Found(data, lambda path=path: self._seen(path))  # type: ignore[misc]

    def _seen(self, path: Path) -> None:
        base, _, flags = path.name.partition(":2,")
        with _readable(path):
            try:
                path.rename(self.folder / "cur" / f"{base}:2,{''.join(sorted({*flags, 'S'}))}")
            except FileNotFoundError:
                return  # another reader moved it just now


@dataclass(frozen=True, slots=True)
class Mbox:
    """An mbox file. What was read gets `Status: RO`, as a mail program writes it; the file is locked meanwhile."""

    path: Path

    def messages(self) -> Iterator[Found]:
        """Yield each message without that mark, oldest first."""
        import mailbox

        with _readable(self.path):
            if not self._is_mbox():
                hint = "name a Maildir, an mbox file, or - for one message on standard input"
                raise BounceError('is no mbox: its first line begins not with "From "', where=str(self.path), hint=hint)
            box = mailbox.mbox(self.path, create=False)
            try:
                box.lock()
            except mailbox.ExternalClashError as error:
                box.close()
                raise BounceError("another program has it locked", where=str(self.path), hint="try again") from error
        try:
            for key in list(box.keys()):
                if b"R" not in _flags(_head(box.get_bytes(key, from_=True))):
                    yield Found(box.get_bytes(key)[:MOST_BYTES], lambda key=key: self._seen(box, key))  # type: ignore[misc]
        finally:
            with _readable(self.path):
                box.flush()
                box.unlock()
                box.close()

    def _is_mbox(self) -> bool:
        """Return whether it begins as one (RFC 4155); an empty file does."""
        with self.path.open("rb") as file:
            return file.read(5) in (b"", b"From ")

    @staticmethod
    def _seen(box: object, key: str) -> None:
        import mailbox

        assert isinstance(box, mailbox.mbox)  # noqa: S101 - only `messages` calls it
        box[key] = _marked(box.get_bytes(key, from_=True))


def open_source(text: str, root: Path, password: Callable[[], str]) -> Source:
    """Return the source that a path or a URL names; nothing is opened yet.

    root      from which a path is taken
    password  asked only for an IMAP account
    Raises BounceError where there is nothing of that kind.
    """
    if "://" in text:
        from publisher.bounces.imap import Imap, parse_account

        return Imap(parse_account(text), password)
    path = root / Path(text).expanduser()
    if path.is_dir():
        if not (path / "cur").is_dir() or not (path / "new").is_dir():
            raise BounceError("is no Maildir: it has no new/ and cur/", where=str(path))
        return Maildir(path)
    if path.is_file():
        return Mbox(path)
    raise BounceError("is not there", where=str(path), hint="name a Maildir, an mbox file or imaps://user@host/folder")


def _head(message: bytes) -> bytes:
    """Return a message's headers with the "From " line.

    Nothing is parsed here: the parser of the email package can be made to fail, and what it fails at has to be
    marked all the same, or nobody gets past it.
    """
    found = _HEAD.match(message)
    return found[0] if found else message


def _flags(head: bytes) -> bytes:
    found = _STATUS.search(head)
    return b"".join(found[1].split()) if found else b""


def _marked(message: bytes) -> bytes:
    """Return a message of an mbox, from its "From " line on, marked as read and old; all else in it stays."""
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
        raise BounceError(f"cannot be read: {what}", where=str(path), hint="see its permissions") from error
