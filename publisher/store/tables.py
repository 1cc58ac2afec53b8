"""The tables of the database after the last migration.

A test compares these tables with the result of the migrations, so that one cannot change without the other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    func,
    text,
)

from publisher.core.bounce_report import Verdict
from publisher.core.hold_reasons import HeldBy
from publisher.core.newsletter_models import DeliveryStatus, EditionKind, SubscriberStatus, SuppressionReason
from publisher.core.subscriber_fields import FieldKind
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionStatus
from publisher.store.column_types import Key, UtcTime, belongs, key, words
from publisher.store.subscriber_records import EmailTrigger

# The revision of these tables. A database at this revision can be used without Alembic, which takes 0.4 s to import.
HEAD = "0027"

# Names for all constraints: a migration that works on both databases can drop a constraint only by its name.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)


subscribers = Table(
    "subscribers",
    metadata,
    key(),
    Column("uid", String(40), nullable=False, unique=True),
    Column("address", String(320), nullable=False),  # as email is sent to it
    Column("address_key", String(640), nullable=False, unique=True),  # equal for all spellings of one address
    Column("name", Text, nullable=False),
    Column("language", String(40), nullable=False),
    Column("status", words(SubscriberStatus), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("paused_until", UtcTime),
    Column("asked_at", UtcTime),  # when it last got a confirmation email
    Column("confirmed_at", UtcTime),  # when they, or an operator who vouched for them, first gave consent
    Column("bounced_at", UtcTime),
    Column("bounces", Integer, nullable=False, server_default=text("0")),  # in a row, since the last success
    Column("import_id", Key),  # the import that added them, as long as only imports have named them
    Column("fields", Text, nullable=False, server_default=text("'{}'")),  # JSON object: name of a field -> value
    Column("note", Text, nullable=False, server_default=text("''")),  # for the owner alone
    Column("name_key", String(100), nullable=False, server_default=text("''")),  # for finding and sorting names
    Index(None, "name_key", "id"),
)


def joined() -> ColumnElement[datetime]:
    """Return the SQL expression for Subscriber.joined_at."""
    return func.coalesce(subscribers.c.confirmed_at, subscribers.c.created_at)


Index("ix_subscribers_joined", joined(), subscribers.c.id)

# The owner's tags for groups of subscribers.
subscriber_tags = Table(
    "subscriber_tags",
    metadata,
    belongs("subscriber_id", "subscribers.id"),
    Column("tag", String(100), nullable=False),
    PrimaryKeyConstraint("subscriber_id", "tag"),
    Index(None, "tag", "subscriber_id"),
)

# The fields that any subscriber has a value for, or that were found by an import.
fields = Table(
    "fields",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("kind", words(FieldKind), nullable=False),
)

# The conditions on subscribers that the owner has saved.
segments = Table(
    "segments",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("condition", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
)

# A subscription that has ended keeps its row, so that no file can begin it again.
subscriptions = Table(
    "subscriptions",
    metadata,
    belongs("subscriber_id", "subscribers.id"),
    Column("newsletter", String(100), nullable=False),
    Column("topics", Text, nullable=False),  # sorted JSON array; [] means all
    Column("status", words(SubscriptionStatus), nullable=False, server_default=text("'subscribed'")),
    Column("since", UtcTime),  # when this was said; NULL if a file gave no date
    Column("cause", words(SubscriptionEvent), nullable=False, server_default=text("'imported'")),
    Column("source", Text, nullable=False, server_default=text("''")),
    Column("frequency", String(20), nullable=False, server_default=text("''")),  # "" for the newsletter's own schedule
    Column("catch_up", Text, nullable=False, server_default=text("''")),  # JSON; see store/catch_up.py
    PrimaryKeyConstraint("subscriber_id", "newsletter"),
    Index(None, "newsletter", "subscriber_id"),
    Index(None, "newsletter", "since"),
)


def _partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool] | TextClause) -> None:
    """Define an index of some rows. Migrations create it on both databases.

    Stating its condition for PostgreSQL, too, would load SQLAlchemy's support for it: 0.05 s of each start.
    """
    Index(name, *columns, sqlite_where=where)


_CHANGED = text("frequency <> '' OR catch_up <> ''")
_partial_index(
    "ix_subscriptions_newsletter_frequency",
    subscriptions.c.newsletter,
    subscriptions.c.frequency,
    where=_CHANGED,
)

consent_events = Table(
    "consent_events",
    metadata,
    key(),
    belongs("subscriber_id", "subscribers.id", index=True),
    Column("at", UtcTime, nullable=False),
    Column("what", String(40), nullable=False),
    Column("source", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("text_version", Text),
    Column("ip", Text),
    Column("user_agent", Text),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", String(64), primary_key=True),  # keyed, so that the list cannot be read
    Column("reason", words(SuppressionReason), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("key_id", String(16)),  # identifies the secret; with a different secret the list would silently seem empty
    Column("import_id", Key),  # the import that put it on the list, as long as nothing else has
)

# Partial indexes, because most people and addresses did not come from a file, or no longer belong to a single one.
_partial_index(
    "ix_subscribers_import_id",
    subscribers.c.import_id,
    subscribers.c.id,
    where=subscribers.c.import_id.is_not(None),
)
_partial_index(
    "ix_suppressions_import_id",
    suppressions.c.import_id,
    where=suppressions.c.import_id.is_not(None),
)

# The imports of files. The digest identifies a file and its options: running them again is the same import.
imports = Table(
    "imports",
    metadata,
    key(),
    Column("file", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    Column("undone_at", UtcTime),
)

# What an import found about the people whom it changed, so that it can be undone.
import_changes = Table(
    "import_changes",
    metadata,
    belongs("import_id", "imports.id"),
    belongs("subscriber_id", "subscribers.id", index=True),
    Column("before", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("import_id", "subscriber_id"),
)

# The tokens in links in emails. Each can be used once. The table contains only hashes, so reading it gives no access.
tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("purpose", String(20), nullable=False),
    belongs("subscriber_id", "subscribers.id", index=True),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("wish", Text, nullable=False),  # JSON: what happens when the token is used
    Column("address_key", String(640), nullable=False, index=True),  # of the new address; "" for other purposes
)

# Requests of the sign-up form that were accepted and not carried out yet. It is usually empty.
sign_ups = Table(
    "sign_ups",
    metadata,
    key(),
    Column("at", UtcTime, nullable=False),
    Column("sealed", Text, nullable=False),  # encrypted JSON
)

# How many emails a mailbox got that someone else may have triggered, since its owner last proved that they want them.
# The hash is keyed, and the same for all spellings of a mailbox.
requested_emails = Table(
    "requested_emails",
    metadata,
    Column("mailbox_hash", String(64), nullable=False),
    Column("trigger", words(EmailTrigger), nullable=False),
    Column("sent", Integer, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("mailbox_hash", "trigger"),
    Index(None, "trigger", "sent_at"),
)

editions = Table(
    "editions",
    metadata,
    key(),
    Column("newsletter", String(100), nullable=False),
    Column("slot", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("held", Text, nullable=False, server_default=text("''")),  # why it is on hold; "" if it is not on hold
    Column("held_by", words(HeldBy)),
    Column("goes_at", UtcTime),  # when it is due to be sent, if that is later than made_at
    Column("kind", words(EditionKind), nullable=False, server_default=text("'posts'")),
    Column("segment", Text, nullable=False, server_default=text("''")),  # the condition on its subscribers; "" for all
    Column("frequency", String(20), nullable=False, server_default=text("''")),  # as in its subscribers' rows
    UniqueConstraint("newsletter", "slot"),
)

edition_posts = Table(
    "edition_posts",
    metadata,
    belongs("edition_id", "editions.id"),
    Column("position", Integer, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    PrimaryKeyConstraint("edition_id", "position"),
)

letters = Table(
    "letters",
    metadata,
    belongs("edition_id", "editions.id"),
    Column("variant", String(255), nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("edition_id", "variant"),
)

# The posts in each letter. Together with the deliveries it says which posts each subscriber was sent.
letter_posts = Table(
    "letter_posts",
    metadata,
    belongs("edition_id", "editions.id"),
    Column("variant", String(255), nullable=False),
    Column("post_id", Text, nullable=False),
    PrimaryKeyConstraint("edition_id", "variant", "post_id"),
    Index(None, "post_id"),
)

# The posts that a newsletter, by its ledger name, never sends again. edition_id is NULL for posts that it passed over.
newsletter_posts = Table(
    "newsletter_posts",
    metadata,
    Column("newsletter", String(100), nullable=False),
    Column("post_id", Text, nullable=False),
    belongs("edition_id", "editions.id", nullable=True),
    PrimaryKeyConstraint("newsletter", "post_id"),
)

# The files from which sent posts were made, so that a sent post is recognised when its id changes.
post_files = Table(
    "post_files",
    metadata,
    Column("post_id", Text, primary_key=True),
    Column("source", Text, nullable=False),  # relative to the posts folder; "" if it is not known
    Column("digest", String(64), nullable=False),
    Column("words", Text, nullable=False),  # hashes that recognise the text
)

# The bounce reports that have been processed. A report counts only once, however often it arrives, and from wherever.
reports = Table(
    "reports",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
)

bounces = Table(
    "bounces",
    metadata,
    key(),
    Column("at", UtcTime, nullable=False),
    belongs("subscriber_id", "subscribers.id", index=True),
    belongs("edition_id", "editions.id", nullable=True, index=True),
    Column("delivery_id", Key),  # not a foreign key, because deleting deliveries would then need an index here
    Column("verdict", words(Verdict), nullable=False),
    Column("status", String(20), nullable=False),
    Column("words", Text, nullable=False),  # the mail server's explanation, without addresses
    Column("source", Text, nullable=False),
)

# A delivery waits while it has a next_try_at, is being sent while it has a lease, and is over when it has neither.
# Queries use these two columns. The status says why, and only mail/lifecycle.py chooses it.
deliveries = Table(
    "deliveries",
    metadata,
    key(),
    belongs("edition_id", "editions.id"),
    belongs("subscriber_id", "subscribers.id"),
    Column("variant", String(255), nullable=False),
    Column("status", words(DeliveryStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", String(120)),
    Column("lease_until", UtcTime),
    Column("next_try_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("reason", Text, nullable=False),
    UniqueConstraint("edition_id", "subscriber_id"),
    Index("ix_deliveries_status", "edition_id", "status"),
)

# A partial index, so that a claim reads only the rows that it takes, however many others there are.
_partial_index(
    "ix_deliveries_due",
    deliveries.c.edition_id,
    deliveries.c.next_try_at,
    deliveries.c.id,
    where=deliveries.c.next_try_at.is_not(None),
)
_partial_index(
    "ix_deliveries_leased",
    deliveries.c.lease_owner,
    where=deliveries.c.lease_owner.is_not(None),
)

# The owner's password for the admin page. The table is empty if no password was set, and has one row otherwise.
owner = Table(
    "owner",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("password_hash", Text, nullable=False),  # argon2
    Column("set_at", UtcTime, nullable=False),
    Column("totp_secret", Text, nullable=False, server_default=text("''")),  # encrypted; "" without a second factor
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),  # of the last code, which is used up
)

# The owner's sessions that have not been ended. Reading the table gives no access: it contains only hashes.
sessions = Table(
    "sessions",
    metadata,
    key(),
    Column("token_hash", String(64), nullable=False, unique=True),
    *(Column(name, UtcTime, nullable=False) for name in ("begun_at", "ends_at")),
    Column("client", String(64), nullable=False),  # the network, or the whole IP address with log.addresses
    Column("browser", String(80), nullable=False),
)
recovery_codes = Table("recovery_codes", metadata, Column("code_hash", String(64), primary_key=True))

# What people did with buttons and commands, and who logged in. No address is stored, only the subscriber's row.
actions = Table(
    "actions",
    metadata,
    key(),
    Column("at", UtcTime, nullable=False),
    Column("who", String(60), nullable=False),
    Column("via", String(20), nullable=False),
    Column("client", String(64), nullable=False),
    Column("what", String(40), nullable=False),
    Column("about", Text, nullable=False),
    belongs("subscriber_id", "subscribers.id", nullable=True, index=True),
    Column("detail", Text, nullable=False),
)

# The scheduler's knowledge of each newsletter: its slots count from `since`, and slots up to `passed` are over.
newsletters = Table(
    "newsletters",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("rule", Text, nullable=False),  # schedule and time zone: when they change, slots count from that time
    Column("since", UtcTime, nullable=False),
    Column("passed", UtcTime),
)

# The alerts that the owner has received, so that they are not sent again.
told = Table(
    "told",
    metadata,
    Column("kind", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    PrimaryKeyConstraint("kind", "digest"),
)

# When each chore (recurring task) was last begun, so that two hosts do not both do it.
chores = Table(
    "chores",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("begun_at", UtcTime, nullable=False),
)

# The totals that replace the deliveries of an old edition.
delivery_totals = Table(
    "delivery_totals",
    metadata,
    belongs("edition_id", "editions.id"),
    Column("variant", String(255), nullable=False),
    Column("status", words(DeliveryStatus), nullable=False),
    Column("total", Integer, nullable=False),
    PrimaryKeyConstraint("edition_id", "variant", "status"),
)
