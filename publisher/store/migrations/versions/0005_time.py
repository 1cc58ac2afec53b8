"""The scheduler: the slots of newsletters, the hosts that may send, alerts, chores, and totals of old editions.

From this version on, an edition may be created before it is due to be sent. Existing editions were sent already, or are
sent immediately.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("editions", sa.Column("goes_at", TIME, nullable=True))
    op.create_table(
        "newsletters",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("passed", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_newsletters"),
    )
    op.create_table(
        "hosts",
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("host", name="pk_hosts"),
    )
    op.create_table(
        "told",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("kind", "digest", name="pk_told"),
    )
    op.create_table(
        "chores",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chores"),
    )
    op.create_table(
        "delivery_totals",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("variant", sa.String(255), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("edition_id", "variant", "status", name="pk_delivery_totals"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_delivery_totals_edition_id"),
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("delivery_totals", "chores", "told", "hosts", "newsletters"):
        op.drop_table(table)
    op.drop_column("editions", "goes_at")
