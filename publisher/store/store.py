"""The database as one object, with an attribute for each kind of data."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from publisher.store.action_log import ActionLog
from publisher.store.bounces import Bounces
from publisher.store.chores import Chores
from publisher.store.database import Database
from publisher.store.deliveries import Deliveries
from publisher.store.editions import Editions
from publisher.store.feed_readers import FeedReaders
from publisher.store.fleet import Fleet
from publisher.store.hosts import Hosts
from publisher.store.imports import Imports
from publisher.store.latecomers import Latecomers
from publisher.store.ledger import Ledger
from publisher.store.migrate import migrate
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
from publisher.store.suppressions import Secret, Suppressions, no_secret
from publisher.store.workers import Workers


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

    def __init__(self, database: Database, secret: Secret = no_secret) -> None:
        self._database = self.database = database
        self.where = database.where
        self.suppressions = Suppressions(database, secret)
        self.subscribers = Subscribers(database, self.suppressions)
        self.people = People(database)
        self.segments = Segments(database)
        self.sign_ups = SignUps(database, secret)
        self.imports = Imports(database)
        self.editions = Editions(database)
        self.post_files = PostFiles(database)
        self.workers = Workers(database)
        self.deliveries = Deliveries(database, self.workers)
        self.statistics = Statistics(database)
        self.owner = Owner(database)
        self.actions = ActionLog(database)
        self.sessions = LoginSessions(database)
        self.feed_readers = FeedReaders(database)
        self.sources = Sources(database)
        self.ledger = Ledger(database)
        self.latecomers = Latecomers(database)
        self.bounces = Bounces(database)
        self.newsletters = Newsletters(database)
        self.hosts = Hosts(database)
        self.subscriber_news = SubscriberNewsTable(database)
        self.fleet = Fleet(database)
        self.limits = SendingLimits(database)
        self.chores = Chores(database)

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
