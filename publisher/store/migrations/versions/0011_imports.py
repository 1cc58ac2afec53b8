"""The imports of files, and which import brought which people, so that a single import can be undone.

People who are already in the database do not belong to any import.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OWNED = sa.text("import_id IS NOT NULL")


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "imports",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("undone_at", TIME, nullable=True),
    )
    op.create_table(
        "import_changes",
        sa.Column("import_id", KEY, sa.ForeignKey("imports.id"), nullable=False),
        sa.Column("subscriber_id", KEY, sa.ForeignKey("subscribers.id"), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "subscriber_id"),
    )
    op.create_index("ix_import_changes_subscriber_id", "import_changes", ["subscriber_id"])
    for table, columns in (("subscribers", ["import_id", "id"]), ("suppressions", ["import_id"])):
        op.add_column(table, sa.Column("import_id", KEY, nullable=True))
        index = f"ix_{table}_import_id"
        op.create_index(index, table, columns, sqlite_where=OWNED, postgresql_where=OWNED)


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("subscribers", "suppressions"):
        op.drop_index(f"ix_{table}_import_id", table)
        op.drop_column(table, "import_id")
    op.drop_table("import_changes")
    op.drop_table("imports")
