"""A table of the files from which sent posts were made, so that an edit that gives a sent post a new id is noticed.

It begins empty. The program fills it from the posts and from the record of published ids.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "post_files",
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", name="pk_post_files"),
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_table("post_files")
