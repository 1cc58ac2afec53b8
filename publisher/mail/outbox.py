"""The outbox: a transport that writes .eml files to a folder instead of using a mail server.

The folder is a Maildir, which email clients can open. Files are written in tmp/, and then moved to new/. A client moves
the messages that it has shown to cur/, and adds ":2," and flags to their names.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Self

from publisher.core.atomic_write import locked_file, taken
from publisher.core.errors import TransportError
from publisher.core.private_folder import MAILDIR, make_private
from publisher.mail.transport import Accepted, Outcome, Unanswered

# File systems allow 255 bytes for a name. Email clients add flags to it, and names in tmp/ have a suffix.
NAME_BYTES = 160


class Outbox:
    """A transport that writes one file for each delivery, however often the delivery is sent."""

    idempotent = True

    def __init__(self, folder: Path) -> None:
        """Open the Maildir, and create it if needed. Raises TransportError if that fails."""
        self._folder = folder
        self._seen: frozenset[str] = frozenset()
        self._seen_at = -1
        try:
            make_private(folder)
            for part in MAILDIR:
                (folder / part).mkdir(mode=0o700, exist_ok=True)
            self._sweep()
        except OSError as error:
            raise self._error(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """Write a message to a file, and replace an earlier file with the same key unless it is already in cur/.

        The file is complete and on disk before it appears, and its name is on disk when this function returns, so the
        ledger can rely on both. If the name cannot be flushed, the message is Unanswered: an email client may have
        taken it already. Raises TransportError if the file cannot be written.
        """
        name, old = file_name(key), old_file_name(address, key)
        try:
            if not self._read() & {name, old}:
                with suppress(FileNotFoundError):  # so that there is never a second file, not even briefly
                    (self._folder / "new" / old).rename(self._folder / "new" / name)
                return self._write(name, message)
        except OSError as error:
            raise self._error(error) from error
        return Accepted()

    def close(self) -> None:
        """Do nothing, because no file is kept open."""

    def _read(self) -> frozenset[str]:
        """Return the names of the files that an email client has moved to cur/, without their flags.

        The folder is listed again only if it has changed.
        """
        cur = self._folder / "cur"
        changed = cur.stat().st_mtime_ns
        if changed != self._seen_at:
            self._seen = frozenset(path.name.partition(":")[0] for path in cur.iterdir())
            self._seen_at = changed
        return self._seen

    def _write(self, name: str, message: bytes) -> Outcome:
        temporary = self._folder / "tmp" / f"{name}.{secrets.token_hex(4)}"
        with locked_file(temporary, 0o600) as file:
            try:
                file.write(message)
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(self._folder / "new" / name)
            except BaseException:  # even Ctrl-C must leave no half-written message
                temporary.unlink(missing_ok=True)
                raise
        return self._sync_names()

    def _sync_names(self) -> Outcome:
        """Flush the names in new/ to disk, and return whether that worked.

        Otherwise a power cut could undo a rename although the ledger already says that the delivery was sent. This
        takes 0.3 ms per message; writing the message takes 0.7 ms.
        """
        try:
            folder = os.open(self._folder / "new", os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            return Unanswered(f"it may not have been saved in the outbox: {error.strerror}")
        return Accepted()

    def _sweep(self) -> None:
        """Remove the files in tmp/ that killed processes left behind: those that no process has locked."""
        for path in (self._folder / "tmp").glob("*.eml.*"):
            with suppress(BlockingIOError, FileNotFoundError), taken(path):
                path.unlink(missing_ok=True)

    def _error(self, error: OSError) -> TransportError:
        what = error.strerror or str(error)
        return TransportError(f"the outbox cannot be written: {what}", where=str(self._folder), hint="see mail.outbox")


def newest_files(folder: Path, most: int) -> list[Path]:
    """Return the newest files of an outbox, at most `most` of them, newest first; [] if there is no outbox."""
    found = []
    for part in ("new", "cur"):
        with suppress(OSError), os.scandir(folder / part) as entries:
            found += [(entry.stat().st_mtime_ns, entry.path) for entry in entries if ".eml" in entry.name]
    return [Path(path) for _, path in sorted(found, reverse=True)[:most]]


def file_name(key: str) -> str:
    """Return the name of a delivery's file. It never changes, is safe on every file system, and contains no address.

    For the key "weekly-2026-W47/7f3a" the name is weekly-2026-W47-<24 hexadecimal digits of the key's hash>.eml.
    """
    return _named(key.rpartition("/")[0].partition("@")[0], key, NAME_BYTES, digits=24)


def old_file_name(address: str, key: str) -> str:
    """Return the name that version 0.1 gave to a delivery's file, which contains the address."""
    return _named(f"{key.rpartition('/')[0]}-{address}", key, 180, digits=8)


def _named(readable: str, key: str, size: int, *, digits: int) -> str:
    text = unicodedata.normalize("NFC", readable)
    safe = "".join(c if c.isalnum() or c in "-_+.@" else "-" for c in text).lstrip(".-")
    bounded = safe.encode()[:size].decode(errors="ignore")
    return f"{bounded}-{hashlib.sha256(key.encode()).hexdigest()[:digits]}.eml"
