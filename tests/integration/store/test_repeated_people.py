"""The rows of a person have the same result in one transaction as in a transaction each."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.newsletter_models import SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_fields import FieldKind
from publisher.core.subscriber_status import SubscriberEvent
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionRecord, SubscriptionStatus
from publisher.store import Store
from publisher.store.subscriber_records import (
    AddOptions,
    AddResult,
    ConsentEvent,
    NewSubscriber,
    Restored,
    SuppressedHash,
)
from tests.support.consent_samples import people as store
from tests.support.import_results import everything, forget_everything

__all__ = ["store"]

BEFORE, NOW = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
MOMENTS = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC)]
DAYS = st.none() | st.sampled_from(MOMENTS)
NEWSLETTERS = st.sampled_from(["weekly", "daily", "monthly"])
ADDRESSES = st.sampled_from(["ada@example.org", "ADA@example.org", "ben@example.org", "cleo@example.org"])
SAYS = [SubscriberEvent[each] for each in ("LEFT", "REMOVED", "BOUNCED", "COMPLAINED", "SUPPRESSED", "REQUESTED")]
SOURCES = st.sampled_from(["form", "import old.csv", "Import of mine", "import people.csv", "undo of import 1"])
EVENTS = st.builds(ConsentEvent, st.sampled_from(MOMENTS), st.just("added"), SOURCES, st.just(""))
RECORDS = st.builds(
    SubscriptionRecord,
    NEWSLETTERS,
    status=st.sampled_from(SubscriptionStatus),
    since=DAYS,
    cause=st.sampled_from([SubscriptionEvent.IMPORTED, SubscriptionEvent.CONFIRMED, SubscriptionEvent.FILE_LEFT_ONE]),
)
ENTRIES = st.builds(
    SuppressedHash,
    st.just(""),
    st.sampled_from(SuppressionReason),
    st.sampled_from(MOMENTS),
    st.just("form"),
    st.just(""),
)
RESTORED = st.builds(
    Restored,
    st.just(""),
    st.sampled_from(SubscriberStatus),
    suppressed=st.none() | ENTRIES,
    records=st.lists(RECORDS, max_size=2).map(tuple),
    consent=st.lists(EVENTS, max_size=2).map(tuple),
)
PEOPLE = st.builds(
    NewSubscriber,
    ADDRESSES,
    name=st.sampled_from(["", "Ada", "Ben"]),
    language=st.sampled_from(["", "de"]),
    # Only one row of a person has topics: of several, the first counts in a batch.
    subscriptions=st.lists(st.builds(Subscription, NEWSLETTERS), max_size=3).map(tuple),
    consent=st.sampled_from(["", "the form"]),
    joined_at=DAYS,
    ended=st.just(()) | st.lists(RECORDS.filter(lambda each: not each.is_subscribed), max_size=2).map(tuple),
    says=st.none() | st.sampled_from(SAYS),
    said_at=DAYS,
    restored=st.none() | RESTORED,
    tags=st.lists(st.sampled_from(["new", "vip", "old"]), max_size=2).map(tuple),
    fields=st.dictionaries(st.sampled_from(["plan", "city"]), st.sampled_from(["a", 1, True, 1.5]), max_size=2),
    note=st.sampled_from(["", "one", "two"]),
)
FILES = st.lists(PEOPLE, min_size=2, max_size=8)
KINDS = {"plan": FieldKind.TEXT, "city": FieldKind.TEXT}


def added(
    store: Store,
    earlier: list[NewSubscriber],
    people: list[NewSubscriber],
    size: int,
    since: datetime,
    is_another: bool,
) -> tuple[list[AddResult], object]:
    """Delete everybody, add people in groups to those of an earlier import, and return the results and all rows."""
    forget_everything(store)
    before, _ = store.imports.begin("before.csv", "", "one", BEFORE)
    number, _ = store.imports.begin("people.csv", "", "another", NOW) if is_another else (before, None)
    for each in earlier:
        store.subscribers.add_all([each], AddOptions(BEFORE, "import before.csv", SubscriberEvent.IMPORTED, before))
    results: list[AddResult] = []
    options = AddOptions(NOW, "import people.csv", SubscriberEvent.IMPORTED, number, since, KINDS)
    for start in range(0, len(people), size):
        results += store.subscribers.add_all(people[start : start + size], options)
    return results, everything(store)


@given(earlier=st.lists(PEOPLE, max_size=3), people=FILES, is_another=st.booleans(), is_again=st.booleans())
@settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
def test_borders_of_transactions_change_nothing_for_the_people_of_a_file(
    store: Store, earlier: list[NewSubscriber], people: list[NewSubscriber], is_another: bool, is_again: bool
) -> None:
    """also if the file is imported again."""
    since = BEFORE if is_again else NOW
    whole = added(store, earlier, people, len(people), since, is_another)
    for size in (1, 2, 3):
        assert added(store, earlier, people, size, since, is_another) == whole
