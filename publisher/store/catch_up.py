"""How often subscribers get a newsletter, and which posts they have or lack after changing that.

Each frequency of a newsletter has its own editions, which may contain the same posts. Subscribers who change their
frequency get no post twice and miss none: the column `catch_up` of their subscription says how their posts differ from
those of the new frequency (core CatchUp). The next edition at that frequency brings the posts that they lack. They are
in step as soon as it has also sent the posts that they got in advance.

The functions work inside the caller's transaction. Changes of the frequency and new editions of a newsletter wait for
each other, so that a subscriber either gets an edition or lacks its posts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import IN_STEP, CatchUp, DeliveryStatus, Edition, EditionDraft, ledger_name
from publisher.core.subscription_status import SubscriptionStatus
from publisher.store.database import Database
from publisher.store.tables import deliveries, editions, letter_posts, newsletter_posts, subscribers, subscriptions

# The time when a newsletter began with a source is a row among its posts, so renaming the newsletter moves it, too.
BEGINNING = "@began with source "

# No newsletter has this name. Take its lock before that of a newsletter.
ALL_NEWSLETTERS = ""

_LOCK = 0x5075626C  # apart from the other advisory locks; the second number is the newsletter


def encode_catch_up(catch_up: CatchUp) -> str:
    """Return a CatchUp as JSON, the same text for equal values; "" for a subscriber who is in step."""
    if catch_up == IN_STEP:
        return ""
    value = {"had": sorted(catch_up.had), "owed": sorted(catch_up.owed)}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def decode_catch_up(text: str) -> CatchUp:
    """Return what `encode_catch_up` wrote."""
    if not text:
        return IN_STEP
    value = json.loads(text)
    return CatchUp(frozenset(value["had"]), frozenset(value["owed"]))


def lock_newsletter(connection: Connection, database: Database, newsletter: str) -> None:
    """Make other frequency changes and new editions of a newsletter wait until the transaction ends.

    Call this before any row of a subscriber is locked. SQLite has one writer at a time and needs no lock.
    """
    if not database.is_sqlite:
        digest = hashlib.blake2b(newsletter.encode("utf-8", "surrogatepass"), digest_size=4).digest()
        number = int.from_bytes(digest, "big", signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.cast(_LOCK, sa.Integer), number)))


def change_frequency(
    connection: Connection, database: Database, subscriber_id: int, newsletter: str, frequency: str
) -> bool:
    """Give a subscription a different frequency; return whether it changed. The caller has locked the newsletter."""
    mine = subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.newsletter == newsletter
    row = connection.execute(sa.select(subscriptions.c.frequency, subscriptions.c.catch_up).where(*mine)).first()
    if row is None or row.frequency == frequency:
        return False
    _move(connection, database, newsletter, (row.frequency, row.catch_up), frequency, mine)
    return True


def withdraw_frequencies(connection: Connection, database: Database, newsletter: str, offered: Collection[str]) -> None:
    """Give subscribers whose frequency is no longer offered the newsletter's own schedule.

    offered: the frequencies that subscribers can choose. The caller has locked the newsletter.
    """
    frequency, catch_up = subscriptions.c.frequency, subscriptions.c.catch_up
    query = sa.select(frequency, catch_up).distinct().where(*withdrawn(newsletter, offered))
    for row in connection.execute(query.order_by(frequency, catch_up)).all():
        these = subscriptions.c.newsletter == newsletter, frequency == row.frequency, catch_up == row.catch_up
        _move(connection, database, newsletter, (row.frequency, row.catch_up), "", these)


def withdrawn(newsletter: str, offered: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the SQL conditions for subscriptions whose frequency is not offered."""
    mine = subscriptions.c.newsletter == newsletter
    # The partial index requires the condition that the frequency is not "".
    return mine, subscriptions.c.frequency != "", subscriptions.c.frequency.not_in(sorted(offered))


def lock_those_behind(connection: Connection, edition: Edition | EditionDraft, ahead: Collection[str] = ()) -> None:
    """Lock the subscribers whom `settle` may change: nobody begins or ends a pause until the transaction ends.

    So exactly the people who get a delivery of the edition count as having caught up. The caller has locked the
    newsletter.
    """
    query = sa.select(subscribers.c.id).join_from(subscriptions, subscribers).order_by(subscribers.c.id)
    query = query.where(*_behind(edition, ahead))
    connection.execute(query.with_for_update(of=subscribers, key_share=True)).all()  # SQLite ignores this


def settle(
    connection: Connection,
    edition: Edition,
    audience: sa.Select[tuple[int]],
    brought: frozenset[str],
    ahead: frozenset[str] = frozenset(),
) -> None:
    """Record that subscribers in an edition's audience who had to catch up have done so with it.

    audience  the ids of the subscribers who may be sent the edition
    brought   ids of the posts that it brings to those who lack them; other posts that somebody lacks stay recorded
    ahead     ids of posts that it leaves out because everybody had got them when it was planned; subscribers who have
              come since, and have not got these posts, lack them from now on
    """
    catch_up, these = subscriptions.c.catch_up, _behind(edition, ahead)
    query = sa.select(catch_up).distinct().where(*these).order_by(catch_up)
    texts = connection.execute(query).scalars().all()
    firm = _firm(connection, ledger_name(edition.newsletter, edition.frequency)) if texts else frozenset()
    for text in texts:
        before = decode_catch_up(text)
        # Posts of an edition that the owner may still cancel do not count as received.
        had, owed = before.had | (before.owed & brought), (before.owed - brought) | (ahead - before.had)
        after = encode_catch_up(CatchUp(had - firm, owed))
        change = sa.update(subscriptions).where(*these, catch_up == text, subscriptions.c.subscriber_id.in_(audience))
        connection.execute(change.values(catch_up=after))


def call_off(connection: Connection, edition: Edition, passed: Collection[str]) -> None:
    """Record that an edition is not sent, so that later editions may have its posts.

    Subscribers who would have got the edition now lack its posts, as far as their frequency has already handled them.
    passed: ids of the posts in it that no later edition may have.
    """
    its_posts = newsletter_posts.c.edition_id == edition.id
    kept = sa.update(newsletter_posts).where(its_posts, newsletter_posts.c.post_id.in_(passed))
    connection.execute(kept.values(edition_id=None))
    freed = connection.execute(sa.select(newsletter_posts.c.post_id).where(its_posts).distinct()).scalars().all()
    connection.execute(sa.delete(newsletter_posts).where(its_posts))
    frequency, catch_up, variant = subscriptions.c.frequency, subscriptions.c.catch_up, deliveries.c.variant
    mine = deliveries.c.edition_id == edition.id, deliveries.c.status == DeliveryStatus.SKIPPED
    theirs = subscriptions.c.newsletter == edition.newsletter
    same = deliveries.c.subscriber_id == subscriptions.c.subscriber_id
    query = sa.select(frequency, catch_up, variant).distinct().join_from(subscriptions, deliveries, same)
    ids = sa.select(letter_posts.c.post_id).where(letter_posts.c.edition_id == edition.id)
    for row in connection.execute(query.where(theirs, *mine)).all():
        lost = frozenset(connection.execute(ids.where(letter_posts.c.variant == row.variant)).scalars()) - set(passed)
        now = decode_catch_up(row.catch_up)
        owed = now.owed | (lost & _handled(connection, ledger_name(edition.newsletter, row.frequency)))
        who = sa.select(deliveries.c.subscriber_id).where(*mine, variant == row.variant)
        these = theirs, frequency == row.frequency, catch_up == row.catch_up, subscriptions.c.subscriber_id.in_(who)
        after = encode_catch_up(CatchUp(now.had - lost, owed))
        if after != row.catch_up:
            connection.execute(sa.update(subscriptions).where(*these).values(catch_up=after))
    for post_id in sorted(freed):
        _keep_as_had(connection, edition, post_id)


def _keep_as_had(connection: Connection, edition: Edition, post_id: str) -> None:
    """Record who got a post at another frequency, because the next edition at their own may now contain it."""
    frequency, catch_up = subscriptions.c.frequency, subscriptions.c.catch_up
    letter = letter_posts.c.edition_id == deliveries.c.edition_id, letter_posts.c.variant == deliveries.c.variant
    who = (
        sa.select(deliveries.c.subscriber_id)
        .join_from(letter_posts, deliveries, sa.and_(*letter))
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(letter_posts.c.post_id == post_id, editions.c.newsletter == edition.newsletter)
        .where(editions.c.id != edition.id, deliveries.c.status != DeliveryStatus.SKIPPED)
    )
    these = subscriptions.c.newsletter == edition.newsletter, frequency == edition.frequency
    mine = *these, subscriptions.c.subscriber_id.in_(who)
    for text in connection.execute(sa.select(catch_up).distinct().where(*mine)).scalars().all():
        now = decode_catch_up(text)
        change = sa.update(subscriptions).where(*mine, catch_up == text)
        connection.execute(change.values(catch_up=encode_catch_up(CatchUp(now.had | {post_id}, now.owed))))


def _behind(edition: Edition | EditionDraft, ahead: Collection[str]) -> list[sa.ColumnElement[bool]]:
    """Return the SQL conditions for an edition's subscribers who must catch up; for all if it passes over posts."""
    these = [subscriptions.c.newsletter == edition.newsletter, subscriptions.c.frequency == edition.frequency]
    return these if ahead else [*these, subscriptions.c.catch_up != ""]


def _move(
    connection: Connection,
    database: Database,
    newsletter: str,
    now: tuple[str, str],
    frequency: str,
    these: Iterable[sa.ColumnElement[bool]],
) -> None:
    """Change the frequency of subscriptions that have the same frequency and posts to catch up on, given in `now`."""
    its_name = ledger_name(newsletter, frequency)
    catch_up, theirs = decode_catch_up(now[1]), _handled(connection, ledger_name(newsletter, now[0]))
    has = (theirs - catch_up.owed) | catch_up.had
    handled = _handled(connection, its_name)
    if not _has_subscriber(connection, newsletter, frequency):
        # Nobody gets its editions, so it continues with the posts that its first subscriber has not had.
        _take_over(connection, database, its_name, has - handled, ledger_name(newsletter, now[0]))
        handled |= has
    after = CatchUp(has - (handled - _unsettled(connection, its_name)), handled - has)
    change = sa.update(subscriptions).where(*these)
    connection.execute(change.values(frequency=frequency, catch_up=encode_catch_up(after)))


def _has_subscriber(connection: Connection, newsletter: str, frequency: str) -> bool:
    mine = subscriptions.c.newsletter == newsletter, subscriptions.c.frequency == frequency
    query = sa.select(subscriptions.c.subscriber_id).where(
        *mine, subscriptions.c.status == SubscriptionStatus.SUBSCRIBED
    )
    return connection.execute(query.limit(1)).first() is not None


def _take_over(connection: Connection, database: Database, name: str, ids: Collection[str], other: str) -> None:
    """Record posts as handled under a ledger name, with the editions in which `other` sent them."""
    query = sa.select(newsletter_posts.c.post_id, newsletter_posts.c.edition_id)
    sent = {
        row.post_id: row.edition_id for row in connection.execute(query.where(newsletter_posts.c.newsletter == other))
    }
    rows = [{"newsletter": name, "post_id": each, "edition_id": sent.get(each)} for each in sorted(ids)]
    if rows:
        connection.execute(database.insert_new(newsletter_posts), rows)


def _handled(connection: Connection, name: str) -> frozenset[str]:
    """Return the ids of the posts that were sent or passed over under a ledger name."""
    its_own = newsletter_posts.c.newsletter == name
    query = sa.select(newsletter_posts.c.post_id).where(its_own, ~newsletter_posts.c.post_id.startswith(BEGINNING))
    return frozenset(connection.execute(query).scalars())


def _unsettled(connection: Connection, name: str) -> frozenset[str]:
    """Return the ids of posts under a ledger name whose edition is on hold, so the owner may still cancel it."""
    query = (
        sa.select(newsletter_posts.c.post_id)
        .join(editions, editions.c.id == newsletter_posts.c.edition_id)
        .where(newsletter_posts.c.newsletter == name, editions.c.held != "")
    )
    return frozenset(connection.execute(query).scalars())


def _firm(connection: Connection, name: str) -> frozenset[str]:
    return _handled(connection, name) - _unsettled(connection, name)
