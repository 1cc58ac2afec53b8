"""The published ids: the id under which feed readers know each post, and the settings from which the ids were made.

This is not a cache, since the ids that readers have seen are stored nowhere else. They have a file of their own,
.publisher/published.db, which outlives the index of posts and is written in one transaction after a build. Like the
index, it uses Python's own sqlite3, because importing SQLAlchemy takes longer than a build with nothing to do.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from urllib.parse import urlsplit

from publisher.config import Config
from publisher.config.placeholders import is_reserved
from publisher.core.errors import ProjectError
from publisher.core.frozen import dataclass
from publisher.core.private_folder import make_private

_SCHEMA = """
CREATE TABLE IF NOT EXISTS origin (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1), host TEXT, authority TEXT, timezone TEXT, folder TEXT,
    seen TEXT
);
CREATE TABLE IF NOT EXISTS ids (source TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
"""

# Posts that were published when escapes and spaces in permalinks and names were not understood. They keep their
# addresses.
_OLD_RULES = "CREATE TABLE old_rules (source TEXT PRIMARY KEY) WITHOUT ROWID"
_HAS_OLD_RULES = "SELECT 1 FROM sqlite_master WHERE name = 'old_rules'"

_SCAFFOLD = "example.org"  # the domain that `publisher init` writes


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of generated ids: the values on which they depend besides the post's file."""

    host: str
    authority: str
    timezone: str
    folder: str

    @classmethod
    def of(cls, config: Config) -> Origin:
        """Return the origin of the ids that a build with this configuration would make."""
        return cls(_host(config), authority_of(config), config.posts_zone.key, config.posts.folder)


def authority_of(config: Config) -> str:
    """Return the authority for generated ids: site.authority, else the published ids' authority, else "HOST,2024".

    In a project that never set site.authority, posts therefore keep their ids when the domain changes.
    """
    if config.site.authority:
        return config.site.authority
    known = PublishedIds(config).origin()
    return known.authority if known else f"{_host(config)},2024"


class PublishedIds:
    """The published ids of one project. Every method raises ProjectError if their file is damaged or unusable."""

    def __init__(self, config: Config) -> None:
        self._path = config.state_dir / "published.db"
        self._host, self._authority = _host(config), config.site.authority

    @property
    def is_there(self) -> bool:
        """Whether any ids have been published."""
        try:
            return self._path.stat().st_size > 0
        except OSError:
            return False

    def origin(self) -> Origin | None:
        """Return the origin of the published ids; None if there are no published ids that readers can know."""
        return self._found()[0]

    def has(self, origin: Origin, ids: Mapping[str, str]) -> bool:
        """Return whether these are the ids that were written last, without reading all the stored ids."""
        known, digest = self._found()
        return known == origin and digest == _digest(ids)

    def _found(self) -> tuple[Origin | None, str]:
        if not self.is_there:
            return None, ""
        with self._open() as db:
            # A first build that was killed while writing leaves a file without tables.
            begun = db.execute("SELECT 1 FROM sqlite_master").fetchone()
            row = db.execute("SELECT host, authority, timezone, folder, seen FROM origin").fetchone() if begun else None
        if row is None or had_no_readers(Origin(*row[:4]), self._host, self._authority):
            return None, ""
        return Origin(*row[:4]), row[4]

    def ids(self) -> dict[str, str]:
        """Return the id of every post that was ever published, by its path in the posts folder."""
        if self.origin() is None:
            return {}
        with self._open() as db:
            return dict(db.execute("SELECT source, id FROM ids"))

    def with_old_rules(self) -> frozenset[str]:
        """Return the paths of the posts that were published before escapes and spaces in permalinks were understood."""
        if self.origin() is None:
            return frozenset()
        with self._open() as db:
            table = "old_rules" if db.execute(_HAS_OLD_RULES).fetchone() else "ids"
            return frozenset(source for (source,) in db.execute(f"SELECT source FROM {table}"))  # noqa: S608

    def write(self, origin: Origin, ids: Mapping[str, str]) -> None:
        """Add the ids of all public posts to the ids published earlier, in one transaction."""
        make_private(self._path.parent)
        with self._open() as db, db:
            db.execute("BEGIN IMMEDIATE")  # another first build may be writing its ids
            before = self.ids()
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            if not db.execute(_HAS_OLD_RULES).fetchone():
                db.execute(_OLD_RULES)
                db.executemany("INSERT INTO old_rules VALUES (?)", ((source,) for source in before))
            if not before:
                db.execute("DELETE FROM ids")  # earlier ids that no reader can know
            # In the order of the table, so that each is appended: a quarter less time, and half the file size.
            changed = sorted(pair for pair in ids.items() if before.get(pair[0]) != pair[1])
            db.executemany("INSERT OR REPLACE INTO ids VALUES (?, ?)", changed)
            db.execute("INSERT OR REPLACE INTO origin VALUES (1, ?, ?, ?, ?, ?)", (*astuple(origin), _digest(ids)))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as db:
                yield db
        except sqlite3.Error as error:
            raise ProjectError(
                f"the file of published ids can't be used: {error}",
                where=_shown(self._path),
                hint="restore it from a backup, or set site.authority in publisher.toml and remove it",
            ) from error


def had_no_readers(known: Origin, host: str, authority: str) -> bool:
    """Return whether the ids published so far come only from trial builds, which no feed reader has seen.

    Trials are builds for this machine (http://localhost:8000) before the site has a real URL, and builds with the
    example domain of `publisher init` before the writer replaces it in both settings.

    known      the origin of the ids published so far
    host       the site's current host
    authority  the current site.authority; "" if it is not set
    """
    if _is_local(known.host):
        return not _is_local(host)
    began = f"{_SCAFFOLD},"
    was_example = known.host == _SCAFFOLD and known.authority.startswith(began)
    is_example = is_reserved(host) or _is_local(host)
    return was_example and not is_example and bool(authority) and not authority.startswith(began)


def _digest(ids: Mapping[str, str]) -> str:
    return hashlib.blake2b("\0".join([*ids, *ids.values()]).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _host(config: Config) -> str:
    return urlsplit(config.site.url).hostname or ""


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.") or host.endswith(".localhost")  # noqa: S104 - compared, not listened on
