"""An index that finds the newest subscribers of a newsletter, who are sent emails that welcome them."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_index("ix_subscriptions_newsletter_since", "subscriptions", ["newsletter", "since"])


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_index("ix_subscriptions_newsletter_since", "subscriptions")
