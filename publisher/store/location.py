"""Questions about a database that can be answered without SQLAlchemy, which takes 0.15 s to import."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

SQLITE = "sqlite:///"


def sqlite_path(url: str, root: Path) -> Path | None:
    """Return the file that a SQLite URL names, or None for any other database. The path is relative to `root`."""
    if not url.startswith(SQLITE):
        return None
    return root / url.removeprefix(SQLITE).partition("?")[0]


def store_exists(url: str, root: Path) -> bool:
    """Return whether the database exists, without creating it.

    A database on a server is assumed to exist.
    """
    path = sqlite_path(url, root)
    return path is None or path.is_file()


# Selects the public editions. The condition must be the same as in Editions.public in store/editions.py.
_PUBLIC = """
SELECT count(*), max(id), sum(id) FROM editions WHERE kind = 'posts' AND NOT (
  EXISTS (SELECT 1 FROM edition_posts WHERE edition_id = editions.id) AND
  NOT EXISTS (SELECT 1 FROM edition_posts WHERE edition_id = editions.id AND url != '')) AND (
  (held = '' AND (goes_at IS NULL OR goes_at <= ?)) OR EXISTS (
  SELECT 1 FROM deliveries WHERE edition_id = editions.id AND (attempts > 0 OR lease_owner IS NOT NULL)))
"""


def editions_key(url: str, root: Path, now: datetime) -> str | None:
    """Return a string that changes whenever an edition becomes public, so that callers notice new editions.

    The string is "" if no edition is public. The result is None if the answer is unknown: for PostgreSQL, and after an
    error. Editions are immutable, so the string needs only their number, their highest id and the sum of their ids.
    Python's sqlite3 module answers in a millisecond.
    """
    moment = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"  # as SQLAlchemy writes it
    found = _first_row(url, root, _PUBLIC, moment)
    if found is None:
        return None
    count, newest, total = found
    return f"{count}:{newest}:{total}" if count else ""


def sources_key(url: str, root: Path) -> str | None:
    """Return a string that changes with every change of an item of a source, so that callers can notice it.

    The string is "" if nothing was ever fetched. The result is None in the same cases as for editions_key.
    """
    found = _first_row(url, root, "SELECT count(*), coalesce(sum(revision), 0) FROM sources")
    return None if found is None else f"{found[0]}:{found[1]}" if found[1] else ""


def _first_row(url: str, root: Path, query: str, *values: str) -> Any:
    """Return the first row of a query on SQLite; None for other databases, and after an error."""
    path = sqlite_path(url, root)
    if path is None:
        return None
    import sqlite3  # most builds have no database and need not load sqlite3

    try:
        db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)
        try:
            return db.execute(query, values).fetchone()
        finally:
            db.close()
    except sqlite3.Error:
        return None
