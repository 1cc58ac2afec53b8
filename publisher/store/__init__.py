"""The database: subscribers, editions, deliveries, and everything else that outlives a process.

This is the only package with SQL. Each query is written once, with SQLAlchemy Core, for both SQLite and PostgreSQL. To
a caller, the two databases differ only in their URL. The store makes no decisions: core/subscriber_status.py and
mail/lifecycle.py say which status follows an event, and newsletters/ decides what to send.

Begin with `store.py`, which lists what the database stores, then `tables.py`. `database.py` opens connections and
transactions, and `migrations/` has one file for each version of the schema.

Public modules:
    action_log              what people did, and who logged in
    audience                the subscribers who get an edition
    bounces                 messages that bounced
    carry_over              the data that a restored database takes over from the database that it replaces
    copying                 copies of whole databases
    deliveries              the ledger of deliveries, for workers that send
    feed_readers            how many people read the feeds
    fleet                   what hosts and workers are doing, and what remains to be done
    hosts                   which hosts may send
    imports                 the imports of files, which can be undone
    job_tables              the tables of the job engine
    latecomers              deliveries of editions that are already made
    ledger                  the ledger of deliveries, for people
    location                questions about a database that need no SQLAlchemy
    newsletters             which slots (scheduled times) of a newsletter count
    people_query            queries about the people on the list
    post_files              the files from which sent posts were made
    segments                conditions on subscribers as SQL, and the saved ones
    sending_limits          the rates and daily limits of mail servers, shared by all workers
    sessions                the sessions of the admin page
    standstill              preventing every host from sending while the data is replaced
    statistics              totals, each with one definition
    subscriber_news         the people who joined and left since the owner was last notified
    subscriber_records      the values that the store takes and returns for subscribers
    subscriber_transaction  one transaction on subscribers
    workers                 signs of life of the workers that are sending
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
    "action_log",
    "audience",
    "bounces",
    "carry_over",
    "copying",
    "deliveries",
    "feed_readers",
    "fleet",
    "hosts",
    "imports",
    "job_tables",
    "latecomers",
    "ledger",
    "location",
    "newsletters",
    "open_store",
    "people_query",
    "post_files",
    "segments",
    "sending_limits",
    "sessions",
    "standstill",
    "statistics",
    "store_exists",
    "subscriber_news",
    "subscriber_records",
    "subscriber_transaction",
    "workers",
]


def open_store(url: str, root: Path, secret: Callable[[], str] | None = None) -> Store:
    """Open the store at `url`, and bring its schema up to date.

    url     sqlite:///path or postgresql://user@host/name. The path is relative to `root`, and missing folders are
            created
    secret  a function that returns the project's secret. It is called to suppress an address, and to look an address up
            in the suppression list. Without it the store works as long as no address is suppressed
    Raises StoreError if the database cannot be reached, or if its schema is from a newer version of publisher.
    """
    from publisher.store.store import Store  # loads SQLAlchemy, 0.15 s: more than a build with nothing to do takes

    return Store.open(url, root, secret) if secret else Store.open(url, root)


def __getattr__(name: str) -> Any:
    if name == "Store":
        from publisher.store.store import Store  # as in open_store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
