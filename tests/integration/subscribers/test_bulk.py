"""Actions of the owner for many people, and a second confirmation email for one person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.store import Store
from publisher.store.people_query import PeopleQuery
from publisher.subscribers.bulk import (
    BulkOptions,
    BulkResult,
    erase_people,
    suppress_people,
    tag_people,
    unsubscribe_people,
)
from publisher.subscribers.double_opt_in import AGAIN_AFTER, ask_again, confirm
from publisher.subscribers.edit import Change, edit
from publisher.subscribers.manage import suppress
from tests.support.consent_samples import FORM, TERMS, ask, everything, happened, known, people, subscribed
from tests.support.store_samples import NOW, add_people, later

__all__ = ["people"]

EVERYONE, OPTIONS = PeopleQuery(), BulkOptions(NOW, "test")
REHEARSAL = BulkOptions(NOW, "test", dry_run=True)


def test_many_people_are_tagged_in_groups(people: Store) -> None:
    add_people(people, 603)
    before = everything(people)
    assert tag_people(people, EVERYONE, ["VIP"], [], REHEARSAL) == BulkResult(603, 603)
    assert everything(people) == before
    assert tag_people(people, PeopleQuery(search="reader12"), ["vip", "old"], [], OPTIONS) == BulkResult(11, 11)
    assert tag_people(people, EVERYONE, ["vip"], ["old"], OPTIONS) == BulkResult(603, 603)
    assert tag_people(people, EVERYONE, ["vip"], ["old"], OPTIONS) == BulkResult(603, 0)
    assert people.subscribers.tags_in_use() == {"vip": 603}
    assert tag_people(people, PeopleQuery(tag="vip"), [], ["vip"], OPTIONS).changed == 603


def test_a_person_with_too_many_tags_keeps_their_tags(people: Store) -> None:
    add_people(people, 2)
    full = tuple(f"t{number}" for number in range(100))
    edit(people, known(people, "reader0@example.org"), Change(tags=full), at=NOW, source="test", known={})
    assert tag_people(people, EVERYONE, ["more"], [], OPTIONS) == BulkResult(2, 1)
    with pytest.raises(SubscriberError, match="can't be a tag"):
        tag_people(people, EVERYONE, ["a,b"], [], OPTIONS)


def test_people_are_unsubscribed_suppressed_and_deleted_together(people: Store) -> None:
    add_people(people, 30)
    some = PeopleQuery(search="reader1")  # 1 and 10 to 19
    assert unsubscribe_people(people, some, "weekly", REHEARSAL) == BulkResult(11, 11)
    assert unsubscribe_people(people, some, "weekly", OPTIONS) == BulkResult(11, 11)
    one = known(people, "reader1@example.org")
    assert (one.status, happened(people, one)[-1]) == (SubscriberStatus.UNSUBSCRIBED, ("removed", "weekly"))

    assert suppress_people(people, some, OPTIONS) == BulkResult(11, 11)
    assert people.suppressions.counts() == {SuppressionReason.SUPPRESSED: 11}
    assert known(people, "reader1@example.org").status is SubscriberStatus.SUPPRESSED

    others = PeopleQuery(search="reader2")  # 2 and 20 to 29
    tag_people(people, others, ["x"], [], OPTIONS)
    assert erase_people(people, others, REHEARSAL) == BulkResult(11, 11)
    assert erase_people(people, others, OPTIONS) == BulkResult(11, 11)
    assert people.subscribers.count() == 19
    assert people.suppressions.counts()[SuppressionReason.ERASED] == 11


def test_different_people_than_shown_are_refused_even_if_the_number_is_the_same(people: Store) -> None:
    add_people(people, 3)
    tag_people(people, PeopleQuery(search="reader1"), ["x"], [], OPTIONS)
    tagged = PeopleQuery(tag="x")
    shown = people.people.whom(tagged, NOW).digest
    tag_people(people, PeopleQuery(search="reader1"), [], ["x"], OPTIONS)
    tag_people(people, PeopleQuery(search="reader2"), ["x"], [], OPTIONS)
    before = everything(people)
    for deed in (erase_people, suppress_people):
        with pytest.raises(SubscriberError, match="no longer the same people"):
            deed(people, tagged, BulkOptions(NOW, "test", expected=shown))
    assert everything(people) == before
    shown = people.people.whom(tagged, NOW).digest
    assert erase_people(people, tagged, BulkOptions(NOW, "test", expected=shown)).changed == 1


def test_the_owner_can_let_a_confirmation_be_sent_again(people: Store) -> None:
    first = ask(people, topics=("ruby",))
    person = known(people)
    with pytest.raises(SubscriberError, match="less than an hour ago"):
        ask_again(people, TERMS, person, newsletters=["daily"], now=NOW, source="test")
    now = NOW + AGAIN_AFTER + timedelta(minutes=1)
    second = ask_again(people, TERMS, person, newsletters=["daily"], now=now, source="test")

    assert first is not None
    assert (second.address, second.newsletters) == (first.address, ("weekly",))
    assert happened(people, person)[-1] == ("asked again", 'weekly ["ruby"]')
    assert known(people).status is SubscriberStatus.PENDING
    assert confirm(people, TERMS, first.token, now=now, evidence=FORM) is None
    confirmed = confirm(people, TERMS, second.token, now=now, evidence=FORM)
    assert confirmed is not None
    assert confirmed.subscriber.subscriptions[0].topics == ("ruby",)
    with pytest.raises(SubscriberError, match="is not waiting"):
        ask_again(people, TERMS, person, newsletters=["daily"], now=later(days=1), source="test")


def test_after_a_correction_the_link_is_sent_to_the_new_address(people: Store) -> None:
    ask(people, "ada@exmaple.org")
    wrong = known(people, "ada@exmaple.org")
    edit(people, wrong, Change(address="ada@example.org"), at=NOW, source="test", known={})
    email = ask_again(people, TERMS, wrong, newsletters=["daily"], now=NOW, source="test")
    assert (email.address, email.newsletters) == ("ada@example.org", ("weekly",))
    people.subscribers.delete_tokens(later(days=30))
    email = ask_again(people, TERMS, wrong, newsletters=["daily"], now=later(days=20), source="test")
    assert email.newsletters == ("daily",)
    suppress(people, "ada@example.org", now=NOW, source="test")
    with pytest.raises(SubscriberError):
        ask_again(people, TERMS, known(people), newsletters=["daily"], now=later(days=40), source="test")


def test_no_one_who_has_confirmed_is_asked_again(people: Store) -> None:
    person = subscribed(people)
    with pytest.raises(SubscriberError, match="is not waiting"):
        ask_again(people, TERMS, person, newsletters=["daily"], now=NOW, source="test")
