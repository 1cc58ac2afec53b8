"""A connection to PostgreSQL looks like a new one when a second store reuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.store import Store, open_store

pytestmark = pytest.mark.postgres

STATE = """
    SELECT pg_backend_pid(), current_setting('work_mem'), current_setting('TimeZone'), current_schema(),
        current_setting('transaction_isolation'), to_regclass('pg_temp.stays'),
        (SELECT count(*) FROM pg_listening_channels()),
        (SELECT count(*) FROM pg_prepared_statements WHERE name = 'stays'),
        (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
"""


def state(store: Store) -> tuple[Any, ...]:
    with store._database.read() as connection:
        return tuple(connection.execute(sa.text(STATE)).one())


def test_nothing_is_left_of_the_previous_store(postgres_url: str, tmp_path: Path) -> None:
    with open_store(postgres_url, tmp_path) as store:
        new = state(store)
        with store._database.write() as connection:
            for statement in (
                "SET work_mem = '1MB'",
                "SET TimeZone = 'Asia/Tokyo'",
                "CREATE TEMP TABLE stays (number int)",
                "LISTEN stays",
                "PREPARE stays AS SELECT 1",
                "SELECT pg_advisory_lock(1)",
            ):
                connection.exec_driver_sql(statement)
        assert state(store) != new
    with open_store(postgres_url, tmp_path) as store:
        assert state(store) == new
