"""Hosts that were forbidden to send, so that they do not rejoin automatically."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("hosts", sa.Column("forgotten_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_column("hosts", "forgotten_at")
