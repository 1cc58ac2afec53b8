"""Readers whose mailboxes are gone, on both databases."""

from __future__ import annotations

from publisher.bounces.gone import stop_gone
from publisher.store import Store
from publisher.subscribers.manage import unsubscribe
from tests.support.consent_samples import TERMS, known, people, subscribed
from tests.support.store_samples import NOW

__all__ = ["people"]


def test_who_is_gone_is_stopped_once_and_who_left_stays_as_they_were(people: Store) -> None:
    ada, bob, cy = subscribed(people), subscribed(people, "bob@example.org"), subscribed(people, "cy@example.org")
    unsubscribe(people, "cy@example.org", at=NOW)
    gone = [(ada.uid, "550 5.1.1 no\nsuch user"), (cy.uid, "550 5.1.1 no such user"), ("nobody", "550 5.1.1")]

    assert stop_gone(people, TERMS, gone, now=NOW, source="mail server") == 1
    assert stop_gone(people, TERMS, gone, now=NOW, source="mail server") == 0
    assert stop_gone(people, TERMS, [], now=NOW, source="mail server") == 0

    assert [known(people, each.address).status for each in (ada, bob, cy)] == ["bounced", "active", "unsubscribed"]
    last = people.subscribers.consent(ada.id)[-1]
    assert (last.what, last.detail, last.source) == ("bounced", "550 5.1.1 no such user", "mail server")
