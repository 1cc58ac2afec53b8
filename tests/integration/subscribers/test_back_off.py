"""How many emails strangers can cause, on both databases: per mailbox and in total."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from publisher.core.newsletter_models import SubscriberStatus
from publisher.store import Store, open_store
from publisher.store.subscriber_records import EmailTrigger
from publisher.subscribers.account import request_account_link, use_account_link
from publisher.subscribers.address import mailbox_of
from publisher.subscribers.address_change import request_address_change
from publisher.subscribers.double_opt_in import confirm
from publisher.subscribers.manage import lift_suppression, suppress
from publisher.subscribers.privacy import erase, forget_unconfirmed
from publisher.subscribers.self_service import decline_all
from tests.support.consent_samples import FORM, SECRET, TERMS, ask, everything, known, people, subscribed
from tests.support.store_samples import NOW, later

__all__ = ["people"]

# Each step comes one wait after the previous one.
STEPS = [NOW, later(hours=1), later(days=1, hours=1), later(days=8, hours=1)]


def hourly(days: int) -> Iterator[datetime]:
    return (later(hours=hour) for hour in range(24 * days))


# In thirty days: each hour of the first, every eighteenth hour of the rest, and the hours around the last step.
MOMENTS = [later(hours=hour) for hour in sorted({*range(31), *range(31, 24 * 30, 18), 192, 194})]


def mailed(send: Callable[[datetime], object]) -> list[datetime]:
    """Return the times at which a request caused an email."""
    return [moment for moment in MOMENTS if send(moment)]


def test_an_address_that_never_confirms_gets_four_emails(people: Store) -> None:
    moments = (*hourly(9), *MOMENTS)
    assert [moment for moment in sorted(set(moments)) if ask(people, now=moment)] == STEPS


def test_requests_do_not_postpone_the_end_of_a_wait(people: Store) -> None:
    for number, moment in enumerate(hourly(60)):
        if number % 4 == 0:
            ask(people, now=moment)
        if number % 24 == 0:
            forget_unconfirmed(people, TERMS, moment)
    assert people.subscribers.get("ada@example.org") is None
    assert ask(people, now=later(days=3_650)) is None
    assert people.subscribers.count() == 0


def test_waits_outlast_a_restart(store_url: str, tmp_path: Path) -> None:
    found = []
    for moment in (NOW, later(minutes=59), *STEPS[1:], later(days=400)):
        with open_store(store_url, tmp_path, lambda: SECRET) as store:
            found += [moment] if ask(store, now=moment) else []
    assert found == STEPS


def test_two_hosts_share_the_count(store_url: str, tmp_path: Path) -> None:
    spellings = [f"{'.' * (n % 2)}ad{'.' * (n % 3 > 0)}a+{n}@gmail.com".removeprefix(".") for n in range(45)]
    with (
        open_store(store_url, tmp_path, lambda: SECRET) as one,
        open_store(store_url, tmp_path, lambda: SECRET) as other,
        ThreadPoolExecutor(6) as pool,
    ):
        sent = list(pool.map(lambda each: ask((one, other)[len(each) % 2], each), spellings))
    assert len(set(spellings)) == 45
    assert sum(email is not None for email in sent) == 1


@pytest.mark.parametrize(
    ("spelling", "mailbox"),
    [
        ("ada@example.org", "ada@example.org"),
        ("Ada+News@Example.org", "ada@example.org"),
        ("ada+a+b@example.org", "ada@example.org"),
        ("a.da@example.org", "a.da@example.org"),  # a dot matters at most providers
        ("+ada@example.org", "+ada@example.org"),
        ("A.d.A+x@gmail.com", "ada@gmail.com"),
        ("ada@googlemail.com", "ada@gmail.com"),
        ("ａda@gmail.com", "ada@gmail.com"),
        ("ada@me.com", "ada@icloud.com"),
        ("a.d-a_@pm.me", "ada@proton.me"),
    ],
)
def test_spellings_of_a_mailbox_are_counted_together(spelling: str, mailbox: str) -> None:
    assert mailbox_of(spelling) == mailbox


def test_every_kind_of_email_from_a_form_counts_together(people: Store) -> None:
    """One mailbox in four spellings: a subscriber, a suppressed address, a stranger, and someone else's new address."""
    subscribed(people, "ada@gmail.com")
    suppress(people, "a.da@gmail.com", now=NOW, source="test")
    mover = subscribed(people, "bob@example.org")
    emails = []
    for moment in MOMENTS:
        emails += [ask(people, each, now=moment) for each in ("ada@gmail.com", "a.da@gmail.com", "ad.a@gmail.com")]
        asked = request_address_change(people, TERMS, mover.uid, "ada+x@gmail.com", now=moment, evidence=FORM)
        emails.append(asked.email)
    assert [email.kind for email in emails if email] == ["already"] * 4


@pytest.mark.parametrize("prepare", [subscribed, lambda store: erase(store, "ada@example.org", now=NOW, source="test")])
def test_known_and_erased_addresses_back_off_as_well(people: Store, prepare: Callable[[Store], object]) -> None:
    prepare(people)
    assert mailed(lambda moment: ask(people, now=moment)) == STEPS


def test_a_new_address_gets_four_emails(people: Store) -> None:
    ada = subscribed(people)

    def send(moment: datetime) -> object:
        return request_address_change(people, TERMS, ada.uid, "victim@example.net", now=moment, evidence=FORM).email

    assert mailed(send) == STEPS


def test_the_old_address_gets_four_emails(people: Store) -> None:
    ada = subscribed(people)
    assert mailed(lambda moment: request_account_link(people, TERMS, ada.uid, now=moment).email) == STEPS
    assert request_account_link(people, TERMS, ada.uid, now=later(days=31)).possible


def test_a_click_in_the_mailbox_restarts_the_count(people: Store) -> None:
    first = ask(people)
    assert first is not None
    assert confirm(people, TERMS, first.token, now=NOW, evidence=FORM)
    assert ask(people, now=later(minutes=1)) is not None
    ada = known(people)
    link = request_account_link(people, TERMS, ada.uid, now=NOW).email
    assert link is not None
    assert request_account_link(people, TERMS, ada.uid, now=later(minutes=1)).email is None
    assert use_account_link(people, TERMS, link.token, now=later(minutes=1)) == ada
    assert use_account_link(people, TERMS, link.token, now=later(minutes=1)) is None
    assert request_account_link(people, TERMS, ada.uid, now=later(minutes=2)).email is not None


def test_there_is_an_hourly_limit_in_total(people: Store) -> None:
    few = replace(TERMS, most_requests=3)
    crowd = [f"reader{n}@example.org" for n in range(6)]
    assert [bool(ask(people, each, terms=few)) for each in crowd] == [True] * 3 + [False] * 3
    assert people.subscribers.emails_since(EmailTrigger.FORM, NOW - timedelta(hours=1)) == 3
    assert people.subscribers.count() == 3  # nothing is stored about the others
    assert ask(people, crowd[5], terms=few, now=later(minutes=59)) is None
    assert ask(people, crowd[5], terms=few, now=later(minutes=61)) is not None


def test_refusing_all_email_covers_every_spelling(people: Store) -> None:
    ask(people, "ada@gmail.com", name="Ada")
    decline_all(people, "ada@gmail.com", now=NOW, source="link /never")
    assert people.subscribers.count() == 0
    assert people.suppressions.is_listed("ada@gmail.com")
    before = everything(people)
    for spelling in ("ada@gmail.com", "a.da+x@googlemail.com"):
        assert mailed(lambda moment, spelling=spelling: ask(people, spelling, now=moment)) == []
    decline_all(people, "ada@gmail.com", now=NOW, source="link /never")
    assert everything(people) == before

    assert lift_suppression(people, "ada@gmail.com", now=NOW, source="test")
    assert ask(people, "ada@gmail.com") is not None


def test_refusing_all_email_also_ends_a_subscription(people: Store) -> None:
    ada = subscribed(people)
    decline_all(people, "ada@example.org", now=NOW, source="link /never")
    decline_all(people, "stranger@example.org", now=NOW, source="link /never")
    assert known(people).status is SubscriberStatus.SUPPRESSED
    assert people.subscribers.count("weekly", mailable_at=NOW) == 0
    assert not request_account_link(people, TERMS, ada.uid, now=NOW).possible
    assert ask(people, "stranger@example.org") is None
