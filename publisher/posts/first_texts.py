"""The texts of a project that was never built, which are stored while their files are read for the first time.

A build stores the text of every post that it publishes, as its last readable version (see posts.last_versions). The
first build would read every file twice for that. So the texts go into a file of their own, a few at a time, which
replaces the usual file when the build has published the posts. A build that fails, or is killed, stores none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Set
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path

from publisher.core.atomic_write import put_new, temporary
from publisher.posts.index_rows import Row

# How many bytes of texts wait in memory.
_AT_ONCE = 1 << 20

_INSERT = "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, '', ?)"


class FirstTexts:
    """The texts of one first build. If storing fails, all are dropped, and the files are read again later."""

    def __init__(self, path: Path, create: Callable[[Path], sqlite3.Connection], now: datetime) -> None:
        """Begin with a file next to the file at `path`.

        create  creates the file, with the tables of posts.last_versions
        now     the moment of the build; later posts are not stored
        """
        self._path, self._opened = path, ExitStack()
        self._moment = now.timestamp()
        self._sources: list[str] = []
        self._waiting: list[tuple[str, int, int, bytes]] = []
        self._size = 0
        self._db: sqlite3.Connection | None = None
        with suppress(sqlite3.Error, OSError):
            self._part = self._opened.enter_context(temporary(path))
            self._db = self._opened.enter_context(closing(create(self._part)))
            self._db.execute("PRAGMA journal_mode = OFF")  # a file that is not complete is never used

    def add(self, row: Row, text: bytes) -> None:
        """Store the text of a file, if its post is public and its stamp is known. row: from index_rows.usual_row."""
        source, size, mtime_ns, _, published, *_ = row
        if self._db is None or published > self._moment or mtime_ns < 0 or len(text) != size:
            return
        self._waiting.append((source, size, mtime_ns, text))
        self._size += len(text)
        if self._size >= _AT_ONCE:
            self._write()

    def put_in_place(self, public: Set[str]) -> Set[str]:
        """Make these texts the last readable versions of these posts; return the posts whose texts are stored."""
        self._write()
        if self._db is None:
            return frozenset()
        try:
            stored = set(self._sources)
            others = stored - public
            self._db.executemany("DELETE FROM versions WHERE source = ?", ((source,) for source in others))
            self._db.commit()
            is_stored = put_new(self._part, self._path)  # another first build may have been faster, and use its file
        except (sqlite3.Error, OSError):
            is_stored = False
        self.discard()
        return stored - others if is_stored else frozenset()

    def discard(self) -> None:
        """Remove the file, unless it has been put in place."""
        self._db = None
        with suppress(OSError):
            self._opened.close()

    def _write(self) -> None:
        if self._db is None:
            return
        try:
            self._db.executemany(_INSERT, self._waiting)
        except sqlite3.Error:  # such as a full disk, which the build reports when it reads them again
            self.discard()
            return
        self._sources += [source for source, *_ in self._waiting]
        self._waiting, self._size = [], 0
