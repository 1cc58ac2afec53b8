"""The last readable version of each published post, which the site shows while the file of the post cannot be read.

A build stores the text of every post that it publishes, if it changed. A mistake in a published post, or in its
permissions, therefore removes nothing from the site: the post is read from its stored text, and its file is reported. A
post that its author takes down (deletes, hides, lets expire) no longer has a stored text, so it disappears immediately.

The texts are in a file of their own, .publisher/last-versions.db. It may be deleted: until the next build the project
then behaves like a fresh checkout, where a post that cannot be read is left out. Like the index, it uses Python's
sqlite3.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from publisher.config import Config
from publisher.core.errors import PostError, ProjectError
from publisher.core.file_names import in_folder
from publisher.core.models import Problem
from publisher.core.private_folder import make_private
from publisher.posts.cache_keys import hash_of
from publisher.posts.first_texts import FirstTexts
from publisher.posts.post_file import Entry, ParsedFile, PostSettings
from publisher.posts.scan import MOST_BYTES, Stamp

VERSIONS_FILE = "last-versions.db"

# How much of a file is searched for a field that hides the post.
_FRONT_BYTES = 4096

# The text is the last column, so that the others can be read without it; they are also in an index of their own.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, unreadable_since TEXT, text BLOB
);
CREATE INDEX IF NOT EXISTS stamps ON versions (source, size, mtime_ns, unreadable_since);
"""

# A page contains several texts, instead of each text taking two pages. Deleted texts are overwritten, and the file
# becomes smaller.
_SETTINGS = (
    "PRAGMA page_size = 32768",
    "PRAGMA auto_vacuum = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA synchronous = OFF",
)


class LastVersions:
    """The stored texts of one project. Reading them never creates their file.

    Methods raise ProjectError if the file cannot be used. A damaged file is removed, as if there were none.
    """

    def __init__(self, config: Config, settings: PostSettings | None = None) -> None:
        """Take the project, and the settings for reading its posts if they are known."""
        self._path, self._config, self._settings = config.state_dir / VERSIONS_FILE, config, settings
        self._folder = config.root / config.posts.folder
        self._first: FirstTexts | None = None

    def close(self) -> None:
        """Discard the texts that were not published."""
        if self._first:
            self._first.discard()

    def first_texts(self, now: datetime) -> FirstTexts | None:
        """Return the FirstTexts that collects the texts while a first build reads the files; None for other builds."""
        if self._first is None and not self.is_there:
            with self._errors_explained():
                make_private(self._path.parent)
                self._first = FirstTexts(self._path, _create, now)
        return self._first

    @property
    def is_there(self) -> bool:
        """Whether any text is stored."""
        return self._path.exists()

    def stamps(self) -> dict[str, Stamp]:
        """Return the stamp of the file from which each text was stored, by source."""
        rows = self._query("SELECT source, size, mtime_ns FROM versions INDEXED BY stamps")
        return {source: (size, mtime_ns) for source, size, mtime_ns in rows}

    def unreadable_since(self) -> dict[str, datetime]:
        """Return when a build first found that the file of a post cannot be read, by source."""
        rows = self._query(
            "SELECT source, unreadable_since FROM versions INDEXED BY stamps WHERE unreadable_since != ''"
        )
        return {source: datetime.fromisoformat(since) for source, since in rows}

    def text(self, source: str) -> bytes:
        """Return the stored text of a post; raise PostError if there is none."""
        found = self._query("SELECT text FROM versions WHERE source = ?", source)
        if not found:
            raise PostError("no longer has a readable version")
        return bytes(found[0][0])

    def instead(self, entry: Entry) -> Entry:
        """Return the entry of the stored text for a file with an error, or the given entry if no text can be shown.

        A file that says that its post is hidden is not replaced, although it cannot be read.
        """
        source, stamp, _, broken = entry
        found = self._query("SELECT size, mtime_ns, text FROM versions WHERE source = ?", source)
        if not found:
            return entry
        # Not at the top: they are needed only after a mistake, and take a tenth of a build with nothing to do.
        from publisher.posts.front_matter.preamble import seems_hidden
        from publisher.posts.head import parse_text

        if seems_hidden(_beginning(self._folder / source)):
            return entry
        size, mtime_ns, text = found[0]
        digest = hash_of(source, str(size), str(mtime_ns))
        try:
            parsed = parse_text(bytes(text), source, digest, self._settings or PostSettings.of(self._config))
        except PostError:
            return entry  # the program or a setting has changed and now refuses it
        if parsed.post is None:
            return entry
        digest = hash_of(parsed.post.digest, str(parsed.measured)) if parsed.measured else parsed.post.digest
        problems = tuple(replace(problem, shows_last_version=True) for problem in broken.problems)
        return source, stamp, digest, ParsedFile(parsed.post, problems, parsed.measured, is_last_version=True)

    def readable(self, entry: Entry) -> Entry:
        """Return the entry of a file or, if the file has an error, the entry of its last readable version.

        An ignored permalink counts as an error if the page of a published post would move because of it.
        """
        source, stamp, digest, parsed = entry
        if parsed.post is None:
            return self.instead(entry) if parsed.problems else entry
        if parsed.unfit:
            last = self.instead((source, stamp, digest, ParsedFile(None, (parsed.unfit,))))
            if last[3].post and last[3].post.permalink != parsed.post.permalink:
                return last
        return entry

    def taken(self, gone: Collection[str], reported: Mapping[str, Problem]) -> tuple[dict[str, Problem], list[Problem]]:
        """Return the problems of published posts that were not found, because something else is at their paths.

        The first result has the problems of posts, by source, at whose own paths there is something else. The second
        has the problems of folders that contained published posts, and are now a file, a broken link or a link that is
        not followed. If there is nothing at its path, a post was deleted; a file that is not among the post files was
        left out, for example by posts.exclude.

        gone      sources at which there is no post file
        reported  the problems that the search for post files found, by path in the posts folder
        """
        known = self.stamps()
        posts: dict[str, Problem] = {}
        folders: dict[str, Problem] = {}
        for source in sorted(known.keys() & set(gone)):
            for path in (*_folders_above(source), source):
                found = reported.get(path) or self._in_place_of(path, is_folder=path != source)
                if found:
                    (posts if path == source else folders)[path] = found
                    break
        return posts, [*folders.values()]

    def _in_place_of(self, path: str, *, is_folder: bool) -> Problem | None:
        full = self._folder / path
        if not os.path.lexists(full) or (full.is_dir() if is_folder else full.is_file()):
            return None
        what = "is a folder" if full.is_dir() else "is a broken link" if full.is_symlink() else "is a file"
        hint = "restore it; or remove what is there now, to take its posts down"
        return Problem(
            in_folder(self._config.posts.folder, path), 0, f"{what}, not a {'folder' if is_folder else 'post'}", hint
        )

    def keep(self, public: Set[str], shown: Set[str], indexed: Mapping[str, Stamp], now: datetime) -> None:
        """Store the texts of the public posts whose files changed, and remove those that must not be shown again.

        public   sources of the posts that a build has published from their files
        shown    sources of the posts that it has published from these texts
        indexed  the stamp of every file in the posts folder
        """
        if self._first and self._first.put_in_place(public) == indexed.keys():
            return
        known = self.stamps()
        # Posts that are not in here are public at another time, or their texts are stored.
        differing = sorted({source for source, _ in known.items() ^ indexed.items()})
        changed = [source for source in differing if source in public]
        gone = [source for source in differing if source in known and source not in public and source not in shown]
        before = self.unreadable_since()
        if not (changed or gone or before.keys() != set(shown)):
            return
        since = {source: before.get(source, now).astimezone(UTC).isoformat(timespec="seconds") for source in shown}
        with self._errors_explained(), closing(self._open()) as db, db:
            db.executemany("DELETE FROM versions WHERE source = ?", ((source,) for source in gone))
            db.executemany("INSERT OR REPLACE INTO versions VALUES (?, ?, ?, '', ?)", self._read(changed))
            rows = [("", source) for source in before.keys() - since.keys()] + [
                (at, source) for source, at in since.items()
            ]
            db.executemany("UPDATE versions SET unreadable_since = ? WHERE source = ?", rows)

    def _read(self, sources: Iterable[str]) -> Iterator[tuple[str, int, int, bytes]]:
        folder, flags = f"{self._folder}/", os.O_RDONLY | getattr(os, "O_BINARY", 0)
        for source in sources:
            try:
                handle = os.open(folder + source, flags)
            except OSError:
                continue
            try:
                status = os.fstat(handle)
                # Reserving memory for the largest post each time would take three times as long.
                text = os.read(handle, min(status.st_size + 1, MOST_BYTES))
            except OSError:
                continue
            finally:
                os.close(handle)
            yield source, status.st_size, status.st_mtime_ns, text

    def _query(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        if not self.is_there:
            return []
        found: list[tuple[Any, ...]] = []
        with self._errors_explained(), closing(sqlite3.connect(self._path, timeout=30)) as db:
            # A process that was killed while it created the file leaves it without tables.
            if db.execute("SELECT 1 FROM sqlite_master").fetchone():
                found = db.execute(sql, values).fetchall()
        return found

    def _open(self) -> sqlite3.Connection:
        make_private(self._path.parent)
        return _create(self._path)

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Remove a damaged file, which the next build makes again; raise ProjectError for any other error."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
                self._path.unlink(missing_ok=True)
                return
            hint = "run the same command again; if that does not help, free some disk space or fix the permissions"
            raise ProjectError(f"cannot be used: {error}", where=str(self._path), hint=hint) from error


def _create(path: Path) -> sqlite3.Connection:
    """Open a file of texts, which is created if need be."""
    db = sqlite3.connect(path, timeout=30)
    try:
        for statement in _SETTINGS:
            db.execute(statement)
        with db:
            db.execute("BEGIN IMMEDIATE")  # no other process may see a table without its index
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
    except BaseException:  # Ctrl-C too must leave no connection open
        db.close()
        raise
    return db


def _folders_above(source: str) -> list[str]:
    parts = source.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _beginning(path: Path) -> bytes:
    if not path.is_file():
        return b""  # opening a pipe would wait for ever
    try:
        with path.open("rb") as file:
            return file.read(_FRONT_BYTES)
    except OSError:
        return b""
