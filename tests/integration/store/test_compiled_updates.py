"""Updates that are compiled once have the same effect as those that SQLAlchemy runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.newsletter_models import SubscriberStatus
from publisher.store import Store
from publisher.store.compiled_updates import CompiledUpdate, is_among
from publisher.store.tables import subscribers
from tests.support.random_values import MOMENTS, START, TEXTS

CHANGES = st.lists(
    st.fixed_dictionaries(
        {
            "new_name": TEXTS,
            "new_status": st.sampled_from(SubscriberStatus),
            "pause": st.none() | MOMENTS,
            "at": MOMENTS,
            "import": st.none() | st.integers(1, 2**40),
        }
    ),
    min_size=1,
    max_size=8,
)
UPDATE = (
    sa.update(subscribers)
    .where(subscribers.c.uid == sa.bindparam("person"))
    .values(
        name=sa.bindparam("new_name"),
        status=sa.bindparam("new_status"),
        paused_until=sa.bindparam("pause"),
        created_at=sa.bindparam("at"),
        import_id=sa.bindparam("import"),
    )
)


def add(connection: sa.Connection, count: int) -> list[int]:
    plain = {"address": "a", "name": "", "name_key": "", "language": "", "fields": "{}", "note": ""}
    plain |= {"status": SubscriberStatus.ACTIVE, "created_at": START, "confirmed_at": None, "paused_until": None}
    for number in range(count):
        connection.execute(sa.insert(subscribers).values(uid=f"u{number}", address_key=f"k{number}", **plain))
    return list(connection.execute(sa.select(subscribers.c.id).order_by(subscribers.c.id)).scalars())


@given(changes=CHANGES)
@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
def test_rows_are_changed_as_by_sqlalchemy(store: Store, changes: list[dict[str, Any]]) -> None:
    columns = [column for column in subscribers.c if column.name != "id"]
    rows = [{"person": f"u{n}", **each} for n, each in enumerate(changes)]
    found = []
    for is_ours in (False, True):
        with store.database.write(dry_run=True) as connection:
            add(connection, len(rows) + 1)
            if is_ours:
                assert CompiledUpdate(UPDATE, connection.dialect).run(connection, rows) == len(rows)
            else:
                connection.execute(UPDATE, rows)
            found.append([tuple(row) for row in connection.execute(sa.select(*columns).order_by(subscribers.c.uid))])
    assert found[0] == found[1]


@given(chosen=st.lists(st.integers(0, 9) | st.integers(10**6, 2**60)))
@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
def test_rows_are_found_by_any_number_of_ids(store: Store, chosen: list[int]) -> None:
    with store.database.write(dry_run=True) as connection:
        ids = add(connection, 10)
        wanted = [ids[each] if each < 10 else ids[-1] + each for each in chosen]
        found = connection.execute(sa.select(subscribers.c.id).where(is_among(connection, subscribers.c.id, wanted)))
        assert sorted(found.scalars()) == sorted(set(wanted) & set(ids))
