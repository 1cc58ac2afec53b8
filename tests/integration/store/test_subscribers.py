"""Subscribers, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.store import Store
from publisher.store.additions import address_key
from publisher.store.subscriber_records import Added, decode_topics, encode_topics
from tests.support.store_samples import NOW, add_people, later, person


def test_a_new_subscriber_is_kept_as_given(store: Store) -> None:
    new = person("Ada@example.org", "weekly", topics=("ml", "ai"), name="Ada Lovelace", language="en-GB")

    assert store.subscribers.add(new, at=NOW, source="command line") is Added.ADDED

    ada = store.subscribers.get("Ada@example.org")
    assert ada is not None
    assert (ada.address, ada.name, ada.language) == ("Ada@example.org", "Ada Lovelace", "en-GB")
    assert ada.status is SubscriberStatus.ACTIVE
    assert ada.created_at == NOW
    assert ada.created_at.utcoffset() == NOW.utcoffset()
    assert ada.subscriptions == (Subscription("weekly", ("ai", "ml")),)
    assert store.subscribers.by_uid(ada.uid) == ada


def test_adding_twice_changes_nothing(store: Store) -> None:
    store.subscribers.add(person(), at=NOW, source="first")
    before = list(store.subscribers.list())

    assert store.subscribers.add(person(), at=later(days=1), source="second") is Added.UNCHANGED
    assert list(store.subscribers.list()) == before
    assert [event.source for event in store.subscribers.consent(before[0].id)] == ["first", "first"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ada@example.org", "ADA@example.org"),
        ("jörg@example.org", "jo\u0308rg@example.org"),
        ("Straße@example.org", "STRASSE@example.org"),
        ("ΆΔΑ@example.org", "άδα@example.org"),
    ],
)
def test_spellings_of_an_address_are_one_subscriber(store: Store, first: str, second: str) -> None:
    assert store.subscribers.add(person(first), at=NOW, source="test") is Added.ADDED
    assert store.subscribers.add(person(second), at=NOW, source="test") is Added.UNCHANGED
    assert store.subscribers.count() == 1


def test_the_first_of_two_spellings_in_one_group_is_kept(store: Store) -> None:
    pair = [person("Ada@example.org", "weekly"), person("ada@example.org", "daily")]

    assert store.subscribers.add_many(pair, at=NOW, source="test") == [Added.ADDED, Added.SUBSCRIBED]
    (ada,) = store.subscribers.list()
    assert ada.address == "Ada@example.org"
    assert [wish.newsletter for wish in ada.subscriptions] == ["daily", "weekly"]


def test_a_known_subscriber_gains_newsletters_and_topics(store: Store) -> None:
    store.subscribers.add(person(topics=("ai",), name="Ada"), at=NOW, source="test")
    more = person("ada@example.org", "weekly", "daily", topics=("ml",), name="Someone else")

    assert store.subscribers.add(more, at=NOW, source="test") is Added.SUBSCRIBED
    (ada,) = store.subscribers.list()
    assert ada.name == "Ada"
    assert ada.subscriptions == (Subscription("daily", ("ml",)), Subscription("weekly", ("ml",)))
    assert store.subscribers.add(person("ada@example.org"), at=NOW, source="test") is Added.UNCHANGED


def test_an_unsubscribed_address_is_refused(store: Store) -> None:
    store.subscribers.add(person(), at=NOW, source="form")
    assert store.subscribers.remove("ADA@example.org", at=later(days=1), source="link")
    assert not store.subscribers.remove("ada@example.org", at=later(days=2), source="link")

    assert store.subscribers.add(person(), at=later(days=3), source="import") is Added.UNSUBSCRIBED
    assert store.subscribers.count(status=SubscriberStatus.ACTIVE) == 0

    assert store.subscribers.add(person(), at=later(days=4), source="phone", again=True) is Added.RETURNED
    (ada,) = store.subscribers.list("weekly", SubscriberStatus.ACTIVE)
    history = [(event.what, event.source, event.detail) for event in store.subscribers.consent(ada.id)]
    assert history == [
        ("added", "form", ""),
        ("subscribed", "form", "weekly"),
        ("removed", "link", ""),
        ("returned", "phone", ""),
        ("subscribed", "phone", "weekly"),
    ]


def test_unsubscribing_from_one_newsletter_keeps_the_others(store: Store) -> None:
    store.subscribers.add(person("ada@example.org", "weekly", "daily"), at=NOW, source="form")

    assert store.subscribers.remove("ada@example.org", "daily", at=NOW, source="link")
    assert not store.subscribers.remove("ada@example.org", "daily", at=NOW, source="link")
    (ada,) = store.subscribers.list()
    assert ada.status is SubscriberStatus.ACTIVE
    assert ada.subscriptions == (Subscription("weekly"),)


def test_removing_a_stranger_changes_nothing(store: Store) -> None:
    assert not store.subscribers.remove("nobody@example.org", at=NOW, source="link")


def test_people_are_listed_and_counted_by_newsletter_and_status(store: Store) -> None:
    add_people(store, 2_500)
    store.subscribers.add(person("ada@example.org", "daily"), at=NOW, source="test")
    store.subscribers.remove("reader7@example.org", at=NOW, source="test")

    people = list(store.subscribers.list("weekly", SubscriberStatus.ACTIVE))
    assert len({p.uid for p in people}) == len(people) == 2_499
    assert store.subscribers.count("weekly", SubscriberStatus.ACTIVE) == 2_499
    assert store.subscribers.count("weekly") == 2_500
    assert store.subscribers.count() == 2_501
    assert store.subscribers.count("monthly") == 0


def test_hostile_text_is_kept_as_text(store: Store) -> None:
    name = "Robert'); DROP TABLE subscribers;-- \u202eevil <script> 🙂"
    store.subscribers.add(person("o'brien@example.org", name=name), at=NOW, source="test")

    found = store.subscribers.get("O'Brien@example.org")
    assert found is not None
    assert found.name == name
    assert store.subscribers.get("' OR 1=1 --@example.org") is None


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_the_key_of_an_address_is_its_own_key(address: str) -> None:
    once = address_key(address)
    assert address_key(once) == once


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs",)))))
def test_equal_selections_are_equal_text(topics: list[str]) -> None:
    assert encode_topics(topics) == encode_topics(reversed(topics))
    assert decode_topics(encode_topics(topics)) == tuple(sorted(set(topics)))
