"""The feeds of other sites, and their items."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "sources",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("asked_at", TIME),
        sa.Column("closed_until", TIME),
        sa.Column("claim", sa.String(40), nullable=False, server_default=sa.text("''")),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("name", name="pk_sources"),
    )
    op.create_table(
        "source_items",
        sa.Column("number", KEY, nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        *(sa.Column(name, sa.String(80), nullable=False) for name in ("guid_key", "link_key", "title_key")),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("gone_at", TIME),
        sa.Column("skipped_at", TIME),
        sa.Column("is_backlog", sa.Boolean(), nullable=False),
        sa.Column("is_suspect", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_source_items"),
        sa.UniqueConstraint("source", "guid_key", name="uq_source_items_source_guid_key"),
        sa.UniqueConstraint("source", "post_id", name="uq_source_items_source_post_id"),
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_table("source_items")
    op.drop_table("sources")
