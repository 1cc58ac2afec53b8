"""Run by alembic: migrate on the connection, and inside the transaction, that migrate.py hands over."""

from alembic import context

from publisher.store.tables import metadata

# transactional_ddl: alembic takes SQLite to be unable; with our own BEGIN it is able.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
