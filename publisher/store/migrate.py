"""Migrating a database to the schema in tables.py, with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.errors import StoreError
from publisher.store.database import Database
from publisher.store.tables import HEAD

SCRIPTS = Path(__file__).parent / "migrations"

# The number of the PostgreSQL lock that lets one process migrate at a time. It is arbitrary, but never changes.
MIGRATION_LOCK = 7_214_563

_FIND_ON_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
_FIND_ON_POSTGRESQL = "SELECT to_regclass('alembic_version')::text"


def migrate(database: Database) -> None:
    """Migrate the database to HEAD in one transaction. If it is already at HEAD, this costs one small query.

    If the process is killed halfway, the old schema remains. If several processes start at the same time, one migrates
    and the others wait. Raises StoreError if the schema was made by a newer version of publisher.
    """
    with database.read() as connection:
        if revision(connection) == HEAD:
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        move_to(connection, HEAD, database.where)


def revision(connection: Connection) -> str:
    """Return the revision of the schema; "" for an empty database."""
    # Every command needs this. SQLAlchemy's own check for a table takes several times as long as the query itself, and
    # its way to execute a statement takes as long as SQLite's answer.
    is_sqlite = connection.dialect.name == "sqlite"
    driver: Any = connection.connection.driver_connection if is_sqlite else None
    execute = driver.execute if is_sqlite else connection.exec_driver_sql
    if execute(_FIND_ON_SQLITE if is_sqlite else _FIND_ON_POSTGRESQL).fetchone() in (None, (None,)):
        return ""
    found = execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else ""


def move_to(connection: Connection, target: str, where: str = "") -> None:
    """Migrate up or down to `target` inside the caller's transaction. The target "base" is the empty database.

    where: the database, for error messages.
    Raises StoreError if the schema was made by a newer version of publisher.
    """
    # Alembic takes 0.4 s to import, and a database at HEAD does not need it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    order = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    current = revision(connection)
    if current and current not in order:
        raise StoreError(
            f"was made by a newer version of publisher (schema {current})",
            where=where,
            hint="upgrade publisher",
        )
    reached = order.index(current) if current else -1
    wanted = order.index(target) if target in order else -1
    if wanted > reached:
        command.upgrade(config, target)
    elif wanted < reached:
        command.downgrade(config, target)
