"""Where a database is, told from its URL alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

SQLITE = "sqlite:///"


def sqlite_path(url: str, root: Path) -> Path | None:
    """Return the file of a SQLite URL, relative paths taken from `root`; None for any other database."""
    if not url.startswith(SQLITE):
        return None
    return root / url.removeprefix(SQLITE).partition("?")[0]


def store_exists(url: str, root: Path) -> bool:
    """Return whether there is a database to read, without loading SQLAlchemy and without making one.

    A database on a server is taken to exist: whoever wrote its URL has made it.
    """
    path = sqlite_path(url, root)
    return path is None or path.is_file()


def editions_key(url: str, root: Path) -> str | None:
    """Return what changes whenever an edition is made, "" if there is none, None if only the store can tell.

    Editions are immutable, so their number and the newest id say it all. Python's own sqlite3 answers in a
    millisecond, before SQLAlchemy would be loaded.
    """
    path = sqlite_path(url, root)
    if path is None:
        return None
    import sqlite3

    try:
        db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)
        try:
            count, newest = db.execute("SELECT count(*), max(id) FROM editions").fetchone()
        finally:
            db.close()
    except sqlite3.Error:
        return None
    return f"{count}:{newest}" if count else ""
