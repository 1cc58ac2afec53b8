"""Emails that somebody other than the mailbox's owner can trigger, counted for each mailbox.

A row contains a keyed hash instead of the mailbox, so the count may remain when a subscriber is deleted. Every function
works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.store.database import Database
from publisher.store.subscriber_records import EmailTrigger
from publisher.store.tables import requested_emails

# The count for a mailbox whose owner wants none of these emails. It is higher than any real count.
SILENCED = 1_000_000


def must_wait(
    connection: Connection, mailbox_hash: str, trigger: EmailTrigger, waits: Sequence[timedelta], now: datetime
) -> bool:
    """Return whether a mailbox may not get another email yet.

    waits: how long to wait after the first email, the second, and so on; after the last wait and its email, no more
    are sent.
    """
    query = sa.select(requested_emails.c.sent, requested_emails.c.sent_at).where(*_is(mailbox_hash, trigger))
    row = connection.execute(query).first()
    if row is None:
        return False
    return bool(row.sent > len(waits) or now < row.sent_at + waits[row.sent - 1])


def count_email(
    connection: Connection, database: Database, mailbox_hash: str, trigger: EmailTrigger, now: datetime
) -> None:
    """Count an email to a mailbox."""
    row = {"mailbox_hash": mailbox_hash, "trigger": trigger, "sent": 1, "sent_at": now}
    if connection.execute(database.insert_new(requested_emails), [row]).rowcount == 0:
        known = sa.update(requested_emails).where(*_is(mailbox_hash, trigger))
        connection.execute(known.values(sent=requested_emails.c.sent + 1, sent_at=now))


def count_since(connection: Connection, trigger: EmailTrigger, moment: datetime) -> int:
    """Return how many mailboxes got an email after a moment."""
    query = sa.select(sa.func.count()).where(
        requested_emails.c.trigger == trigger,
        requested_emails.c.sent_at > moment,
        requested_emails.c.sent < SILENCED,
    )
    return int(connection.execute(query).scalar_one())


def forget(connection: Connection, mailbox_hash: str) -> None:
    """Start counting again for a mailbox whose owner has shown that the emails are wanted."""
    connection.execute(sa.delete(requested_emails).where(requested_emails.c.mailbox_hash == mailbox_hash))


def silence(connection: Connection, mailbox_hash: str, now: datetime) -> None:
    """Send none of these emails to a mailbox until `forget`."""
    forget(connection, mailbox_hash)
    row = {"mailbox_hash": mailbox_hash, "sent": SILENCED, "sent_at": now}
    connection.execute(sa.insert(requested_emails), [row | {"trigger": trigger} for trigger in EmailTrigger])


def _is(mailbox_hash: str, trigger: EmailTrigger) -> tuple[sa.ColumnElement[bool], ...]:
    return requested_emails.c.mailbox_hash == mailbox_hash, requested_emails.c.trigger == trigger
