"""The number of emails to each mailbox that strangers have triggered, so that waits grow and outlast a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "requested_emails",
        sa.Column("mailbox_hash", sa.String(64), nullable=False),
        sa.Column("trigger", sa.String(20), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_hash", "trigger", name="pk_requested_emails"),
    )
    op.create_index("ix_requested_emails_trigger_sent_at", "requested_emails", ["trigger", "sent_at"])


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_table("requested_emails")
