"""Editions for many people are made in parts, and on PostgreSQL each such edition has a partition of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = {
    "ix_deliveries_status": "(edition_id, status)",
    "ix_deliveries_due": "(edition_id, next_try_at, id) WHERE next_try_at IS NOT NULL",
    "ix_deliveries_leased": "(lease_owner) WHERE lease_owner IS NOT NULL",
}
UNIQUE = "uq_deliveries_edition_id_subscriber_id"
STORAGE = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "unfilled_editions",
        sa.Column("edition_id", KEY, sa.ForeignKey("editions.id"), primary_key=True, autoincrement=False),
        sa.Column("reached", KEY, nullable=False, server_default=sa.text("0")),
        sa.Column("last", KEY, nullable=False),
        sa.Column("variants", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(100), nullable=False),
    )
    op.create_table(
        "decided_subscribers",
        sa.Column("edition_id", KEY, sa.ForeignKey("unfilled_editions.edition_id"), nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("edition_id", "subscriber_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _partition()


def _partition() -> None:
    """Make the table of deliveries a partition of a new one. No row moves; only the index of its key is rebuilt."""
    op.execute("ALTER TABLE deliveries RENAME TO deliveries_others")
    op.execute("ALTER TABLE deliveries_others DROP CONSTRAINT pk_deliveries")
    op.execute(f"ALTER TABLE deliveries_others RENAME CONSTRAINT {UNIQUE} TO uq_deliveries_others")
    for name in INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('deliveries', 'deliveries_others')}")
    op.execute("CREATE TABLE deliveries (LIKE deliveries_others INCLUDING DEFAULTS) PARTITION BY LIST (edition_id)")
    op.execute("ALTER SEQUENCE deliveries_id_seq OWNED BY deliveries.id")
    _constrain("id, edition_id")
    op.execute("ALTER TABLE deliveries ATTACH PARTITION deliveries_others DEFAULT")
    op.execute(f"ALTER TABLE deliveries_others SET ({STORAGE})")


def _constrain(key: str) -> None:
    op.execute(f"ALTER TABLE deliveries ADD CONSTRAINT pk_deliveries PRIMARY KEY ({key})")
    op.execute(f"ALTER TABLE deliveries ADD CONSTRAINT {UNIQUE} UNIQUE (edition_id, subscriber_id)")
    for column, target in (("edition_id", "editions"), ("subscriber_id", "subscribers")):
        name = f"fk_deliveries_{column}"
        op.execute(f"ALTER TABLE deliveries ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target} (id)")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON deliveries {columns}")


def downgrade() -> None:
    """Return to the previous version, unless an edition is being made: that version would treat it as complete."""
    unfilled = op.get_bind().execute(sa.text("SELECT count(*) FROM unfilled_editions")).scalar()
    if unfilled:
        raise ValueError("an edition is not complete; `publisher publish` completes it")
    for table in ("decided_subscribers", "unfilled_editions"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        _join()


def _join() -> None:
    """Copy all partitions into one table."""
    op.execute("CREATE TABLE deliveries_joined (LIKE deliveries INCLUDING DEFAULTS)")
    op.execute("INSERT INTO deliveries_joined SELECT * FROM deliveries")
    op.execute("ALTER SEQUENCE deliveries_id_seq OWNED BY NONE")
    op.execute("DROP TABLE deliveries")
    op.execute("ALTER TABLE deliveries_joined RENAME TO deliveries")
    op.execute("ALTER SEQUENCE deliveries_id_seq OWNED BY deliveries.id")
    _constrain("id")
