"""Self-service for subscribers: pauses, bounces, tokens, and the origin of each consent.

The tables are written out here rather than imported from tables.py: the result of a migration must never change.
Existing subscribers who are not pending are assumed to have confirmed when they were added.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)

ADDED: dict[str, tuple[tuple[str, sa.types.TypeEngine[Any]], ...]] = {
    "subscribers": (("paused_until", TIME), ("asked_at", TIME), ("confirmed_at", TIME), ("bounced_at", TIME)),
    "consent_events": (("text_version", sa.Text()), ("ip", sa.Text()), ("user_agent", sa.Text())),
    "suppressions": (("key_id", sa.String(16)),),
}


def upgrade() -> None:
    """Bring the database to this version."""
    for table, columns in ADDED.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column("subscribers", sa.Column("bounces", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE subscribers SET confirmed_at = created_at WHERE status <> 'pending'")
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("address_key", sa.String(640), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_tokens"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_tokens_subscriber_id"),
    )
    op.create_index("ix_tokens_subscriber_id", "tokens", ["subscriber_id"])
    op.create_index("ix_tokens_address_key", "tokens", ["address_key"])


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_table("tokens")
    op.drop_column("subscribers", "bounces")
    for table, columns in ADDED.items():
        for name, _ in columns:
            op.drop_column(table, name)
