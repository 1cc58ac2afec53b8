"""The script that Alembic runs to migrate, on the connection and in the transaction that migrate.py provides."""

from alembic import context

from publisher.store import edition_filling, feed_tables, fleet_tables  # noqa: F401 - their tables belong to the metadata
from publisher.store.tables import metadata

# Alembic assumes that SQLite has no transactional DDL, but with our own BEGIN it does.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
