"""The owner's news of people who joined and unsubscribed, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import Store, open_store
from publisher.store.subscriber_news import Crowd
from publisher.store.subscriber_records import AddOptions, Evidence
from tests.support.store_samples import NOW, later, person


def test_everyone_is_reported_once_and_imported_people_as_a_number(store: Store) -> None:
    news = store.subscriber_news
    store.subscribers.add_many([person("old@example.org")], at=NOW, source="form /subscribe")
    assert news.since(20) is None
    news.begin(NOW)
    assert not news.since(20)
    store.subscribers.add_many([person("ada@example.org"), person("bob@example.org")], at=NOW, source="form")
    imported = AddOptions(NOW, "import people.csv", SubscriberEvent.IMPORTED, number=1)
    store.subscribers.add_all([person(f"r{n}@example.org") for n in range(5)], imported)
    with store.subscribers.transaction(NOW) as transaction:
        transaction.leave(transaction.find("bob@example.org"), "weekly", Evidence("link"), "too long")
        transaction.leave(transaction.find("old@example.org"), None, Evidence("link"), "too many")
    found = news.since(1)
    assert [(each.address, each.what, each.newsletters) for each in found.joined] == [
        ("ada@example.org", "added", ("weekly",))
    ]
    assert [(each.address, each.what, each.detail) for each in found.left] == [
        ("bob@example.org", "left", "weekly too long")
    ]
    assert (found.number_joined, found.number_left) == (2, 2)
    assert found.crowds == [Crowd("import people.csv", 5, 0)]
    assert news.tell(found, later(hours=1))
    assert not news.tell(found, later(hours=2))  # another process that had read the same
    assert not news.since(20)
    news.withdraw(found, later(hours=1))
    assert news.since(20).number_joined == 2
    news.end()
    assert news.told_at() is None


def test_someone_whose_transaction_ends_after_a_later_one_is_not_lost(postgres_url: str, tmp_path: Path) -> None:
    began, may_end = Event(), Event()
    with open_store(postgres_url, tmp_path, lambda: "a secret for tests only") as store, ThreadPoolExecutor(2) as pool:
        news = store.subscriber_news
        store.subscribers.add_many([person("ada@example.org"), person("bob@example.org")], at=NOW, source="form")
        news.begin(NOW)

        def leave_slowly() -> None:
            """Unsubscribe ada in a transaction that ends late."""
            with store.subscribers.transaction(NOW) as transaction:
                transaction.leave(transaction.find("ada@example.org"), None, Evidence("link"))
                began.set()
                may_end.wait()

        leaving = pool.submit(leave_slowly)
        began.wait()
        with store.subscribers.transaction(NOW) as transaction:
            transaction.leave(transaction.find("bob@example.org"), None, Evidence("link"))
        asking = pool.submit(news.since, 20)
        may_end.set()
        leaving.result()
        found = asking.result()
        assert news.tell(found, later(hours=1))
        left = [*found.left, *(news.since(20).left)]
        assert sorted(each.address for each in left) == ["ada@example.org", "bob@example.org"]
