"""Run by Alembic: migrate on the connection, and inside the transaction, that migrate.py passes on."""

from alembic import context

from publisher.store.tables import metadata

# transactional_ddl: Alembic assumes that SQLite cannot do this, but with our own BEGIN it can.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
