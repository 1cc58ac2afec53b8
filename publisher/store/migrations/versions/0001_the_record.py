"""The first tables: subscribers, editions and deliveries.

The tables are written out here rather than imported from tables.py: the result of a migration must never change.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
WORD = sa.String(20)


def column(name: str, kind: sa.types.TypeEngine[Any], null: bool = False) -> sa.Column[Any]:
    """Return a column, which always has a value unless null is given."""
    return sa.Column(name, kind, nullable=null)


def key() -> sa.Column[Any]:
    """Return the column with the row number."""
    return sa.Column("id", KEY, primary_key=True)


def upgrade() -> None:
    """Bring the database to this version."""
    make_subscribers()
    make_consent()
    make_editions()
    make_letters()
    make_deliveries()


def make_subscribers() -> None:
    """Make the tables of subscribers and their subscriptions."""
    op.create_table(
        "subscribers",
        key(),
        column("uid", sa.String(40)),
        column("address", sa.String(320)),
        column("address_key", sa.String(640)),
        column("name", sa.Text()),
        column("language", sa.String(40)),
        column("status", WORD),
        column("created_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("uid", name="uq_subscribers_uid"),
        sa.UniqueConstraint("address_key", name="uq_subscribers_address_key"),
    )
    op.create_table(
        "subscriptions",
        column("subscriber_id", KEY),
        column("newsletter", sa.String(100)),
        column("topics", sa.Text()),
        sa.PrimaryKeyConstraint("subscriber_id", "newsletter", name="pk_subscriptions"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_subscriptions_subscriber_id"),
    )
    op.create_index("ix_subscriptions_newsletter_subscriber_id", "subscriptions", ["newsletter", "subscriber_id"])


def make_consent() -> None:
    """Make the tables with the history of consent and the suppression list."""
    op.create_table(
        "consent_events",
        key(),
        column("subscriber_id", KEY),
        column("at", TIME),
        column("what", sa.String(40)),
        column("source", sa.Text()),
        column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_consent_events"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_consent_events_subscriber_id"),
    )
    op.create_index("ix_consent_events_subscriber_id", "consent_events", ["subscriber_id"])
    op.create_table(
        "suppressions",
        column("address_hash", sa.String(64)),
        column("reason", WORD),
        column("at", TIME),
        column("source", sa.Text()),
        sa.PrimaryKeyConstraint("address_hash", name="pk_suppressions"),
    )


def make_editions() -> None:
    """Make the tables of editions and their posts."""
    op.create_table(
        "editions",
        key(),
        column("newsletter", sa.String(100)),
        column("slot", sa.Text()),
        column("number", sa.Integer()),
        column("subject", sa.Text()),
        column("made_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("newsletter", "slot", name="uq_editions_newsletter_slot"),
    )
    op.create_table(
        "edition_posts",
        column("edition_id", KEY),
        column("position", sa.Integer()),
        column("post_id", sa.Text()),
        column("title", sa.Text()),
        column("url", sa.Text()),
        sa.PrimaryKeyConstraint("edition_id", "position", name="pk_edition_posts"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_posts_edition_id"),
    )


def make_letters() -> None:
    """Make the tables of letters and of handled posts."""
    op.create_table(
        "letters",
        column("edition_id", KEY),
        column("variant", sa.String(255)),
        column("subject", sa.Text()),
        column("preheader", sa.Text()),
        column("html", sa.Text()),
        column("text", sa.Text()),
        sa.PrimaryKeyConstraint("edition_id", "variant", name="pk_letters"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_letters_edition_id"),
    )
    op.create_table(
        "newsletter_posts",
        column("newsletter", sa.String(100)),
        column("post_id", sa.Text()),
        column("edition_id", KEY, null=True),
        sa.PrimaryKeyConstraint("newsletter", "post_id", name="pk_newsletter_posts"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_newsletter_posts_edition_id"),
    )


def make_deliveries() -> None:
    """Make the table of deliveries."""
    op.create_table(
        "deliveries",
        key(),
        column("edition_id", KEY),
        column("subscriber_id", KEY),
        column("variant", sa.String(255)),
        column("status", WORD),
        column("attempts", sa.Integer()),
        column("lease_owner", sa.String(120), null=True),
        column("lease_until", TIME, null=True),
        column("next_try_at", TIME, null=True),
        column("sent_at", TIME, null=True),
        column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("edition_id", "subscriber_id", name="uq_deliveries_edition_id_subscriber_id"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_deliveries_edition_id"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_deliveries_subscriber_id"),
    )
    op.create_index("ix_deliveries_status", "deliveries", ["edition_id", "status"])
    make_partial("ix_deliveries_due", ["edition_id", "next_try_at", "id"], "next_try_at IS NOT NULL")
    make_partial("ix_deliveries_leased", ["lease_owner"], "lease_owner IS NOT NULL")


def make_partial(name: str, columns: list[str], where: str) -> None:
    """Make an index of the deliveries that meet a condition."""
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("deliveries", "newsletter_posts", "letters", "edition_posts", "editions"):
        op.drop_table(table)
    for table in ("suppressions", "consent_events", "subscriptions", "subscribers"):
        op.drop_table(table)
