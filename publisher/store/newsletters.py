"""Newsletters: the period in which their slots (scheduled times) count, and renaming a newsletter."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import ledger_name
from publisher.store.audience import mailed
from publisher.store.catch_up import lock_newsletter, withdraw_frequencies, withdrawn
from publisher.store.database import Database
from publisher.store.edition_filling import with_complete_editions
from publisher.store.subscriber_records import RENAMED
from publisher.store.subscriptions import subscribed, unsubscribe_those_without_any
from publisher.store.tables import consent_events, editions, newsletter_posts, newsletters, subscriptions, tokens


@dataclass(frozen=True, slots=True)
class Watched:
    """The scheduler's knowledge of a newsletter and its slots.

    since   the moment from which slots count
    passed  the moment up to which slots are over; None if no slot is over yet
    rule    the schedule and the time zone of the newsletter when the scheduler last saw it
    is_new  whether the scheduler has just seen the newsletter for the first time
    """

    since: datetime
    passed: datetime | None
    rule: str
    is_new: bool = False


class Newsletters:
    """The table of newsletters; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Watched | None:
        """Return the scheduler's knowledge of a newsletter, or None if the scheduler has never seen it."""
        query = sa.select(newsletters).where(newsletters.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Watched(row.since, row.passed, row.rule)

    def see(self, name: str, rule: str, now: datetime) -> Watched:
        """Return the scheduler's knowledge of a newsletter, after recording the newsletter and its rule.

        If the newsletter is new or its rule has changed, its slots count from `now`.
        rule: the schedule and the time zone of the newsletter, as one string.
        """
        require_aware("now", now)
        query = sa.select(newsletters).where(newsletters.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is not None and row.rule == rule:
            return Watched(row.since, row.passed, row.rule)
        with self._database.write() as connection:
            new = self._database.insert_new(newsletters).values(name=name, rule=rule, since=now)
            is_new = connection.execute(new).rowcount == 1
            if not is_new:
                changed = newsletters.c.name == name, newsletters.c.rule != rule
                connection.execute(sa.update(newsletters).where(*changed).values(rule=rule, since=now))
            row = connection.execute(query).one()
        return Watched(row.since, row.passed, row.rule, is_new)

    def passed(self, name: str, until: datetime) -> None:
        """Record that a newsletter's slots up to a moment are over. An earlier moment changes nothing."""
        require_aware("until", until)
        earlier = newsletters.c.passed.is_(None) | (newsletters.c.passed < until)
        with self._database.write() as connection:
            connection.execute(sa.update(newsletters).where(newsletters.c.name == name, earlier).values(passed=until))

    def offer(self, name: str, frequencies: Collection[str]) -> None:
        """Move subscribers whose frequency a newsletter no longer offers to the newsletter's own schedule.

        None of them gets a post twice or misses one. frequencies: the frequencies that it offers, such as "weekly".
        """
        query = sa.select(subscriptions.c.subscriber_id).where(*withdrawn(name, frequencies)).limit(1)
        with self._database.read() as connection:
            if connection.execute(query).first() is None:
                return
        with with_complete_editions(self._database, name) as connection:
            withdraw_frequencies(connection, self._database, name, frequencies)

    def let_go_by(self, name: str, frequency: str, post_ids: Collection[str], segment: str, at: datetime) -> bool:
        """Record posts as never sent under a ledger name that has no subscribers; return whether they were recorded.

        If the name has subscribers by now, nothing is recorded: they get the posts in the next edition.
        segment: the condition on its subscribers; "" for all. The time zone of `at` says when its days begin.
        """
        rows = [{"newsletter": ledger_name(name, frequency), "post_id": each} for each in sorted(set(post_ids))]
        with self._database.write() as connection:
            lock_newsletter(connection, self._database, name)
            if connection.execute(mailed(name, frequency, segment, at).limit(1)).first():
                return False
            if rows:
                connection.execute(self._database.insert_new(newsletter_posts), rows)
        return True

    def rename(self, old: str, new: str, now: datetime, source: str, *, dry_run: bool = False) -> Renamed:
        """Rename a newsletter; see the function `rename`."""
        return rename(self._database, old, new, now, source, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class Renamed:
    """The result of renaming a newsletter, as numbers.

    readers   subscriptions that were moved, whatever the status of the subscriber
    both      subscribers of both names, who keep the topics that they chose for the new name; part of `readers`
    left      subscribers of the old name who had unsubscribed from the new one, and stay unsubscribed; not part of
              `readers`
    ended     ended subscriptions that were moved, so that no file begins them again under the new name
    editions  editions that were moved, with their posts
    clashes   editions that keep the old name, because the new name already has an edition for the same slot
    """

    readers: int
    both: int
    editions: int
    clashes: int
    left: int = 0
    ended: int = 0


def rename(database: Database, old: str, new: str, now: datetime, source: str, *, dry_run: bool = False) -> Renamed:
    """Move subscriptions, editions, handled posts, pending confirmations and slots to a new name, in one transaction.

    Each subscriber's history gets an event "renamed" with both names, so that links with the old name in emails still
    work. For a subscriber of both names, the record of the new name counts: someone who unsubscribed from it stays
    unsubscribed.
    dry_run: return the same result, but write nothing.
    """
    require_aware("now", now)
    with with_complete_editions(database, *sorted({old, new}), dry_run=dry_run) as connection:
        readers, both, left, ended = _subscriptions(connection, old, new, now, source)
        moved, clashes = _editions(connection, old, new)
        _posts(connection, old, new)
        _pending(connection, old, new)
        _slots(connection, old, new)
    return Renamed(readers, both, moved, clashes, left, ended)


def _subscriptions(connection: Connection, old: str, new: str, now: datetime, source: str) -> tuple[int, int, int, int]:
    """Move the subscriptions; return (readers, both, left, ended) as in Renamed."""
    subscriber_id, newsletter = subscriptions.c.subscriber_id, subscriptions.c.newsletter
    values = (sa.literal(value, column.type) for value, column in _event(now, source, f"{old} {new}"))
    names = ["subscriber_id", "at", "what", "source", "detail"]
    events = sa.select(subscriber_id, *values).where(newsletter == old)
    connection.execute(sa.insert(consent_events).from_select(names, events))
    theirs = sa.select(subscriber_id).where(newsletter == new)
    begun = theirs.where(subscribed())

    def delete(*which: sa.ColumnElement[bool]) -> int:
        """Delete the subscriptions that meet the conditions; return their number."""
        return connection.execute(sa.delete(subscriptions).where(newsletter == old, *which)).rowcount

    delete(~subscribed(), subscriber_id.in_(theirs))
    both = delete(subscribed(), subscriber_id.in_(begun))
    left = delete(subscribed(), subscriber_id.in_(theirs))
    these = sa.update(subscriptions).where(newsletter == old)
    moved = connection.execute(these.where(subscribed()).values(newsletter=new)).rowcount
    ended = connection.execute(these.values(newsletter=new)).rowcount
    unsubscribe_those_without_any(connection, new)
    return moved + both, both, left, ended


def _event(now: datetime, source: str, detail: str) -> list[tuple[object, sa.Column[object]]]:
    columns = consent_events.c
    return [(now, columns.at), (RENAMED, columns.what), (source, columns.source), (detail, columns.detail)]


def _editions(connection: Connection, old: str, new: str) -> tuple[int, int]:
    taken = sa.select(editions.c.slot).where(editions.c.newsletter == new).scalar_subquery()
    free = editions.c.newsletter == old, editions.c.slot.not_in(taken)
    moved = connection.execute(sa.update(editions).where(*free).values(newsletter=new)).rowcount
    left = sa.select(sa.func.count()).select_from(editions).where(editions.c.newsletter == old)
    return moved, int(connection.execute(left).scalar_one())


def _posts(connection: Connection, old: str, new: str) -> None:
    newsletter, post = newsletter_posts.c.newsletter, newsletter_posts.c.post_id
    query = sa.select(newsletter).distinct().where(_is_of(newsletter, old))
    for name in connection.execute(query).scalars().all():
        target = new + name.removeprefix(old)
        handled = sa.select(post).where(newsletter == target).scalar_subquery()
        connection.execute(sa.delete(newsletter_posts).where(newsletter == name, post.in_(handled)))
        connection.execute(sa.update(newsletter_posts).where(newsletter == name).values(newsletter=target))


def _is_of(column: sa.ColumnElement[str], newsletter: str) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a ledger name belongs to a newsletter."""
    return sa.or_(column == newsletter, column.startswith(ledger_name(newsletter, "") + "/", autoescape=True))


def _pending(connection: Connection, old: str, new: str) -> None:
    """Change the newsletter's name in the subscriptions that unused confirmation links would begin."""
    query = sa.select(tokens.c.token_hash, tokens.c.wish).where(
        tokens.c.used_at.is_(None), tokens.c.wish.contains(json.dumps(old), autoescape=True)
    )
    for row in connection.execute(query).all():
        wish = json.loads(row.wish)
        for chosen in wish.get("subscriptions", ()):
            chosen[0] = new if chosen[0] == old else chosen[0]
        if "mailed" in wish:
            wish["mailed"] = [new if name == old else name for name in wish["mailed"]]
        text = json.dumps(wish, ensure_ascii=False)
        connection.execute(sa.update(tokens).where(tokens.c.token_hash == row.token_hash).values(wish=text))


def _slots(connection: Connection, old: str, new: str) -> None:
    """Move the records of slots, for the newsletter and for everything named after it, such as weekly/welcome.

    A record is deleted if the scheduler has already seen the new name.
    """
    known = set(connection.execute(sa.select(newsletters.c.name)).scalars())
    for name in sorted(name for name in known if name == old or name.startswith(f"{old}/")):
        this, becomes = newsletters.c.name == name, new + name.removeprefix(old)
        if becomes in known:
            connection.execute(sa.delete(newsletters).where(this))
        else:
            connection.execute(sa.update(newsletters).where(this).values(name=becomes))
