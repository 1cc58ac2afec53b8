"""Rows that are inserted in bulk are the same as those that SQLAlchemy inserts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.errors import StoreError
from publisher.core.newsletter_models import SubscriberStatus
from publisher.store import Store, open_store
from publisher.store.row_inserts import RowBinder, insert_numbered, insert_rows
from publisher.store.tables import subscribers
from tests.support.random_values import MOMENTS, TEXTS

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "address": TEXTS,
            "name": TEXTS,
            "name_key": TEXTS,
            "language": st.just("en"),
            "status": st.sampled_from(SubscriberStatus),
            "created_at": MOMENTS,
            "confirmed_at": st.none() | MOMENTS,
            "paused_until": st.none() | MOMENTS,
            "import_id": st.none() | st.integers(1, 2**40),
            "fields": TEXTS,
            "note": TEXTS,
        }
    ),
    min_size=1,
    max_size=8,
)


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"uid": f"u{number}", "address_key": f"k{number}", **row} for number, row in enumerate(rows)]


def stored(connection: sa.Connection) -> list[tuple[Any, ...]]:
    columns = [column for column in subscribers.c if column.name != "id"]
    return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(subscribers.c.id))]


@given(rows=ROWS)
@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
def test_rows_are_stored_as_by_sqlalchemy(store: Store, rows: list[dict[str, Any]]) -> None:
    found = []
    for is_ours in (False, True):
        with store.database.write(dry_run=True) as connection:
            if is_ours:
                insert(connection, numbered(rows), new=False)
            else:
                connection.execute(sa.insert(subscribers), numbered(rows))
            found.append(stored(connection))
    assert found[0] == found[1]


def insert(connection: sa.Connection, rows: list[dict[str, Any]], *, new: bool) -> None:
    names = list(rows[0])
    insert_rows(connection, subscribers, names, bound(connection, rows), new=new)


def bound(connection: sa.Connection, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = list(rows[0])
    bind = RowBinder(subscribers, names, connection.dialect)
    return [bind([each[name] for name in names]) for each in rows]


def row(number: int, **more: Any) -> dict[str, Any]:
    plain = {"address": "a", "name": "", "name_key": "", "language": "", "fields": "{}", "note": ""}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    plain |= {"status": SubscriberStatus.ACTIVE, "created_at": at, "confirmed_at": None, "paused_until": None}
    return {"uid": f"u{number}", "address_key": f"k{number}", **plain, "import_id": None} | more


def test_rows_whose_keys_exist_are_skipped_if_only_new_ones_are_wanted(store: Store) -> None:
    with store.database.write() as connection:
        insert(connection, [row(1, name="first")], new=True)
        insert(connection, [row(1, name="again"), row(2), row(2)], new=True)
        names = connection.execute(sa.select(subscribers.c.name).order_by(subscribers.c.id)).scalars().all()
    assert names == ["first", ""]


def test_very_many_rows_are_each_stored_once(store: Store) -> None:
    with store.database.write() as connection:
        insert(connection, [row(number) for number in (*range(301), *range(200, 801))], new=True)
        keys = connection.execute(sa.select(subscribers.c.address_key).order_by(subscribers.c.id)).scalars().all()
    assert keys == [f"k{number}" for number in range(801)]


@pytest.mark.parametrize("bad", [{"uid": "u1"}, {"address": None}])
def test_rows_that_break_a_rule_are_refused(store: Store, bad: dict[str, Any]) -> None:
    with pytest.raises(StoreError), store.database.write() as connection:
        insert(connection, [row(1), row(2, **bad)], new=False)
    with store.database.read() as connection:
        assert stored(connection) == []


def test_a_missing_value_is_refused_even_if_existing_rows_are_skipped(store: Store) -> None:
    with pytest.raises(StoreError), store.database.write() as connection:
        insert(connection, [row(1, address=None)], new=True)


@pytest.mark.postgres
def test_a_text_that_is_too_long_is_refused_and_not_cut(postgres_url: str, tmp_path: Path) -> None:
    with (
        open_store(postgres_url, tmp_path) as store,
        pytest.raises(StoreError, match="too long"),
        store.database.write() as connection,
    ):
        insert(connection, [row(1, name_key="x" * 101)], new=True)


def numbers_of(store: Store, rows: list[dict[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    """Insert rows; return the ids reported for new rows, and the ids of all rows in the table, both by key."""
    names = list(rows[0])
    with store.database.write() as connection:
        key = names.index("address_key")
        new = insert_numbered(connection, subscribers, names, bound(connection, rows), key=key)
        found = connection.execute(sa.select(subscribers.c.address_key, subscribers.c.id)).all()
    return new, {row.address_key: row.id for row in found}


def test_the_numbers_of_new_rows_are_those_in_the_table(store: Store) -> None:
    new, stored_numbers = numbers_of(store, [row(1), row(2), row(3)])
    assert new == stored_numbers
    assert list(new) == ["k1", "k2", "k3"]


def test_skipped_rows_have_no_new_number(store: Store) -> None:
    before, _ = numbers_of(store, [row(2), row(4)])
    new, stored_numbers = numbers_of(store, [row(1), row(2, name="again"), row(3), row(3), row(4), row(5)])
    assert new == {key: stored_numbers[key] for key in ("k1", "k3", "k5")}
    assert before == {key: stored_numbers[key] for key in ("k2", "k4")}
