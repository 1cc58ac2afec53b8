"""Which posts people have or lack after changing frequency, and which posts each version of an edition contains."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    """Bring the database to this version."""
    for column in ("changed_from", "changed_at"):
        op.drop_column("subscriptions", column)
    op.add_column("subscriptions", _text("catch_up"))
    op.add_column("subscriptions", _text("catch_up_before"))
    op.add_column("subscriptions", sa.Column("caught_up_by", KEY))
    changed = sa.text("frequency <> '' OR catch_up <> '' OR caught_up_by IS NOT NULL")
    op.create_index(
        "ix_subscriptions_newsletter_frequency",
        "subscriptions",
        ["newsletter", "frequency"],
        sqlite_where=changed,
        postgresql_where=changed,
    )
    op.add_column("editions", sa.Column("frequency", sa.String(20), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "letter_posts",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("variant", sa.String(255), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_letter_posts_edition_id"),
        sa.PrimaryKeyConstraint("edition_id", "variant", "post_id", name="pk_letter_posts"),
    )
    op.create_index("ix_letter_posts_post_id", "letter_posts", ["post_id"])
    op.execute(
        "INSERT INTO letter_posts (edition_id, variant, post_id)"
        " SELECT DISTINCT edition_id, '', post_id FROM edition_posts"
    )


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_table("letter_posts")
    op.drop_column("editions", "frequency")
    op.drop_index("ix_subscriptions_newsletter_frequency", "subscriptions")
    for column in ("caught_up_by", "catch_up_before", "catch_up"):
        op.drop_column("subscriptions", column)
    op.add_column("subscriptions", sa.Column("changed_from", sa.String(20)))
    op.add_column("subscriptions", sa.Column("changed_at", sa.DateTime(timezone=True)))
