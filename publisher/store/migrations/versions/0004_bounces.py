"""Bounces: the reports that have been processed, and what each report said about a subscriber and an edition."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "reports",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_reports"),
    )
    op.create_table(
        "bounces",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("edition_id", KEY, nullable=True),
        sa.Column("delivery_id", KEY, nullable=True),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bounces"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_bounces_subscriber_id"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_bounces_edition_id"),
    )
    op.create_index("ix_bounces_subscriber_id", "bounces", ["subscriber_id"])
    op.create_index("ix_bounces_edition_id", "bounces", ["edition_id"])


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_table("bounces")
    op.drop_table("reports")
