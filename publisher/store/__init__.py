"""The database: subscribers, editions, deliveries, and everything else that outlives a process.

This is the only room with SQL. Its queries are written once, with SQLAlchemy Core, and SQLite and PostgreSQL differ by
their URL and by nothing else that a caller sees. The store decides nothing: which status follows which event is in
core/subscriber_status.py and mail/lifecycle.py, and what to send is decided in newsletters/.

Begin with `store.py`, which lists what the database stores, then `tables.py`. `database.py` opens connections and
transactions, and `migrations/` has one file for each version of the schema.

audience                 who gets an edition
bounces                  messages that bounced
deliveries               the ledger, for workers that send
feed_readers             how many people read the feeds
hosts                    which hosts may send
ledger                   the ledger, for people
location                 what can be learnt about a database without loading SQLAlchemy
newsletters              from when on a newsletter's slots count
subscriber_records       the values that the store takes and returns for subscribers
subscriber_transaction   one transaction on subscribers
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.store.location import store_exists

if TYPE_CHECKING:
    from publisher.store.store import Store

__all__ = [
    "Store",
    "audience",
    "bounces",
    "deliveries",
    "feed_readers",
    "hosts",
    "ledger",
    "location",
    "newsletters",
    "open_store",
    "store_exists",
    "subscriber_records",
    "subscriber_transaction",
]


def open_store(url: str, root: Path, secret: Callable[[], str] | None = None) -> Store:
    """Return the store at `url`, with its schema up to date.

    url     sqlite:///path (relative to `root`; missing folders are made) or postgresql://user@host/name
    secret  returns the project's secret. It is called when an address is suppressed or compared with the suppressed
            ones. Without it the store works as long as no address is suppressed
    Raises StoreError if the database cannot be reached, or if a newer version made it.
    """
    from publisher.store.store import Store  # loads SQLAlchemy, 0.15 s: more than a build with nothing to do takes

    return Store.open(url, root, secret) if secret else Store.open(url, root)


def __getattr__(name: str) -> Any:
    if name == "Store":
        from publisher.store.store import Store  # as in open_store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
