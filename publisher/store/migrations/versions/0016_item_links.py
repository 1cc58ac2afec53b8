"""Items of sources are found by their links."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index("ix_source_items_link_key", "source_items", ["link_key"])


def downgrade() -> None:
    op.drop_index("ix_source_items_link_key", "source_items")
