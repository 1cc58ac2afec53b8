"""When each host was last active, with which version, and how many messages it has sent."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("hosts", sa.Column("active_at", sa.DateTime(timezone=True)))
    op.add_column("hosts", sa.Column("version", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("hosts", sa.Column("sent", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("workers", sa.Column("host_id", sa.String(64), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Return the database to the previous version."""
    with op.batch_alter_table("workers") as batch:
        batch.drop_column("host_id")
    with op.batch_alter_table("hosts") as batch:
        for column in ("sent", "version", "active_at"):
            batch.drop_column(column)
