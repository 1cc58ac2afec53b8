"""Opening and migrating a database, its settings, and its errors."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from publisher.core.errors import StoreError
from publisher.store import Store, open_store, store_exists
from publisher.store.database import MANY_ROWS_KIB, MANY_ROWS_PAGES, Database, _explained
from publisher.store.ledger_partitions import OTHERS
from publisher.store.location import editions_key
from publisher.store.migrate import SCRIPTS, migrate, move_to, revision
from publisher.store.tables import HEAD, metadata, segments, subscribers
from tests.support.full_disk import almost_full, files_of_at_most, only_root, small_disk
from tests.support.pgbouncer import pgbouncer
from tests.support.store_samples import NOW, add_people, draft

pytestmark = pytest.mark.usefixtures("real_migration")


@pytest.fixture
def database(store_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(store_url, tmp_path)
    yield database
    database.close()


def is_no_partition(name: str | None, kind: str, parents: object) -> bool:
    """Return whether to compare a table; partitions are left out, because they have the columns of their table."""
    return not (kind == "table" and name == OTHERS)


# Alembic cannot compare such an index of SQLite; that of PostgreSQL is compared.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrations_make_the_tables_that_the_queries_use(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": is_no_partition}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_constant_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_go_down_and_up_again_with_data_in_them(database: Database, tmp_path: Path) -> None:
    with open_store(database_url(database), tmp_path) as store:
        add_people(store, 3)
        store.editions.create(draft())
    with database.write() as connection:
        move_to(connection, "base")
        assert revision(connection) == ""
        assert not sa.inspect(connection).has_table("subscribers")
    migrate(database)
    with database.read() as connection:
        assert revision(connection) == HEAD


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt), database.write() as connection:
        move_to(connection, HEAD)
        assert sa.inspect(connection).has_table("deliveries")
        raise KeyboardInterrupt
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_several_processes_may_open_a_new_database_at_once(store_url: str, tmp_path: Path) -> None:
    def open_and_count(number: int) -> int:
        with open_store(store_url, tmp_path) as store:
            return store.subscribers.count()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(open_and_count, range(6))) == [0] * 6


def test_a_database_of_a_newer_version_is_refused_in_one_line(database: Database, tmp_path: Path) -> None:
    migrate(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError, match=r"newer version of publisher \(schema 9999\) \(upgrade publisher\)$"):
        open_store(database_url(database), tmp_path)


def parameters(url: str, folder: Path) -> dict[str, str]:
    """Return the connection options in effect for a database."""
    with open_store(url, folder) as store, store.database.read() as connection:
        driver: Any = connection.connection.driver_connection
        return dict(driver.info.get_parameters())


def test_a_silently_broken_connection_is_noticed_within_a_minute(postgres_url: str, tmp_path: Path) -> None:
    network = parameters(postgres_url, tmp_path)
    idle, interval, times = (int(network[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + interval * times <= 60
    assert int(network["tcp_user_timeout"]) <= 60_000
    own = parameters(f"{postgres_url}&connect_timeout=3&tcp_user_timeout=5000", tmp_path)
    assert (own["connect_timeout"], own["tcp_user_timeout"]) == ("3", "5000")


def test_only_a_writing_transaction_has_a_short_idle_limit(postgres_url: str, tmp_path: Path) -> None:
    database, query = Database(postgres_url, tmp_path), sa.text("SHOW idle_in_transaction_session_timeout")
    with database.snapshot() as connection:
        assert connection.execute(query).scalar() == "0"
    with database.write() as connection:
        assert connection.execute(query).scalar() == "1min"
    database.close()


def test_a_transaction_that_raises_writes_nothing(database: Database) -> None:
    migrate(database)
    row = {"uid": "u", "address": "a@b", "address_key": "a@b", "name": "", "language": ""}
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(sa.insert(subscribers), [row | {"status": "active", "created_at": NOW}])
        raise RuntimeError
    with database.read() as connection:
        assert connection.execute(sa.select(subscribers)).all() == []


def test_a_time_without_a_time_zone_is_not_stored(database: Database) -> None:
    migrate(database)
    with pytest.raises(StoreError, match="must have a time zone"), database.write() as connection:
        connection.execute(sa.update(subscribers).values(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point


def test_a_database_at_head_opens_without_alembic(tmp_path: Path) -> None:
    open_store("sqlite:///state/publisher.db", tmp_path).close()
    program = (
        "import sys; from pathlib import Path; from publisher.store import open_store;"
        f"open_store('sqlite:///state/publisher.db', Path({str(tmp_path)!r})).close();"
        "print('alembic' in sys.modules)"
    )
    assert run(program) == "False"


def test_looking_for_a_store_neither_loads_sqlalchemy_nor_creates_a_store(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from publisher.store import store_exists;"
        f"print(store_exists('sqlite:///a/b.db', Path({str(tmp_path)!r})), 'sqlalchemy' in sys.modules)"
    )
    assert run(program) == "False False"
    assert list(tmp_path.iterdir()) == []
    open_store("sqlite:///a/b.db", tmp_path).close()
    assert store_exists("sqlite:///a/b.db", tmp_path)
    assert store_exists("postgresql://localhost/somewhere", tmp_path)


def test_the_key_of_the_editions_changes_with_each_edition(tmp_path: Path) -> None:
    url = "sqlite:///publisher.db"
    assert not editions_key(url, tmp_path, NOW)
    with open_store(url, tmp_path) as store:
        keys = [editions_key(url, tmp_path, NOW)]
        for week in ("2026-W47", "2026-W48"):
            store.editions.create(draft(week))
            keys += [editions_key(url, tmp_path, NOW), editions_key(url, tmp_path, NOW)]

    assert keys[0] == ""
    assert keys[1] == keys[2] != keys[3] == keys[4]
    assert editions_key("postgresql://localhost/somewhere", tmp_path, NOW) is None


def test_a_relative_path_is_inside_the_project_and_an_absolute_one_is_not(tmp_path: Path) -> None:
    open_store("sqlite:///in/relative.db", tmp_path / "project").close()
    open_store(f"sqlite:///{tmp_path}/elsewhere/absolute.db", tmp_path / "project").close()

    assert (tmp_path / "project/in/relative.db").is_file()
    assert (tmp_path / "elsewhere/absolute.db").is_file()


def test_a_file_that_is_not_a_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("Dear diary, " * 1_000)

    with pytest.raises(StoreError) as caught:
        open_store("sqlite:///notes.db", tmp_path)
    assert str(caught.value) == (
        "sqlite:///notes.db: file is not a database (database.url names a file that another program uses; move it away)"
    )


def test_a_folder_that_cannot_be_created_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"sqlite:///file/x\.db: its folder cannot be created") as caught:
        open_store("sqlite:///file/x.db", tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
@pytest.mark.parametrize("password", ["s3cret", "s3cret%40with%2Fsigns", "s3cret/with?signs"])
def test_an_unreachable_server_is_one_line_without_the_password(password: str, scheme: str, tmp_path: Path) -> None:
    url = f"{scheme}://ada:{password}@127.0.0.1:1/letters?sslpassword={password}"

    with pytest.raises(StoreError) as caught:
        open_store(url, tmp_path)
    said = str(caught.value)
    assert said.startswith(f"{scheme}://ada@127.0.0.1:1/letters: ")
    assert "is the server running" in said
    assert "s3cret" not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "postgresql://ada:s3cret@:abc/x",
        "postgresql://ada:s3cret@[::1/x",
        "postgresql://ada:s3cret@h:abc/x",
        "postgresql://h/x?port=abc",
        "postgresql://a..b/x",
        f"postgresql://{'a' * 300}/x",
        "postgresql://h/\ud800",
        "postgresql://ada:p@s3cret@h/x",
        "postgresql://ada:p/@s3cret/@h/x",
        "postgres://ada:p@[s3cret@h/x",
        "postgresql://a@[::1/x",
    ],
)
def test_an_unreadable_url_is_one_line(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url, tmp_path)
    said = str(caught.value)
    assert ": cannot be read (check database.url" in said
    assert ("write @ as %40, / as %2F" in said) == ("@" in url)
    assert "s3cret" not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("unable to open database file", "the folder must exist and be writable"),
        ("attempt to write a readonly database", "the file and its folder must be writable"),
    ],
)
def test_a_database_that_does_not_exist_has_a_hint(error: str, said: str, tmp_path: Path) -> None:
    assert _explained(Exception(error), tmp_path / "none.db")[1] == said


def test_a_database_that_cannot_be_opened_has_a_hint(tmp_path: Path) -> None:
    (tmp_path / "publisher.db").write_bytes(b"")
    error = Exception("unable to open database file")
    assert "the file and its folder must be readable" in _explained(error, tmp_path / "publisher.db")[1]
    assert _explained(error, tmp_path)[1] == "database.url names a folder; name a file"


def test_no_number_of_a_system_error_is_shown() -> None:
    error = Exception("failed to resolve host 'h': [Errno -2] Name or service not known")
    assert _explained(error, None)[0] == "failed to resolve host 'h': Name or service not known"


@only_root
@pytest.mark.parametrize("room", [0, 16_384])
def test_a_disk_that_is_full_before_the_start_is_reported(tmp_path: Path, room: int) -> None:
    with small_disk(disk := tmp_path / "disk"):
        open_store("sqlite:///publisher.db", disk).close()
        with almost_full(disk, room):
            with pytest.raises(StoreError, match=r"database or disk is full \(free some space and run it again\)"):
                open_store("sqlite:///publisher.db", disk)
            with pytest.raises(StoreError, match=r"No space left on device|database or disk is full"):
                open_store("sqlite:///new/publisher.db", disk)
        open_store("sqlite:///publisher.db", disk).close()


def test_a_file_size_limit_has_a_hint(tmp_path: Path) -> None:
    open_store("sqlite:///publisher.db", tmp_path).close()
    with files_of_at_most(4_096), pytest.raises(StoreError, match=r"disk I/O error \(the disk is over its quota"):
        open_store("sqlite:///publisher.db", tmp_path)


def test_a_writer_killed_during_a_transaction_does_no_harm(tmp_path: Path) -> None:
    open_store("sqlite:///publisher.db", tmp_path).close()
    program = (
        "import sys, time; from pathlib import Path; from publisher.store.database import Database\n"
        f"database = Database('sqlite:///publisher.db', Path({str(tmp_path)!r}))\n"
        "with database.write() as connection:\n"
        "    for i in range(5000):\n"
        "        connection.exec_driver_sql('INSERT INTO suppressions (address_hash, reason, at, source)"
        " VALUES (?, ?, ?, ?)', (str(i), 'bounced', '2026-01-01', ''))\n"
        "    print('written', flush=True); time.sleep(3_600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)

    with sqlite3.connect(tmp_path / "publisher.db") as connection:
        assert connection.execute("SELECT count(*) FROM suppressions").fetchone() == (0,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        add_people(store, 1)


@pytest.mark.usefixtures("waiting_for_the_disk")
def test_every_connection_waits_for_the_disk(tmp_path: Path) -> None:
    """If a power cut undid an acknowledgement made on any connection of the pool, an email would be sent twice."""
    database = Database("sqlite:///publisher.db", tmp_path)
    migrate(database)
    settings = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    for _ in range(2):  # the second time the pool returns connections that were used before
        with ExitStack() as opened:
            several = [opened.enter_context(database.read()) for _ in range(7)]
            several.append(opened.enter_context(database.write()))
            for connection in several:
                found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in settings}
                assert found == settings
    with database.outside_transactions() as execute:
        assert {name: execute(f"PRAGMA {name}")[0][0] for name in settings} == settings
    database.close()


def test_sqlite_gets_more_memory_and_a_larger_log_only_for_bulk_writes(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path) as store:

        def sizes() -> list[int]:
            with store.database.write() as connection:
                names = ("cache_size", "wal_autocheckpoint")
                return [int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names]

        before = sizes()
        with store.database.for_many_rows():
            meanwhile = sizes()
        assert (meanwhile, sizes()) == ([-MANY_ROWS_KIB, MANY_ROWS_PAGES], before)


def test_it_is_noted_that_many_rows_are_being_written(store: Store) -> None:
    row = {"name": "vip", "condition": "{}", "made_at": NOW}
    found = []
    with store.database.for_many_rows() as busy:
        with store.database.write() as connection:
            connection.execute(sa.select(segments.c.name))
            found.append(busy.is_set())
            connection.execute(sa.insert(segments), [row])
        found.append(busy.is_set())
        busy.clear()
    with store.database.write() as connection:
        connection.execute(sa.delete(segments))
    found.append(busy.is_set())
    assert found == [False, True, False]


def test_a_writer_waits_for_another_process(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        other = sqlite3.connect(tmp_path / "publisher.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(add_people, store, 1)
            time.sleep(0.2)
            assert not waiting.done()
            assert store.subscribers.count() == 0  # readers do not wait
            other.execute("COMMIT")
            waiting.result(timeout=300)
        other.close()
        assert store.subscribers.count() == 1


def database_url(database: Database) -> str:
    """Return the URL with which a database was opened."""
    return str(database._engine.url.render_as_string(hide_password=False)).replace("+pysqlite", "")


def run(program: str) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.postgres
def test_statements_are_prepared_on_the_server_only_without_a_pooler(postgres_url: str, tmp_path: Path) -> None:
    with pgbouncer(postgres_url) as pooler:
        for url, threshold in ((postgres_url, 5), (pooler, None)):
            with open_store(url, tmp_path) as store, store.database.read() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                assert driver.prepare_threshold == threshold
                assert driver.info.parameter_status("TimeZone") == "UTC"
