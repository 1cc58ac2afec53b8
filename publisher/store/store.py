"""The database as one object, with an attribute for each kind of data."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from publisher.store.database import Database
from publisher.store.migrate import migrate
from publisher.store.suppressions import Secret, no_secret

if TYPE_CHECKING:
    from publisher.store.action_log import ActionLog
    from publisher.store.bounces import Bounces
    from publisher.store.chores import Chores
    from publisher.store.deliveries import Deliveries
    from publisher.store.editions import Editions
    from publisher.store.feed_readers import FeedReaders
    from publisher.store.fleet import Fleet
    from publisher.store.hosts import Hosts
    from publisher.store.imports import Imports
    from publisher.store.latecomers import Latecomers
    from publisher.store.ledger import Ledger
    from publisher.store.newsletters import Newsletters
    from publisher.store.owner import Owner
    from publisher.store.people import People
    from publisher.store.post_files import PostFiles
    from publisher.store.segments import Segments
    from publisher.store.sending_limits import SendingLimits
    from publisher.store.sessions import LoginSessions
    from publisher.store.sign_ups import SignUps
    from publisher.store.sources import Sources
    from publisher.store.statistics import Statistics
    from publisher.store.subscriber_news import SubscriberNewsTable
    from publisher.store.subscribers import Subscribers
    from publisher.store.suppressions import Suppressions
    from publisher.store.workers import Workers

# The modules of parts that have other names.
_MODULES = {"actions": "action_log", "limits": "sending_limits"}


class Store:
    """An open database. Each method is one transaction, and raises StoreError for every error of the database.

    database      its connections, to copy it as a whole
    where         the URL without its password, for messages
    subscribers   subscribers, their subscriptions and their consent
    people        the people on the list, found by what is known about them
    sign_ups      requests of the sign-up form that have been accepted and not carried out yet
    segments      the conditions on subscribers that the owner has saved, and the people who meet any condition
    imports       the imports of files, each of which can be undone
    suppressions  addresses that must never get email again
    editions      editions, and the posts that each newsletter has handled
    post_files    the files from which sent posts were made
    workers       the workers that are sending, and which deliveries they may have handed over
    deliveries    the ledger of deliveries, for workers that send
    ledger        the ledger of deliveries, for people who look at it and change it
    latecomers    deliveries of editions that are already made, for people who joined later
    bounces       messages that bounced
    newsletters   the moment from which each newsletter's slots (scheduled times) count
    hosts         the hosts that have run the project, and which of them may send
    fleet         what hosts and workers are doing, and what remains to be done
    limits        the rates and daily limits of mail servers, which all workers share on PostgreSQL
    chores        when each recurring task last began, and maintenance of the database
    statistics    totals over all tables
    owner         the password of the admin page, and the alerts that the owner has received
    subscriber_news  the people who joined and left since the owner was last notified
    actions       what people did, and who logged in
    sessions      the sessions of owners who are logged in to the admin page
    feed_readers  how many people read the feeds
    sources       what was fetched from the feeds of other sites, and when each is fetched next
    """

    suppressions: Suppressions
    subscribers: Subscribers
    people: People
    segments: Segments
    sign_ups: SignUps
    imports: Imports
    editions: Editions
    post_files: PostFiles
    workers: Workers
    deliveries: Deliveries
    statistics: Statistics
    owner: Owner
    actions: ActionLog
    sessions: LoginSessions
    feed_readers: FeedReaders
    sources: Sources
    ledger: Ledger
    latecomers: Latecomers
    bounces: Bounces
    newsletters: Newsletters
    hosts: Hosts
    subscriber_news: SubscriberNewsTable
    fleet: Fleet
    limits: SendingLimits
    chores: Chores

    def __init__(self, database: Database, secret: Secret = no_secret) -> None:
        self._database = self.database = database
        self.where, self._secret = database.where, secret

    if not TYPE_CHECKING:  # which would then accept every name

        def __getattr__(self, name: str) -> Any:
            """Return a part, which is loaded when it is first used: a command uses few of them."""
            if name not in _PARTS:
                raise AttributeError(f"a store has no {name!r}")
            part = getattr(import_module(f"publisher.store.{_MODULES.get(name, name)}"), _PARTS[name])
            match name:
                case "suppressions" | "sign_ups":
                    made = part(self._database, self._secret)
                case "subscribers":
                    made = part(self._database, self.suppressions)
                case "deliveries":
                    made = part(self._database, self.workers)
                case _:
                    made = part(self._database)
            return vars(self).setdefault(name, made)

    @classmethod
    def open(cls, url: str, root: Path, secret: Secret = no_secret) -> Store:
        """Open a database; see publisher.store.open_store."""
        database = Database(url, root)
        try:
            migrate(database)
        except BaseException:  # Ctrl-C too must leave no connection open
            database.close()
            raise
        return cls(database, secret)

    def close(self) -> None:
        """Close all connections. The store cannot be used afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


# The name of the class of each part.
_PARTS: dict[str, str] = vars(Store)["__annotations__"]
