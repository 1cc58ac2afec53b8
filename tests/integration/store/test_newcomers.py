"""The rules for new people are evaluated once for people with equal data, with the same result as one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.newsletter_models import Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.core.subscription_status import SubscriptionRecord, SubscriptionStatus
from publisher.store import Store
from publisher.store.row_inserts import is_one_of
from publisher.store.subscriber_records import AddOptions, AddResult, NewSubscriber
from publisher.store.tables import consent_events, subscribers, subscriptions

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DAYS = st.sampled_from([None, datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)])
WISHES = st.builds(Subscription, st.sampled_from(["weekly", "daily"]), st.sampled_from([(), ("a",), ("b", "a")]))
ENDED = st.just((SubscriptionRecord("monthly", status=SubscriptionStatus.UNSUBSCRIBED),))
PEOPLE = st.builds(
    NewSubscriber,
    st.just(""),
    name=st.sampled_from(["", "Ada"]),
    subscriptions=st.lists(WISHES, max_size=3).map(tuple),
    consent=st.sampled_from(["", "the form"]),
    joined_at=DAYS,
    ended=st.just(()) | ENDED,
    says=st.none() | st.sampled_from([SubscriberEvent.LEFT, SubscriberEvent.BOUNCED, SubscriberEvent.REQUESTED]),
)
EVENTS = st.sampled_from([SubscriberEvent.IMPORTED, SubscriberEvent.ADDED, SubscriberEvent.READDED])


def added(
    store: Store, people: list[NewSubscriber], size: int, event: SubscriberEvent
) -> tuple[list[AddResult], list[tuple[Any, ...]]]:
    """Add people in groups; return the results and the stored rows, which are deleted again."""
    options = AddOptions(NOW, "import people.csv", event, number=1)
    results: list[AddResult] = []
    for start in range(0, len(people), size):
        results += store.subscribers.add_all(people[start : start + size], options)
    found = []
    with store.database.write() as connection:
        ids = {row.id: row.address for row in connection.execute(sa.select(subscribers.c.id, subscribers.c.address))}
        for table in (subscribers, subscriptions, consent_events):
            whose = "id" if table is subscribers else "subscriber_id"
            columns = [column for column in table.c if column.name not in ("id", "subscriber_id", "uid")]
            rows = connection.execute(sa.select(table.c[whose], *columns)).all()
            found += sorted(((ids[row[0]], *row[1:]) for row in rows), key=repr)
        for table in (consent_events, subscriptions, subscribers):
            connection.execute(sa.delete(table))
    return results, found


@given(people=st.lists(PEOPLE, min_size=2, max_size=12), event=EVENTS)
@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
def test_people_added_together_equal_people_added_one_by_one(
    store: Store, people: list[NewSubscriber], event: SubscriberEvent
) -> None:
    named = [replace(each, address=f"reader{number}@example.org") for number, each in enumerate(people)]
    assert added(store, named, len(named), event) == added(store, named, 1, event)


def test_a_row_sets_topics_only_if_it_is_the_first_of_its_person(store: Store) -> None:
    """Only the first row of a person sets topics; a second one does not, even if it equals someone else's first row."""
    one, other = (Subscription("weekly", ("a",)),), (Subscription("weekly", ("b",)),)
    rows = [("ada", one), ("ben", other), ("ada", other)]
    people = [NewSubscriber(f"{name}@example.org", subscriptions=wishes) for name, wishes in rows]
    store.subscribers.add_all(people, AddOptions(NOW, "import people.csv", SubscriberEvent.IMPORTED))
    found = {each.address[:3]: each.subscriptions for each in store.subscribers.list()}
    assert found == {"ada": one, "ben": other}


def test_one_of_many_values_is_found_whatever_characters_it_has(store: Store, tmp_path: Path) -> None:
    names = ['a"b', "a\\b", "{a,b}", "NULL", "", "a'b", "é", "a,b"]
    people = [NewSubscriber(f"{number}@example.org", name=name) for number, name in enumerate(names)]
    store.subscribers.add_many(people, at=NOW, source="test")
    with store.database.read() as connection:
        for name in names:
            this = is_one_of(subscribers.c.name, [name, "nobody"], connection.dialect)
            assert connection.execute(sa.select(subscribers.c.name).where(this)).scalars().all() == [name]
