"""An index that finds items of sources by their links."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_index("ix_source_items_link_key", "source_items", ["link_key"])


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_index("ix_source_items_link_key", "source_items")
