"""Which secret each host uses, as the suppression list identifies it."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("hosts", sa.Column("key_id", sa.String(16), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Return the database to the previous version."""
    with op.batch_alter_table("hosts") as batch:
        batch.drop_column("key_id")
