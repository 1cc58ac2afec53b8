"""The tables of the job engine. In PostgreSQL they have a schema of their own, next to the project's tables.

The ledger is authoritative for everything in them: emptying or dropping them loses no email. So they are not migrated.
Each version of the engine has its own schema, and old and new processes run side by side, each with its own jobs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Connection, make_url

from publisher.core.errors import StoreAwayError, StoreError
from publisher.store.database import NETWORK_LIMITS, Database

# The number of the lock that allows one process at a time to make or drop the tables. It is arbitrary, but never
# changes.
_LOCK = 7_214_565

# PostgreSQL allows 63 bytes for a name.
_LONGEST_NAME = 40

# Another version's tables are dropped when no process has used them for this long.
_UNUSED = "1 day"

# How many processes are doing jobs at present. To be run with the schema as the search path.
LIVE_PROCESSES = """
    SELECT count(*) AS count FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds'
"""

# Deletes jobs that a process had begun before it died, and jobs that ended without being deleted.
DELETE_LEFT = """
    DELETE FROM procrastinate_jobs WHERE (status = 'doing' AND worker_id IS NULL) OR status NOT IN ('todo', 'doing')
"""


def make_job_tables(database: Database, statements: str) -> str:
    """Make the tables of the job engine unless they exist; return the name of their schema.

    statements  the SQL that makes the tables of this version of the engine
    Raises StoreError if they cannot be made, for example without the permission to create a schema.
    """
    version = hashlib.sha256(statements.encode()).hexdigest()[:8]
    with database.read() as connection:
        base = _base(connection)
        schema = f"{base}{version}"
        if schema in _schemas(connection, base):
            return schema
    try:
        _replace_tables(database, base, schema, statements)
    except StoreAwayError:
        raise
    except StoreError as error:
        hint = error.hint or "GRANT CREATE ON DATABASE allows the user of the database to make a schema"
        raise StoreError(error.message, where=error.where, hint=hint) from error
    return schema


def connection_arguments(url: str, schema: str) -> dict[str, Any]:
    """Return the driver's arguments for a connection of the job engine, with its tables in the given schema.

    url     the project's database
    """
    dialect: Any = PGDialect_psycopg
    _, arguments = dialect().create_connect_args(make_url(url))
    options = f'{arguments.get("options", "")} -csearch_path="{schema}"'.strip()
    return {**NETWORK_LIMITS, "application_name": "publisher jobs", **arguments, "options": options}


def require_connection(arguments: Mapping[str, Any]) -> None:
    """Raise StoreError, with the reason, if the job engine cannot connect with these arguments."""
    try:
        psycopg.connect(**arguments).close()
    except psycopg.Error as error:
        said = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        hint = "it must lead to PostgreSQL directly, not to a connection pooler"
        if "too many" in said or "connection slots" in said:
            hint = "raise max_connections of PostgreSQL: each process needs two connections for jobs"
        raise StoreError(said, where="database.direct_url", hint=hint) from error


def _base(connection: Connection) -> str:
    """Return the beginning of the schema's name. Each of several projects in one database has its own schemas."""
    own = str(connection.scalar(sa.text("SELECT current_schema()")))
    return f"{''.join(each if each.isalnum() and each.isascii() else '_' for each in own)[:_LONGEST_NAME]}_jobs_"


def _schemas(connection: Connection, base: str) -> set[str]:
    query = sa.text("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :base)")
    return set(connection.execute(query, {"base": base}).scalars())


def _replace_tables(database: Database, base: str, schema: str, statements: str) -> None:
    """Make the tables in a schema unless they exist, and drop other versions' tables that are no longer used."""
    with database.write() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        others = _schemas(connection, base)
        if schema not in others:
            _make(connection, schema, statements)
        for other in others:
            if other != schema and not _is_used(connection, other):
                connection.exec_driver_sql(f'DROP SCHEMA "{other}" CASCADE')


def _make(connection: Connection, schema: str, statements: str) -> None:
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
    driver: Any = connection.connection.driver_connection
    driver.execute(statements)  # it contains several statements, and % is not special in them


def _is_used(connection: Connection, schema: str) -> bool:
    """Return whether any process has used the tables in a schema recently."""
    seen = f"SELECT 1 FROM \"{schema}\".procrastinate_workers WHERE last_heartbeat > now() - interval '{_UNUSED}'"  # noqa: S608 - our own name
    return connection.exec_driver_sql(seen).first() is not None
