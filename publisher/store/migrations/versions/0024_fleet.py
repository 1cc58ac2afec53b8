"""What workers share: who is sending, and the limits of mail servers."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "workers",
        sa.Column("worker", sa.String(120), primary_key=True),
        sa.Column("host", sa.Text(), nullable=False),
        *(sa.Column(name, TIME, nullable=False) for name in ("begun_at", "seen_at", "lease_until")),
        sa.Column("in_doubt", sa.Text()),
        sa.Column("sent", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_index("ix_workers_lease_until", "workers", ["lease_until"])
    op.create_table(
        "sending_rates",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("next_at", TIME, nullable=False),
    )
    op.create_table(
        "daily_recipients",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("server", "day"),
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("daily_recipients", "sending_rates", "workers"):
        op.drop_table(table)
