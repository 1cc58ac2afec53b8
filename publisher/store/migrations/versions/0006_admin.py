"""The owner's password, and the number of readers that programs report when they fetch a feed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "owner",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owner"),
    )
    op.create_table(
        "feed_readers",
        sa.Column("feed", sa.String(200), nullable=False),
        sa.Column("reader", sa.String(60), nullable=False),
        sa.Column("subscribers", sa.Integer(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("feed", "reader", name="pk_feed_readers"),
    )
    op.create_table(
        "feed_requests",
        sa.Column("feed", sa.String(200), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "day", name="pk_feed_requests"),
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("feed_requests", "feed_readers", "owner"):
        op.drop_table(table)
