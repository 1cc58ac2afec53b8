"""The ledger shows which posts people lack after their edition was cancelled, so nothing else has to record it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

INDEX = "ix_subscriptions_newsletter_frequency"
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHANGED = "frequency <> '' OR catch_up <> ''"


def _index(condition: str) -> None:
    where = sa.text(condition)
    columns = ["newsletter", "frequency"]
    op.create_index(INDEX, "subscriptions", columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Bring the database to this version."""
    op.drop_index(INDEX, "subscriptions")
    for column in ("catch_up_before", "caught_up_by"):
        op.drop_column("subscriptions", column)
    _index(CHANGED)


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_index(INDEX, "subscriptions")
    before = sa.Column("catch_up_before", sa.Text(), nullable=False, server_default=sa.text("''"))
    op.add_column("subscriptions", before)
    op.add_column("subscriptions", sa.Column("caught_up_by", KEY))
    _index(f"{CHANGED} OR caught_up_by IS NOT NULL")
