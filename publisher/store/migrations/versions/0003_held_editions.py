"""The reason why an edition is on hold. Existing editions are not on hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("editions", sa.Column("held", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_column("editions", "held")
