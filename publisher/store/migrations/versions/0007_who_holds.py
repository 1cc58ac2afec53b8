"""A column that says who put an edition on hold. Before this, only the beginning of the reason did.

Holds for approval, by the scheduler and because of the mail server are recognised by the wording of their reasons. All
other holds were put there by a person.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# The order matters: an edition gets the first entry that matches.
BEGINNINGS = (
    (
        "approval",
        ("waits for approval", "waits for approval, then goes at %", "waits for approval; waits for a person: %"),
    ),
    ("scheduler", ("waits for a person: %",)),
    ("server", ("the mail server refuses the edition itself, %",)),
    ("person", ("_%",)),
)


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("editions", sa.Column("held_by", sa.String(20), nullable=True))
    editions = sa.table("editions", sa.column("held", sa.Text()), sa.column("held_by", sa.String(20)))
    for who, patterns in BEGINNINGS:
        fits = sa.or_(*(editions.c.held.like(pattern) for pattern in patterns))
        op.execute(editions.update().where(editions.c.held_by.is_(None), fits).values(held_by=who))


def downgrade() -> None:
    """Return the database to the previous version."""
    op.drop_column("editions", "held_by")
