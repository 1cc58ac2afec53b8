"""The index of the archive: the stored data about every post file, so that unchanged files are not read again.

It is only a cache, in a file in .publisher/ that may be deleted at any time. It is not part of the store, and uses
Python's own sqlite3, because importing SQLAlchemy takes longer than a build with nothing to do. An index that is
damaged, or was made by another version or with other settings, is discarded and rebuilt.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from publisher.core.errors import ChangedError, ProjectError
from publisher.core.models import Post, Problem
from publisher.core.private_folder import make_private
from publisher.posts.index_rows import Row, dump, flat_problem, noting, sharing, to_post, to_problem
from publisher.posts.scan import Stamp

INDEX_FILE = "index.db"

_OF_POST = "source, id, permalink, digest, tags, in_feeds, is_last_version, post"

# From how many posts on their rows share what is equal. It takes half a microsecond for each, and saves 300 bytes.
_MANY = 20_000

# How many posts are read by one statement.
_AT_ONCE = 500

# How long to wait for another process that is writing the index.
WAIT_SECONDS = 30

# The time in the stamp of a file that may change, or may have changed, while its real stamp stays the same. No file has
# this time, so such a file is always read again.
UNKNOWN_NS = -1

_IS_OR_WAS_DRAFT = "(left_draft OR (NOT is_post AND problems = ''))"

_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE entries (
    source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, is_post INTEGER,
    published REAL, updated REAL, expires REAL, in_feeds INTEGER, id TEXT, permalink TEXT, digest TEXT,
    tags TEXT, authors TEXT, post TEXT, problems TEXT, measured TEXT, links TEXT, assets TEXT, body_problems TEXT,
    weight INTEGER, weighed TEXT, is_last_version INTEGER, left_draft REAL, language TEXT
) WITHOUT ROWID;
CREATE TABLE bodies (source TEXT UNIQUE, key TEXT, html TEXT, excerpt TEXT, words INTEGER);
CREATE INDEX with_problems ON entries (source) WHERE problems != '';
CREATE INDEX with_measured ON entries (source) WHERE measured != '';
CREATE INDEX with_links ON entries (source) WHERE links != '';
CREATE INDEX with_assets ON entries (source) WHERE assets != '';
CREATE INDEX last_versions ON entries (source) WHERE is_last_version;
CREATE INDEX with_body_problems ON entries (source) WHERE body_problems != '';
CREATE INDEX with_weights ON entries (source, weight, weighed) WHERE weighed != '';
CREATE INDEX drafts ON entries (source, left_draft) WHERE {_IS_OR_WAS_DRAFT};
"""

# After this many bodies were stored, all are forgotten, since some are from posts that are gone or no longer new.
_MOST_BODIES = 4_000

# SQLite's smallest page size. SQLite reads a truncated page as if it ended in zeros.
_SMALLEST_PAGE = 512


class PostRow(NamedTuple):
    """The columns by which posts are selected and sorted. The whole Post is loaded only if it is shown."""

    source: str
    published: float
    updated: float
    expires: float | None
    in_feeds: int
    id: str
    permalink: str  # the whole URL if its page is elsewhere
    digest: str  # of the file, the permalink and the settings
    tags: str
    authors: str
    left_draft: float
    language: str


# The database joins the parts of the digests, so that there is one text for each.
_OF_ROW = ", ".join(PostRow._fields).replace("digest", "digest || permalink || ?")


class Referred(NamedTuple):
    """The references in the body of a rendered post, and the warnings about the body.

    source    the post's source path
    links     the sources of the posts that it links to
    assets    the files that it shows, as (site path, project path)
    problems  the warnings
    """

    source: str
    links: Sequence[str]
    assets: Sequence[tuple[str, str]]
    problems: Sequence[Problem]


class Index:
    """The index file of one project, or an index in memory if path is None.

    key     a hash of the settings and code with which the rows were made. Rows made with another key are discarded
    copied  the index file whose rows an index in memory starts with; None if there is none
    """

    def __init__(self, path: Path | None, key: str, copied: Path | None = None) -> None:
        self._path, self.key, self._copied = path, key, copied
        self._has_bodies = True
        self._db = self._open()
        self._stamps: dict[str, Stamp] | None = None

    def close(self) -> None:
        """Close the index."""
        self._db.close()

    @property
    def state(self) -> str:
        """A text that changes with every write: the mtime of the file and SQLite's change counter (byte 24)."""
        if self._path is None:
            return ""
        try:
            with self._path.open("rb") as file:
                return f"{os.fstat(file.fileno()).st_mtime_ns}:{file.read(28)[24:].hex()}"
        except OSError:
            return ""

    def stamps(self) -> dict[str, Stamp]:
        """Return the stamp of every known file, which is read once; {} if the index is damaged, and then rebuilt."""
        if self._stamps is None:
            self._stamps = self._read_stamps()
        return self._stamps

    def _read_stamps(self) -> dict[str, Stamp]:
        try:
            rows = self._db.execute("SELECT source, size, mtime_ns FROM entries")
            return {source: (size, mtime) for source, size, mtime in rows}
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise self._unusable(error) from error
            self._db.close()
            self._discard()
            self._db = self._connect()
            return {}

    def update(self, changed: Iterable[Row], gone: Iterable[str], found: Mapping[str, Stamp] | None = None) -> None:
        """Write the rows of changed files and delete the rows of removed files, in one transaction.

        found  stamps that are in memory already, so that equal stamps are not kept twice
        """
        stamps, self._stamps = self.stamps(), None  # if the transaction fails, they are read again
        removed = list(gone)
        with self._writing():
            self._db.executemany("DELETE FROM entries WHERE source = ?", ((source,) for source in removed))
            self._db.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'','','',0,'',?,?,?)",
                noting(changed, stamps, found or {}),
            )
        for source in removed:
            stamps.pop(source, None)
        self._stamps = stamps

    def rows(self) -> list[PostRow]:
        """Return all posts that are neither drafts nor broken, newest first, or by path if the times are equal."""
        stamps = self.stamps()
        with self._errors_explained():
            found: Iterable[tuple[Any, ...]]
            found = self._db.execute(f"SELECT {_OF_ROW} FROM entries WHERE is_post ORDER BY source", (self.key,))  # noqa: S608 - field names of this file
            if len(stamps) >= _MANY:
                found = sharing(found, stamps)
            # Most blogs' paths are already in chronological order, which makes Python's sort twice as fast as SQLite's.
            rows = sorted(map(partial(tuple.__new__, PostRow), found), key=attrgetter("published"), reverse=True)
            if self._stored_key(self._db) != self.key:
                raise self._changed()
            return rows

    def posts(
        self, sources: Iterable[str], digests: Mapping[str, str], permalinks: Mapping[str, str]
    ) -> Iterator[Post]:
        """Yield the complete posts in the order of `sources`.

        digests     the digests that replace the digests of the files, by source
        permalinks  the permalinks of posts that are in memory already, which are then not kept twice, by source
        """
        wanted = list(sources)
        for start in range(0, len(wanted), _AT_ONCE):
            several = wanted[start : start + _AT_ONCE]
            with self._errors_explained(), self._db:
                self._db.execute("BEGIN")  # the statements below see the same state
                marks = ", ".join("?" * len(several))
                found = self._db.execute(f"SELECT {_OF_POST} FROM entries WHERE source IN ({marks})", several)  # noqa: S608 - only names and marks
                rows = {row[0]: row for row in found}
                is_gone = any(source not in rows and source not in self._read_stamps() for source in several)
                if is_gone or not all(row[-1] for row in rows.values()):
                    raise self._changed()  # another process has found that a file is gone, or no longer a post
                made = [to_post(each, rows.get(each, ()), digests.get(each), permalinks.get(each)) for each in several]
            yield from made

    def problems(self, column: str = "problems") -> list[tuple[str, Problem]]:
        """Return the problems in the front matter of files, or the warnings about their bodies, as (source, problem).

        column  "problems" for front matter, "body_problems" for bodies
        """
        with self._errors_explained():
            found = self._db.execute(f"SELECT source, {column} FROM entries WHERE {column} != '' ORDER BY source")  # noqa: S608 - a column of this file
            return [(source, to_problem(item)) for source, text in found for item in json.loads(text)]

    def last_versions(self) -> frozenset[str]:
        """Return the sources of the posts whose last readable version is shown."""
        with self._errors_explained():
            return frozenset(row[0] for row in self._db.execute("SELECT source FROM entries WHERE is_last_version"))

    def drafts(self) -> dict[str, float]:
        """Return the time at which each post stopped being a draft, by source; 0 for a post that still is one."""
        with self._errors_explained():
            return dict(self._db.execute(f"SELECT source, left_draft FROM entries WHERE {_IS_OR_WAS_DRAFT}"))  # noqa: S608 - of this file

    def canonical(self) -> dict[str, str]:
        """Return, by source, the URL on another site of each post that has a page there and here."""
        wanted = (
            "SELECT source, post FROM entries WHERE is_post AND permalink LIKE '/%' AND instr(post, '\"canonical\":')"
        )
        with self._errors_explained():
            found = {source: json.loads(post)[-1].get("canonical") for source, post in self._db.execute(wanted)}
        return {source: url for source, url in found.items() if url}

    def earlier(self) -> dict[str, list[str]]:
        """Return the earlier paths of each post that has any, by source."""
        return self._rare("aliases")

    def translation_keys(self) -> dict[str, str]:
        """Return the key that each post shares with its translations, by source."""
        return self._rare("translation_key")

    def by_email(self) -> frozenset[str]:
        """Return the sources of the posts that are sent by email only."""
        return frozenset(self._rare("no_page"))

    def _rare(self, field: str) -> dict[str, Any]:
        """Return the value of a field that few posts have, by source."""
        wanted = "SELECT source, post FROM entries WHERE is_post AND instr(post, ?)"
        with self._errors_explained():
            rows = self._db.execute(wanted, (f'"{field}":',))
            found = {source: json.loads(post)[-1].get(field) for source, post in rows}
        return {source: value for source, value in found.items() if value}

    def measured(self) -> dict[str, list[tuple[str, int]]]:
        """Return the files in the project that are enclosures, with their sizes in bytes, by the post's source."""
        with self._errors_explained():
            found = self._db.execute("SELECT source, measured FROM entries WHERE measured != ''")
            return {source: [tuple(pair) for pair in json.loads(text)] for source, text in found}

    def links(self) -> dict[str, list[str]]:
        """Return the sources of the posts that each rendered post links to, by the post's source."""
        with self._errors_explained():
            found = self._db.execute("SELECT source, links FROM entries WHERE links != ''")
            return {source: json.loads(text) for source, text in found}

    def assets(self) -> dict[str, list[tuple[str, str]]]:
        """Return the files that each rendered post shows, as (site path, project path), by the post's source."""
        with self._errors_explained():
            found = self._db.execute("SELECT source, assets FROM entries WHERE assets != ''")
            return {source: [tuple(pair) for pair in json.loads(text)] for source, text in found}

    def remember(self, rendered: Iterable[Referred]) -> None:
        """Store the references in the bodies of rendered posts, and the warnings about them."""
        columns = ("links", "assets", "body_problems")
        stored = " UNION ".join(f"SELECT source FROM entries WHERE {name} != ''" for name in columns)  # noqa: S608 - of this file
        with self._writing():
            before = {source for (source,) in self._db.execute(stored)}
            rows = (
                (dump(item.links), dump(item.assets), dump([flat_problem(p) for p in item.problems]), item.source)
                for item in rendered
                if item.links or item.assets or item.problems or item.source in before  # most have none, as before
            )
            self._db.executemany("UPDATE entries SET links = ?, assets = ?, body_problems = ? WHERE source = ?", rows)

    def weights(self) -> dict[str, tuple[int, str]]:
        """Return (size in bytes, how it was measured) of the posts whose size in feeds is known, by source."""
        with self._errors_explained():
            found = self._db.execute("SELECT source, weight, weighed FROM entries WHERE weighed != ''")
            return {source: (weight, weighed) for source, weight, weighed in found}

    def keep_weights(self, weights: Iterable[tuple[str, int, str]]) -> None:
        """Store (source, size in bytes, how it was measured) of posts."""
        with self._writing():
            self._db.executemany(
                "UPDATE entries SET weight = ?, weighed = ? WHERE source = ?",
                ((weight, weighed, source) for source, weight, weighed in weights),
            )

    @property
    def has_bodies(self) -> bool:
        """Whether any bodies may be stored; False in a first build."""
        return self._has_bodies

    def body(self, source: str, key: str) -> tuple[str, str, int] | None:
        """Return the (HTML, excerpt, number of words) that were stored for a post under this key, if any were."""
        with self._errors_explained():
            wanted = "SELECT html, excerpt, words FROM bodies WHERE source = ? AND key = ?"
            row: tuple[str, str, int] | None = self._db.execute(wanted, (source, key)).fetchone()
            return row

    def keep_bodies(self, bodies: Iterable[tuple[str, str, str, str, int]]) -> None:
        """Store (source, key, HTML, excerpt, number of words) of rendered posts, and sometimes forget all others."""
        with self._writing():
            if (self._db.execute("SELECT max(rowid) FROM bodies").fetchone()[0] or 0) > _MOST_BODIES:
                self._db.execute("DELETE FROM bodies")
            self._db.executemany("INSERT OR REPLACE INTO bodies VALUES (?, ?, ?, ?, ?)", bodies)
        self._has_bodies = True

    def fact(self, name: str) -> str:
        """Return what keep_fact stored under a name; "" if there is nothing."""
        with self._errors_explained():
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
            return row[0] if row else ""

    def keep_fact(self, name: str, value: str) -> None:
        """Store a text under a name, for as long as this index is used."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise self._unusable(error) from error
        self._discard()  # not a database, or truncated
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _connect(self) -> sqlite3.Connection:
        if self._path:
            make_private(self._path.parent)
        db = sqlite3.connect(self._path or ":memory:", timeout=WAIT_SECONDS)
        try:
            self._opened = _status(self._path or self._copied)
            if self._path and self._opened and self._opened.st_size % _SMALLEST_PAGE:
                raise sqlite3.DatabaseError("the file ends in the middle of a page")
            db.execute("PRAGMA synchronous = OFF")
            if self._copied:
                _copy(self._copied, db)
            if self._stored_key(db) != self.key:
                self._create(db)
        except BaseException:  # Ctrl-C too must leave no connection open
            db.close()
            raise
        return db

    @staticmethod
    def _stored_key(db: sqlite3.Connection) -> str:
        with contextlib.suppress(sqlite3.OperationalError):
            row = db.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()
            return row[0] if row else ""
        return ""

    def _create(self, db: sqlite3.Connection) -> None:
        """Create the tables, unless another process has done so since their key was read."""
        with db:
            db.execute("BEGIN IMMEDIATE")
            if self._stored_key(db) == self.key:
                return
            for table in ("meta", "entries", "bodies"):
                db.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES ('key', ?)", (self.key,))
        self._has_bodies = False

    def _discard(self) -> None:
        """Remove the file, as all of its content can be rebuilt, unless another process has just done so."""
        now = _status(self._path or self._copied)
        if now and self._opened and os.path.samestat(now, self._opened):
            for suffix in ("", "-journal", "-wal", "-shm"):
                Path(f"{self._path or self._copied}{suffix}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Write in one transaction; raise ChangedError if the tables are now those of other code or settings."""
        with self._errors_explained(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if self._stored_key(self._db) != self.key:
                raise self._changed()
            yield

    @contextlib.contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Raise ProjectError for any error. A damaged index is discarded, because it is too late to rebuild it."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not _is_damage(error):
                raise self._unusable(error) from error
            self._discard()
            said = "the index of posts was damaged and has been removed"
            raise ProjectError(said, where=str(self._path or self._copied), hint=_AGAIN) from error

    def _changed(self) -> ChangedError:
        return ChangedError("was changed by another process", where=str(self._path), hint=_AGAIN)

    def _unusable(self, error: sqlite3.DatabaseError) -> ProjectError:
        """Return the error for an index that is not damaged: it is locked, or the disk is full or read-only."""
        hint = f"{_AGAIN}; if that does not help, free some disk space or fix the permissions"
        return ProjectError(f"cannot be used: {error}", where=str(self._path), hint=hint)


_AGAIN = "run the same command again"

# How long to wait for a process that is writing into the index before everything is read without it.
_COPY_SECONDS = 1.0


def _copy(path: Path, db: sqlite3.Connection) -> None:
    """Copy an index file into an index in memory, without writing to it; copy nothing if it cannot be read."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_COPY_SECONDS)
        ) as source,
    ):
        source.execute("BEGIN")
        source.execute("SELECT key FROM meta")  # from here on, nobody can write, and the copy does not wait
        source.backup(db)


def _status(path: Path | None) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return path.stat() if path else None
    return None


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether an error means that the file must be rebuilt, not that it is in use or cannot be written."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
