"""Short functions for people who ask for a subscription and confirm it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.bounces.apply import take_report
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.store import Store, open_store
from publisher.store.subscriber_records import Evidence
from publisher.store.tables import metadata
from publisher.subscribers.double_opt_in import confirm, request_subscription
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionPolicy
from publisher.subscribers.tokens import TokenSigner
from tests.support.store_samples import NOW

SECRET = "a secret of thirty-two characters or more"
TERMS = SubscriptionPolicy(TokenSigner(SECRET))
FORM = Evidence("form /subscribe", "2026-11", "192.0.2.7", "Browser/1.0")
KNOWN = ("weekly", "daily")
_REPORTS = count()


@pytest.fixture
def people(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """An open store with the project's secret, once on each kind of database."""
    with open_store(store_url, tmp_path, lambda: SECRET) as opened:
        yield opened


def bounce(store: Store, uid: str, verdict: Verdict = Verdict.PERMANENT) -> SubscriberStatus | None:
    """Report a new bounce of a subscriber; return their status afterwards."""
    report = Report(verdict, Addressee(uid=uid), "5.1.1", keys=(f"test {next(_REPORTS)}",))
    take_report(store, TERMS, report, now=NOW, source="test")
    found = store.subscribers.by_uid(uid)
    return found.status if found else None


def wishes(*newsletters: str, topics: tuple[str, ...] = ()) -> tuple[Subscription, ...]:
    return tuple(Subscription(newsletter, topics) for newsletter in newsletters or ("weekly",))


def ask(
    store: Store,
    address: str = "ada@example.org",
    *newsletters: str,
    now: datetime = NOW,
    terms: SubscriptionPolicy = TERMS,
    topics: tuple[str, ...] = (),
    **rest: str,
) -> SubscriptionEmail | None:
    """Enter an address into the form, and return the email that is sent."""
    wanted = wishes(*newsletters, topics=topics)
    return request_subscription(store, terms, address, wanted, known=KNOWN, now=now, evidence=FORM, **rest)


def subscribed(
    store: Store, address: str = "ada@example.org", *newsletters: str, topics: tuple[str, ...] = ()
) -> Subscriber:
    """Add a person who has asked for a subscription and confirmed it."""
    notice = ask(store, address, *newsletters, topics=topics)
    assert notice is not None
    confirmed = confirm(store, TERMS, notice.token, now=NOW, evidence=FORM)
    assert confirmed is not None
    return confirmed.subscriber


def known(store: Store, address: str = "ada@example.org") -> Subscriber:
    """Return the subscriber with an address, who must exist."""
    subscriber = store.subscribers.get(address)
    assert subscriber is not None
    return subscriber


def happened(store: Store, subscriber: Subscriber) -> list[tuple[str, str]]:
    """Return a subscriber's history, without the times."""
    return [(event.what, event.detail) for event in store.subscribers.consent(subscriber.id)]


def everything(store: Store) -> dict[str, list[Any]]:
    """Return every row of every table, to show that nothing was changed."""
    with store._database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table)).all()))
            for table in metadata.sorted_tables
        }
