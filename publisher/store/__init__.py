"""The record: who reads, what was sent, and how far each delivery got.

The only room that speaks SQL. SQLite and PostgreSQL differ by URL and by nothing else that a caller sees.
SQLAlchemy takes 0.15 s to import, more than a build with nothing to do, so it is loaded by `open_store`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.store.location import store_exists

if TYPE_CHECKING:
    from publisher.store.store import Store

__all__ = ["Store", "open_store", "store_exists"]


def open_store(url: str, root: Path, secret: Callable[[], str] | None = None) -> Store:
    """Return the store at `url`, its schema brought up to date.

    url:     sqlite:///path (relative paths are relative to `root`; missing folders are made) or
             postgresql://user@host/name.
    secret:  gives the project's secret, asked for when an address is to be suppressed or compared with those
             that are. Without it the store does everything else, as long as nobody is suppressed.
    Raises StoreError where the database cannot be reached, or was made by a newer version.
    """
    from publisher.store.store import Store

    return Store.open(url, root, secret) if secret else Store.open(url, root)


def __getattr__(name: str) -> Any:
    if name == "Store":
        from publisher.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
