"""Making an edition for many subscribers: its deliveries are written in parts, each in a short transaction.

Who gets the edition is decided when it is made. The row in `unfilled_editions` says which subscribers have no delivery
yet, and any process can continue from there; nothing is sent before all of them have one. Before anything changes about
a subscriber who has none yet, `decide` writes their delivery.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone, tzinfo
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, Text, text
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Edition, EditionDraft, EditionKind
from publisher.store.audience import fill, known_selections, queue, require_known
from publisher.store.catch_up import ALL_NEWSLETTERS, lock_newsletter
from publisher.store.column_types import Key, belongs
from publisher.store.database import Database
from publisher.store.ledger_partitions import analyse_partition
from publisher.store.tables import deliveries, editions, metadata, subscribers, subscriptions

# How many subscribers of a newsletter one transaction adds. An edition for no more than these is made in a single one.
PART = 10_000

# The same for SQLite, which would write a part of PostgreSQL's size in less time than the pause that follows.
SQLITE_PART = 33_000

# How long to let others write between two parts on SQLite, in seconds. A waiting process tries again and again, at
# first every 25 ms, and would find the next part in progress each time.
BREATH = 0.025

# The editions that are not complete. An edition has a row here from the transaction that creates it until all of its
# subscribers have a delivery.
unfilled_editions = Table(
    "unfilled_editions",
    metadata,
    Column("edition_id", Key, sa.ForeignKey("editions.id"), primary_key=True, autoincrement=False),
    Column("reached", Key, nullable=False, server_default=text("0")),  # all subscribers up to this one are decided
    Column("last", Key, nullable=False),  # the newest subscriber when the edition was made
    Column("variants", Text, nullable=False),  # JSON object: selection -> variant of the letter; null for no delivery
    Column("zone", String(100), nullable=False),  # time zone of the segment's days
)

# The subscribers after `reached` who are decided already.
decided_subscribers = Table(
    "decided_subscribers",
    metadata,
    belongs("edition_id", "unfilled_editions.edition_id"),
    Column("subscriber_id", Key, nullable=False),  # not a foreign key, because the rows exist only for seconds
    PrimaryKeyConstraint("edition_id", "subscriber_id"),
)


_SUBSCRIBER = subscriptions.c.subscriber_id


def is_complete() -> sa.ColumnElement[bool]:
    """Return the SQL condition that every subscriber of an edition has a delivery."""
    return sa.not_(
        sa.select(unfilled_editions.c.edition_id).where(unfilled_editions.c.edition_id == editions.c.id).exists()
    )


def missing(connection: Connection, edition_ids: Sequence[int]) -> dict[int, int]:
    """Estimate how many deliveries are missing from each incomplete edition among these.

    The result is at least 1. It is the number of remaining subscriptions, times the share of the earlier ones that
    became deliveries.
    """
    found = {}
    for row in _unfilled(connection, editions.c.id.in_(edition_ids)):
        reached = row.reached >= _SUBSCRIBER
        query = sa.select(sa.func.count().filter(reached).label("past"), sa.func.count().label("all"))
        these = subscriptions.c.newsletter == row.newsletter, row.last >= _SUBSCRIBER
        people = connection.execute(query.where(*these)).one()
        written = sa.select(sa.func.count()).where(deliveries.c.edition_id == row.edition_id)
        past = deliveries.c.subscriber_id <= row.reached
        share = connection.execute(written.where(past)).scalar_one() / people.past if people.past else 1
        found[row.edition_id] = max(1, _rounded((people.all - people.past) * share))
    return found


def _rounded(count: float) -> int:
    """Return a number rounded to two significant digits."""
    return int(round(count, 2 - len(str(round(count)))))


def is_large(connection: Connection, draft: EditionDraft) -> bool:
    """Return whether an edition is made in parts. If it depends on what people were sent, it is made as a whole."""
    if draft.once or draft.ahead:
        return False
    query = sa.select(subscriptions.c.subscriber_id).where(subscriptions.c.newsletter == draft.newsletter)
    return connection.execute(query.limit(1).offset(PART)).first() is not None


def begin(connection: Connection, database: Database, edition: Edition, draft: EditionDraft) -> None:
    """Decide who gets an edition, without writing the deliveries of those who are in step with its frequency.

    The caller has taken Database.guard alone, so that no subscriber changes in the meantime. Raises ChoicesChangedError
    if a subscriber has a selection that the draft does not know.
    """
    require_known(connection, edition, draft)
    if edition.kind is EditionKind.POSTS:
        queue(connection, sa.insert(deliveries), edition, draft, subscriptions.c.catch_up != "")
    newest = connection.execute(sa.select(sa.func.max(subscribers.c.id))).scalar()
    variants = json.dumps(known_selections(draft), ensure_ascii=False)
    row = {"edition_id": edition.id, "last": newest or 0, "variants": variants, "zone": _zone_name(edition.made_at)}
    connection.execute(sa.insert(unfilled_editions), [row])
    if edition.kind is EditionKind.POSTS:  # they have caught up, and nothing else records that they were behind
        behind = subscriptions.c.newsletter == edition.newsletter, subscriptions.c.frequency == edition.frequency
        ids = sa.select(sa.literal(edition.id), subscriptions.c.subscriber_id).where(
            *behind, subscriptions.c.catch_up != ""
        )
        connection.execute(sa.insert(decided_subscribers).from_select(["edition_id", "subscriber_id"], ids))


def complete(database: Database, *which: sa.ColumnElement[bool]) -> int:
    """Write the missing deliveries of the editions that meet these SQL conditions; return how many there were.

    Any number of processes may do this at the same time: they take turns. Each part is a transaction of its own.
    """
    with database.read() as connection:
        numbers = [row.edition_id for row in _unfilled(connection, *which)]
    for number in numbers:
        while _write_part(database, number):
            if database.is_sqlite:
                sleep(BREATH)
    return len(numbers)


@contextmanager
def with_complete_editions(
    database: Database, *newsletters: str, guarded: bool = False, dry_run: bool = False
) -> Iterator[Connection]:
    """Open a transaction for writing, with these newsletters locked and all of their editions complete.

    newsletters  see `lock_newsletter`; with ALL_NEWSLETTERS, or with none, the editions of all newsletters are complete
    guarded      whether to make all transactions on subscribers wait, too
    dry_run      roll back at the end in any case
    """
    has_all = not newsletters or ALL_NEWSLETTERS in newsletters
    these = [] if has_all else [editions.c.newsletter.in_(newsletters)]
    while True:
        complete(database, *these)
        with database.write(dry_run=dry_run) as connection:
            if guarded:
                database.guard(connection, alone=True)
            for each in newsletters:
                lock_newsletter(connection, database, each)
            if not _unfilled(connection, *these):  # otherwise another process has just made one
                yield connection
                return


def decide(connection: Connection, database: Database, subscriber_ids: Collection[int]) -> None:
    """Write the deliveries of subscribers who are about to change, for all editions that are not complete.

    The caller has taken Database.guard. Later changes of the subscribers do not matter for these editions.
    """
    for row in _unfilled(connection) if subscriber_ids else ():
        ids = sorted({each for each in subscriber_ids if row.reached < each <= row.last})
        for some in (ids[start : start + PART] for start in range(0, len(ids), PART)):
            _insert(connection, database, row, subscribers.c.id.in_(some))
            marks = [{"edition_id": row.edition_id, "subscriber_id": each} for each in some]
            connection.execute(database.insert_new(decided_subscribers), marks)


def _unfilled(connection: Connection, *which: sa.ColumnElement[bool]) -> Sequence[Row[Any]]:
    """Return the editions that are not complete, oldest first, with what is needed to complete them."""
    columns = (editions.c[name] for name in _OF_EDITION)
    query = sa.select(unfilled_editions, *columns).join_from(unfilled_editions, editions).where(*which)
    return connection.execute(query.order_by(unfilled_editions.c.edition_id)).all()


_OF_EDITION = ("newsletter", "slot", "number", "subject", "made_at", "goes_at", "kind", "segment", "frequency")


def _write_part(database: Database, edition_id: int) -> bool:
    """Do the next part of an edition in one transaction; return whether there is more to do."""
    with database.write() as connection:
        row = _row(connection, edition_id)
        if row is not None and row.reached < row.last:
            database.guard(connection, alone=True)  # so that no subscriber changes, or is erased, meanwhile
            row = _row(connection, edition_id)
        if row is None:
            return False
        if row.reached < row.last:
            if not database.is_sqlite:
                # A part that the server loses in a crash is written again. The log is in order, so a part is on disk
                # whenever a later transaction is; and nothing is sent before the last transaction, which waits for the
                # disk.
                connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
            until = _end_of_part(connection, row)
            # For both columns, so that the part is small whichever table the planner begins with.
            part = [each.between(row.reached + 1, until) for each in (subscribers.c.id, _SUBSCRIBER)]
            _insert(connection, database, row, *part)
            this = unfilled_editions.c.edition_id == edition_id
            connection.execute(sa.update(unfilled_editions).where(this).values(reached=until))
            return True
        analyse_partition(connection, edition_id)
        connection.execute(sa.delete(decided_subscribers).where(decided_subscribers.c.edition_id == edition_id))
        connection.execute(sa.delete(unfilled_editions).where(unfilled_editions.c.edition_id == edition_id))
        return False


def _row(connection: Connection, edition_id: int) -> Row[Any] | None:
    return next(iter(_unfilled(connection, editions.c.id == edition_id)), None)


def _end_of_part(connection: Connection, row: Row[Any]) -> int:
    """Return the last subscriber of the next part of an edition."""
    ids = sa.select(_SUBSCRIBER).where(subscriptions.c.newsletter == row.newsletter, row.reached < _SUBSCRIBER)
    most = SQLITE_PART if connection.dialect.name == "sqlite" else PART
    query = ids.where(row.last >= _SUBSCRIBER).order_by(_SUBSCRIBER).offset(most - 1).limit(1)
    return int(connection.execute(query).scalar() or row.last)


def _insert(connection: Connection, database: Database, row: Row[Any], *these: sa.ColumnElement[bool]) -> None:
    """Write the missing deliveries of an incomplete edition for the subscribers who meet some SQL conditions."""
    edition = Edition(
        id=row.edition_id,
        newsletter=row.newsletter,
        slot=row.slot,
        number=row.number,
        subject=row.subject,
        made_at=row.made_at.astimezone(_zone(row.zone)),
        posts=(),
        goes_at=row.goes_at,
        kind=row.kind,
        segment=row.segment,
        frequency=row.frequency,
    )
    decided = decided_subscribers.c.edition_id == edition.id, decided_subscribers.c.subscriber_id == subscribers.c.id
    open_ = sa.not_(sa.select(decided_subscribers.c.edition_id).where(*decided).exists())
    fill(connection, database.insert_new(deliveries), edition, json.loads(row.variants), open_, *these)


def _zone_name(at: datetime) -> str:
    """Return the name of a moment's time zone, or its UTC offset in seconds if the zone has no name."""
    return getattr(at.tzinfo, "key", "") or str(round((at.utcoffset() or timedelta()).total_seconds()))


def _zone(name: str) -> tzinfo:
    """Return the time zone that `_zone_name` named."""
    try:
        return timezone(timedelta(seconds=int(name)))
    except ValueError:
        return ZoneInfo(name)
