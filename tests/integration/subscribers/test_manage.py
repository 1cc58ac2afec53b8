"""Addresses, names, and adding and unsubscribing by hand."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.store import Store
from publisher.store.subscriber_records import Added
from publisher.subscribers.address import clean_name, normalise
from publisher.subscribers.manage import subscribe, unsubscribe, words
from tests.support.store_samples import NOW


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+news@Example.ORG ", "Ada.Lovelace+news@example.org"),
        ("jo\u0308rg@example.org", "jörg@example.org"),
        ("ada@MÜLLER.example", "ada@müller.example"),
        ("ada@xn--mller-kva.example", "ada@müller.example"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("o'neil@sub.example.co.uk", "o'neil@sub.example.co.uk"),
        ("ada@mail.test", "ada@mail.test"),
    ],
)
def test_an_address_is_kept_in_one_form(given_as: str, kept_as: str) -> None:
    assert normalise(given_as) == kept_as
    assert normalise(kept_as) == kept_as


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada@example..org",
        "ada@-example.org",
        "a@b@example.org",
        "ada@example.org, eve@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "Ada <ada@example.org>",
        "ada@[127.0.0.1]",
        "ada@example.invalid",
        f"{'a' * 65}@example.org",
        "ada@example.org\x00",
        "\u202eada@example.org",
        "novel " * 1_000,
    ],
)
def test_an_invalid_address_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SubscriberError) as caught:
        normalise(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.text())
def test_a_name_is_one_clean_line(name: str) -> None:
    cleaned = clean_name(name)

    assert len(cleaned) <= 200
    assert cleaned == " ".join(cleaned.split())
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in cleaned)


def test_lists_are_read_as_people_write_them() -> None:
    assert words(" weekly; daily,weekly\tmonthly ;; ") == ("weekly", "daily", "monthly")
    assert words("") == ()


def test_a_subscriber_is_added_with_newsletters_and_topics(store: Store) -> None:
    added = subscribe(
        store,
        " Ada@Example.ORG",
        newsletters=["weekly", "daily"],
        at=NOW,
        name=" Ada\n Lovelace ",
        topics=["ml", "ai"],
        language="en",
    )

    assert added.result is Added.ADDED
    (ada,) = store.subscribers.list()
    assert (ada.address, ada.name, ada.language) == ("Ada@example.org", "Ada Lovelace", "en")
    assert ada.subscriptions == (Subscription("daily", ("ai", "ml")), Subscription("weekly", ("ai", "ml")))
    assert {event.source for event in store.subscribers.consent(ada.id)} == {"command line"}


def test_an_unsubscribed_address_needs_the_again_option(store: Store) -> None:
    subscribe(store, "ada@example.org", newsletters=["weekly"], at=NOW)
    assert unsubscribe(store, "ADA@example.org", at=NOW)
    assert not unsubscribe(store, "ada@example.org", at=NOW)

    with pytest.raises(SubscriberError, match=r"was unsubscribed from weekly on 21 Nov.* --again and --why"):
        subscribe(store, "ada@example.org", newsletters=["weekly"], at=NOW)
    again = subscribe(store, "ada@example.org", newsletters=["weekly"], at=NOW, again="by phone")
    assert again.result is Added.RETURNED
    assert store.subscribers.count("weekly", SubscriberStatus.ACTIVE) == 1


def test_removing_an_unknown_address_is_refused(store: Store) -> None:
    with pytest.raises(SubscriberError, match=r"nobody@example\.org is not a subscriber"):
        unsubscribe(store, "nobody@example.org", at=NOW)
