"""Indexes of the list of people: by the time of joining, and by the form of the name used for searching and sorting.

The form is written out here, because the result of a migration must never change.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAGE = 1_000  # subscribers
SUBSCRIBERS = sa.table(
    "subscribers", sa.column("id", KEY), sa.column("name", sa.Text()), sa.column("name_key", sa.String(100))
)


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("subscribers", sa.Column("name_key", sa.String(100), nullable=False, server_default=sa.text("''")))
    connection, last = op.get_bind(), 0
    named = sa.select(SUBSCRIBERS.c.id, SUBSCRIBERS.c.name).where(SUBSCRIBERS.c.name != "")
    change = sa.update(SUBSCRIBERS).where(SUBSCRIBERS.c.id == sa.bindparam("number"))
    change = change.values(name_key=sa.bindparam("key"))
    while rows := connection.execute(named.where(SUBSCRIBERS.c.id > last).order_by(SUBSCRIBERS.c.id).limit(PAGE)).all():
        connection.execute(change, [{"number": row.id, "key": _key(row.name)} for row in rows])
        last = rows[-1].id
    op.create_index("ix_subscribers_name_key_id", "subscribers", ["name_key", "id"])
    op.create_index("ix_subscribers_joined", "subscribers", [sa.text("coalesce(confirmed_at, created_at)"), "id"])


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_index("ix_subscribers_joined", "subscribers")
    op.drop_index("ix_subscribers_name_key_id", "subscribers")
    op.drop_column("subscribers", "name_key")


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(sign for sign in folded if not "\u0300" <= sign <= "\u036f")
    return " ".join(unicodedata.normalize("NFC", plain).split())[:100]
