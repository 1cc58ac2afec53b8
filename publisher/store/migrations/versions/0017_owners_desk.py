"""What the owner knows about subscribers, segments, and emails that are not made of posts."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

TIME = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, value: str = "") -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text(f"'{value}'"))


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("subscribers", _text("fields", "{}"))
    op.add_column("subscribers", _text("note"))
    op.add_column("subscriptions", sa.Column("frequency", sa.String(20), nullable=False, server_default=sa.text("''")))
    op.add_column("subscriptions", sa.Column("changed_from", sa.String(20)))
    op.add_column("subscriptions", sa.Column("changed_at", TIME))
    op.add_column("editions", sa.Column("kind", sa.String(20), nullable=False, server_default=sa.text("'posts'")))
    op.add_column("editions", _text("segment"))
    op.create_table(
        "subscriber_tags",
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("tag", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_subscriber_tags_subscriber_id"),
        sa.PrimaryKeyConstraint("subscriber_id", "tag", name="pk_subscriber_tags"),
    )
    op.create_index("ix_subscriber_tags_tag_subscriber_id", "subscriber_tags", ["tag", "subscriber_id"])
    op.create_table(
        "fields",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fields"),
    )
    op.create_table(
        "segments",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_segments"),
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    for table in ("segments", "fields", "subscriber_tags"):
        op.drop_table(table)
    for table, columns in (
        ("editions", ("segment", "kind")),
        ("subscriptions", ("changed_at", "changed_from", "frequency")),
        ("subscribers", ("note", "fields")),
    ):
        for column in columns:
            op.drop_column(table, column)
