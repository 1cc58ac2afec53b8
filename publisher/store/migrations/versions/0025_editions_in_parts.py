"""Editions for many are made in parts, and PostgreSQL keeps room for the changes of their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "unfilled_editions",
        sa.Column("edition_id", KEY, sa.ForeignKey("editions.id"), primary_key=True, autoincrement=False),
        sa.Column("reached", KEY, nullable=False, server_default=sa.text("0")),
        sa.Column("last", KEY, nullable=False),
        sa.Column("variants", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(100), nullable=False),
    )
    op.create_table(
        "decided_subscribers",
        sa.Column("edition_id", KEY, sa.ForeignKey("unfilled_editions.edition_id"), nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("edition_id", "subscriber_id"),
    )


def downgrade() -> None:
    """Go back, unless an edition is just being made: the older version would take it for complete."""
    unfilled = op.get_bind().execute(sa.text("SELECT count(*) FROM unfilled_editions")).scalar()
    if unfilled:
        raise ValueError("an edition is not complete; `publisher publish` completes it")
    for table in ("decided_subscribers", "unfilled_editions"):
        op.drop_table(table)
