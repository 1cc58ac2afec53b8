"""Connections, transactions and readable error messages. SQLite and PostgreSQL are used in the same way."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url

from publisher.core.errors import StoreAwayError, StoreError
from publisher.core.private_folder import STATE_FOLDER, close_file, make_private
from publisher.store.location import SQLITE, sqlite_path

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

# How long a writer waits for another process's transaction, in seconds.
BUSY_SECONDS = 30

# Limits for the network on the way to PostgreSQL, by the names of libpq, unless the URL has them. Without them, a
# process whose connection was cut silently, for example by a firewall, would wait for hours for an answer. With them,
# it notices within 40 seconds that nothing arrives any more.
NETWORK_LIMITS = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 20,  # seconds
    "keepalives_interval": 5,  # seconds
    "keepalives_count": 4,
    "tcp_user_timeout": 40_000,  # milliseconds
}

# PostgreSQL ends a transaction whose process says nothing for this many milliseconds. Otherwise a host that was stopped
# or cut off in the middle of one would keep its locks, and so keep all other hosts waiting.
LONGEST_SILENCE = 60_000
SILENCE_LIMIT = "idle_in_transaction_session_timeout"

# Also reads text that another program wrote in a different encoding: one broken name must not hide all other rows.
_LENIENT = partial(str, encoding="utf-8", errors="replace")

# The memory for pages of SQLite's file while very many rows are written; otherwise it takes 2,000 KiB.
MANY_ROWS_KIB = 16_384

# How many pages SQLite's log has meanwhile before they are copied into the file; otherwise 1,000, which is less than a
# transaction of an import changes.
MANY_ROWS_PAGES = 8_000

# The number of the lock that Database.guard takes. It is arbitrary, but must be the same in every version.
SUBSCRIBERS_LOCK = 7_214_564


class Database:
    """The database at a URL. Every statement of the store runs inside `read` or `write`.

    where  the URL without its password, for messages
    file   SQLite's file; None for PostgreSQL
    """

    def __init__(self, url: str, root: Path) -> None:
        """Prepare to connect, without opening a connection.

        Raises StoreError if the URL cannot be read, or if its driver is not installed.
        """
        self.where = "the database URL"
        try:
            parsed = make_url(url)
            if "@" in f"{parsed.host}{parsed.database}" and not url.startswith(SQLITE):
                raise ValueError("a part of the password would be shown")
            self.where = shown(parsed)
            path = self.file = sqlite_path(url, root)
            self._engine = _postgres(parsed) if path is None else _sqlite(path)
        except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: the port is not a number
            escaped = "; in a user or password, write @ as %40, / as %2F, : as %3A and ? as %3F" if "@" in url else ""
            raise StoreError("cannot be read", where=self.where, hint=f"check database.url{escaped}") from error
        except ImportError as error:
            raise StoreError(
                "its driver is not installed", where=self.where, hint="pip install 'publisher[postgres]'"
            ) from error
        except OSError as error:
            raise StoreError(
                f"its folder cannot be created: {error.strerror}", where=self.where, hint="check database.url"
            ) from error
        self._cache = 0

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file rather than a PostgreSQL database."""
        return self._engine.dialect.name == "sqlite"

    @property
    def dialect(self) -> Dialect:
        """The dialect in which SQLAlchemy writes statements for this database."""
        return self._engine.dialect

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction for reading, and yield its connection.

        On PostgreSQL each statement sees the latest committed data. On SQLite all statements see the data as it was at
        the first statement. Raises StoreError for every error of the database.
        """
        with self._wrapped(), self._engine.begin() as connection:
            self._begin(connection)
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a transaction for reading in which all statements see the data as it was at the first one.

        Raises StoreError for every error of the database.
        """
        engine = self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        with self._wrapped(), engine.begin() as connection:
            self._begin(connection)
            if not self.is_sqlite:  # it blocks nobody else, so its reader may take a long time
                connection.execute(sa.select(sa.func.set_config(SILENCE_LIMIT, "0", sa.true())))
            yield connection

    @contextmanager
    def write(self, *, dry_run: bool = False) -> Iterator[Connection]:
        """Open a transaction for writing, and yield its connection. Any exception rolls the transaction back.

        SQLite's write lock is taken at the beginning, so that data cannot change between reading and writing it.
        dry_run: roll back at the end in any case.
        Raises StoreError for every error of the database.
        """
        with self._wrapped(), self._engine.connect() as connection, connection.begin() as transaction:
            self._begin(connection, writes=True)
            if self._cache:
                connection.exec_driver_sql(f"PRAGMA cache_size = -{self._cache}")
                connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {MANY_ROWS_PAGES}")
            yield connection
            if dry_run:
                transaction.rollback()

    @contextmanager
    def for_many_rows(self) -> Iterator[Event]:
        """Keep more of SQLite's file in memory and in its log until the block ends, for writing very many rows.

        The rows have random keys, so each changes pages all over the indexes, and many rows change the same page: a
        page that stays in the log is copied into the file only once for all of these rows.

        Yield an event that is set whenever the database begins work during which another thread of this process can
        compute. On PostgreSQL, this is each time rows are inserted. On SQLite, it is each commit, because inserting a
        row needs the interpreter's lock.
        """
        self._cache, busy = MANY_ROWS_KIB if self.is_sqlite else 0, Event()

        def note(connection: Connection, _: Any = None, statement: str = "INSERT", *more: Any) -> None:
            """Set the event before a commit, or before a statement that inserts rows."""
            if statement.startswith("INSERT"):
                busy.set()

        begins = "commit" if self.is_sqlite else "before_cursor_execute"
        event.listen(self._engine, begins, note)
        try:
            yield busy
        finally:
            event.remove(self._engine, begins, note)
            if self._cache:
                self._cache = 0
                self._engine.dispose()  # otherwise a connection would keep its cache

    @contextmanager
    def each_alone(self) -> Iterator[Connection]:
        """Yield a connection on which each statement is its own transaction, in a single round trip.

        Raises StoreError for every error of the database.
        """
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._wrapped(), engine.connect() as connection:
            yield connection

    def insert_new(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that skips rows whose keys already exist. For a single row, rowcount is 1 if it was new."""
        new = self.insert(table).on_conflict_do_nothing()
        # Without inline(), SQLAlchemy adds a RETURNING clause for the new key, and PostgreSQL's row count is lost.
        return new.inline().execution_options(preserve_rowcount=True)

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT to which a rule for rows whose keys already exist can be added."""
        if self.is_sqlite:
            return sqlite.insert(table)
        # Not at the top: it would take an eighth of the time of `publisher status` in a project with SQLite.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def guard(self, connection: Connection, *, alone: bool = False) -> None:
        """Take the lock for a transaction on subscribers, until the transaction ends.

        The lock is shared, or exclusive with `alone`. Suppressing an address needs the exclusive lock, because another
        transaction could be adding the same address. SQLite has one writer at a time and needs no lock.
        """
        if not self.is_sqlite:
            lock = sa.func.pg_advisory_xact_lock if alone else sa.func.pg_advisory_xact_lock_shared
            connection.execute(sa.select(lock(SUBSCRIBERS_LOCK)))

    @contextmanager
    def outside_transactions(self) -> Iterator[Callable[[str], list[Any]]]:
        """Yield a function that runs a statement outside any transaction, such as VACUUM, and returns its rows."""
        with self._wrapped():
            connection = self._engine.raw_connection()
            try:
                driver: Any = connection.driver_connection
                if not self.is_sqlite:
                    driver.autocommit = True
                yield lambda statement: _rows(driver, statement)
            finally:
                if not self.is_sqlite:
                    driver.autocommit = False
                connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _begin(self, connection: Connection, *, writes: bool = False) -> None:
        """Begin a transaction on SQLite. On PostgreSQL, the driver does it.

        With an event of SQLAlchemy for it, each statement would take longer, because it would look for events.
        """
        if not self.is_sqlite:
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        if writes and _is_replaced(connection.info):  # while this transaction waited for the one of `restore`
            where = str(connection.info[_FILE][0])
            raise StoreError("was replaced by another one while it was in use", where=where, hint="run it again")

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            sentence, hint = _explained(error, self.file)
            kind = StoreAwayError if not self.is_sqlite and _is_away(error) else StoreError
            raise kind(sentence, where=self.where, hint=hint) from error


def _rows(connection: Any, statement: str) -> list[Any]:
    cursor = connection.execute(statement)
    return list(cursor.fetchall()) if cursor.description else []


def shown(url: URL) -> str:
    """Return a URL that is safe to show: without its password, which may also be one of its options."""
    bare = url._replace(password=None).difference_update_query(["password", "passfile", "sslpassword"])
    return bare.render_as_string(hide_password=True)


def _postgres(url: URL) -> Engine:
    (url.host or "").encode("idna")  # the driver would not raise this ValueError until it connects
    limits = {name: value for name, value in NETWORK_LIMITS.items() if name not in url.query}
    psycopg = url.set(drivername="postgresql+psycopg")
    # No column is an hstore; SQLAlchemy would look for that type in each process, before its first statement.
    engine = sa.create_engine(psycopg, pool_pre_ping=True, connect_args=limits, use_native_hstore=False)
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, record: Any) -> None:
    # Otherwise psycopg returns times in the server's time zone. UTC is also easier for people who read the rows.
    settings = f"set_config('TimeZone', 'UTC', false), set_config('{SILENCE_LIMIT}', '{LONGEST_SILENCE}', false)"
    (pid, *_) = connection.execute(f"SELECT pg_backend_pid(), {settings}").fetchone()
    connection.commit()
    if pid != connection.info.backend_pid:
        # A connection pooler answers in place of the server. It may use a different connection for the next
        # transaction, which does not know our prepared statements.
        connection.prepare_threshold = None


def _sqlite(path: Path) -> Engine:
    is_ours = path.parent.name == STATE_FOLDER or not path.parent.is_dir()
    if is_ours:
        make_private(path.parent)
    engine = sa.create_engine(URL.create("sqlite+pysqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", lambda _, record: record.info.update({_FILE: (path, _identity(path))}))
    event.listen(engine, "checkout", _require_same_file)
    event.listen(engine, "do_connect", lambda *_: _close_to_others(path, 0o077 if is_ours else 0o007))
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _close_to_others(path: Path, bits: int) -> None:
    """Create a database file that only its owner can read, or remove everybody else's permissions from an existing one.

    A file in a folder that the owner has made may stay open to its group, which may have to back it up. SQLite gives
    its -wal and -shm files the same mode.
    """
    with suppress(OSError):  # connecting then reports what is wrong
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        close_file(path.with_name(f"{path.name}{suffix}"), bits)


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    # The driver's own transactions exclude DDL and begin too late; Database._begin begins ours.
    connection.isolation_level = None
    connection.text_factory = _LENIENT
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        # Two processes may open a new database at the same time. One of them switches the mode; the other need not.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # An acknowledgement must survive a power cut; otherwise an email is sent twice. Writing in groups makes this cheap.
    connection.execute("PRAGMA synchronous = FULL")
    # Overwrite deleted rows, so that no data of an erased subscriber stays in free pages.
    connection.execute("PRAGMA secure_delete = ON")


_FILE = "file of SQLite"


def _require_same_file(connection: Any, record: Any, proxy: Any) -> None:
    """Make the pool reconnect if the file at the path was replaced: anything written to the old file is lost."""
    if _is_replaced(record.info):
        raise sa.exc.DisconnectionError("the file was replaced")


def _is_replaced(info: dict[Any, Any]) -> bool:
    path, before = info[_FILE]
    now = _identity(path)
    return now is not None and bool(now != before)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes a file from one that replaces it; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_away(error: Exception) -> bool:
    """Return whether PostgreSQL cannot be reached now. If it refuses, as for a wrong password, it has been reached."""
    if not isinstance(error, sa.exc.OperationalError):
        return False
    said = str(error.orig or error)
    return "FATAL" not in said or any(
        words in said
        for words in ("starting up", "shutting down", "yet accepting", "too many", "are reserved", "recovery")
    )


def _explained(error: Exception, file: Path | None) -> tuple[str, str]:
    """Return a database's error in one sentence, and what to do about it. file: SQLite's file."""
    said = str(getattr(error, "orig", None) or error)
    if _hides_full_disk(error, file):
        said = FULL
    return _sentence(said) or type(error).__name__, _hint(said.lower(), file)


def _sentence(said: str) -> str:
    """Return the first line of the database's error message, without the SQL statement."""
    lines = re.sub(r"\[Errno -?\d+\] ", "", said).strip().splitlines()
    return lines[0].rstrip(".") if lines else ""


FULL = "database or disk is full"  # SQLite's wording

HINTS = (
    ("locked", "another process is writing; try again when it is done"),
    ("readonly", "the file and its folder must be writable"),
    ("unable to open", "the folder must exist and be writable"),
    ("not a database", "database.url names a file that another program uses; move it away"),
    ("malformed", "the file is damaged; restore it from a backup"),
    ("disk is full", "free some space and run it again"),
    ("no space left", "free some space on the disk of the database and run it again"),
    ("disk i/o error", "the disk is over its quota or a limit, or broken; the system's log may say which"),
    ("idle-in-transaction", "this process was stopped for a while in the middle of its work; run it again"),
    ("password", "check the user and password in database.url"),
    ("does not exist", "check database.url, or create it on the server"),
    ("connection", "is the server running, and does database.url name it?"),
)

# SQLite's -shm has at least this size, and no transaction succeeds without it.
_LEAST_ROOM = 32_768


def _hides_full_disk(error: Exception, file: Path | None) -> bool:
    """Return whether SQLite reports an I/O error, or that it can't open a file, because the disk is full.

    SQLite only says so if a write to the database fails, not when one of its other files cannot grow.
    """
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if file is None or code not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return False
    try:
        disk = os.statvfs(next(folder for folder in file.absolute().parents if folder.is_dir()))
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM or (disk.f_files > 0 and disk.f_favail == 0)


def _hint(said: str, file: Path | None) -> str:
    if "unable to open" in said and file is not None and os.path.lexists(file):
        if file.is_dir():
            return "database.url names a folder; name a file"
        return "fix the permissions: the file and its folder must be readable and writable"
    return next((hint for sign, hint in HINTS if sign in said), "")
