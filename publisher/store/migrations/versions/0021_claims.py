"""How often each host has taken messages to send."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("hosts", sa.Column("claims", sa.BigInteger(), nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_column("hosts", "claims")
