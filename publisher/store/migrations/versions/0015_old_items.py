"""A column that says which items of a source are older than those that its feed had before."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("source_items", sa.Column("is_old", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_column("source_items", "is_old")
