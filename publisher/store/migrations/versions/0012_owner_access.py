"""The owner's sessions, second factor and recovery codes, and the log of actions."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "sessions",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(80), nullable=False),
    )
    op.add_column("owner", sa.Column("totp_secret", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("owner", sa.Column("totp_step", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_table("recovery_codes", sa.Column("code_hash", sa.String(64), primary_key=True))
    op.create_table(
        "actions",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("who", sa.String(60), nullable=False),
        sa.Column("via", sa.String(20), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("subscriber_id", KEY, sa.ForeignKey("subscribers.id"), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.create_index("ix_actions_subscriber_id", "actions", ["subscriber_id"])


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("actions", "recovery_codes", "sessions"):
        op.drop_table(table)
    for column in ("totp_step", "totp_secret"):
        op.drop_column("owner", column)
