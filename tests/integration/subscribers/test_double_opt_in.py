"""Double opt-in on both databases: what a form may do, and what only the owner of the mailbox may do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from publisher.core.bounce_report import Verdict
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.store import Store
from publisher.subscribers.address_change import request_address_change
from publisher.subscribers.double_opt_in import Agreed, confirm, look_at_request, request_subscription
from publisher.subscribers.manage import suppress
from publisher.subscribers.policy import SubscriptionEmailKind
from publisher.subscribers.self_service import unsubscribe
from publisher.subscribers.tokens import TokenPurpose, TokenSigner
from tests.support.consent_samples import (
    FORM,
    KNOWN,
    TERMS,
    ask,
    bounce,
    everything,
    happened,
    known,
    people,
    subscribed,
    wishes,
)
from tests.support.store_samples import NOW, later, person

__all__ = ["people"]


def test_nothing_is_subscribed_before_confirmation(people: Store) -> None:
    notice = ask(people, " Ada@Example.ORG ", "weekly", topics=("ml", "ai"), name="Ada\nLovelace", language="en-GB")

    assert notice is not None
    assert (notice.kind, notice.address, notice.name) == (SubscriptionEmailKind.CONFIRM, "Ada@example.org", "")
    assert notice.newsletters == ("weekly",)
    waiting = known(people)
    assert (waiting.status, waiting.name, waiting.subscriptions) == (SubscriberStatus.PENDING, "", ())
    assert people.subscribers.count("weekly", mailable_at=NOW) == 0

    done = confirm(people, TERMS, notice.token, now=later(hours=2), evidence=FORM)
    assert done is not None
    assert (done.first, done.gained) == (True, ("weekly",))
    assert done.subscriber == known(people)
    assert (done.subscriber.status, done.subscriber.name) == ("active", "Ada Lovelace")
    assert done.subscriber.language == "en-GB"
    assert done.subscriber.subscriptions == (Subscription("weekly", ("ai", "ml")),)
    assert done.subscriber.confirmed_at == later(hours=2)
    assert people.subscribers.count("weekly", mailable_at=NOW) == 1
    assert happened(people, done.subscriber) == [
        ("requested", 'weekly ["ai","ml"]'),
        ("confirmed", ""),
        ("subscribed", 'weekly ["ai","ml"]'),
    ]


def test_an_unconfirmed_name_is_not_used_in_emails(people: Store) -> None:
    evil = "Your account is locked, visit https://evil.example/login NOW"
    first = ask(people, name=evil)
    assert first is not None
    assert first.name == ""
    confirm(people, TERMS, first.token, now=NOW, evidence=FORM)
    ada = known(people)
    moving = request_address_change(people, TERMS, ada.uid, "new@example.org", now=NOW, evidence=FORM).email
    assert moving is not None
    assert moving.name == ""
    again = ask(people, now=later(hours=2))
    assert again is not None
    assert (again.kind, again.name) == (SubscriptionEmailKind.ALREADY, evil)  # it was theirs in that case


def test_evidence_is_kept_according_to_the_policy(people: Store) -> None:
    ask(people, "plain@example.org")
    ask(people, "kept@example.org", terms=replace(TERMS, keep_ip=True, keep_user_agent=True))

    (plain,) = people.subscribers.consent(known(people, "plain@example.org").id)
    (kept,) = people.subscribers.consent(known(people, "kept@example.org").id)
    assert (plain.source, plain.text_version, plain.ip, plain.user_agent) == ("form /subscribe", "2026-11", "", "")
    assert (kept.ip, kept.user_agent, kept.at) == ("192.0.2.7", "Browser/1.0", NOW)


def test_an_address_gets_one_email_an_hour(people: Store) -> None:
    first = ask(people)
    assert ask(people, "ADA@example.org", "daily", now=later(minutes=59)) is None
    again = ask(people, now=later(minutes=60))

    assert first is not None
    assert again is not None
    assert first.token != again.token
    seen = look_at_request(people, TERMS, first.token, now=later(minutes=61))
    assert seen is not None
    assert seen[1].subscriptions == wishes("weekly", "daily")
    both = Agreed(seen[1].subscriptions, "Ada")
    done = confirm(people, TERMS, first.token, now=later(minutes=61), evidence=FORM, agreed=both)
    assert done is not None
    assert (done.gained, done.subscriber.name) == (("weekly", "daily"), "Ada")
    assert confirm(people, TERMS, again.token, now=later(minutes=62), evidence=FORM) is None


def test_later_requests_need_agreement(people: Store) -> None:
    first = ask(people, topics=("ai",))
    assert first is not None
    assert ask(people, "ada@example.org", "weekly", "daily", topics=("spam",), name="Mallory", language="pt") is None
    seen = look_at_request(people, TERMS, first.token, now=NOW)
    assert seen is not None
    assert (seen[1].named, seen[1].name) == (wishes(topics=("ai",)), "")
    assert [wish.newsletter for wish in seen[1].subscriptions] == ["weekly", "daily"]
    done = confirm(people, TERMS, first.token, now=NOW, evidence=FORM)
    assert done is not None
    assert (done.subscriber.subscriptions, done.subscriber.name) == (wishes(topics=("ai",)), "")


def test_a_subscriber_of_everything_gets_no_token(people: Store) -> None:
    subscribed(people)
    before = known(people)

    notice = ask(people, now=later(hours=1))
    assert notice is not None
    assert (notice.kind, notice.token, notice.uid) == (SubscriptionEmailKind.ALREADY, "", before.uid)
    assert ask(people, now=later(hours=1, minutes=1)) is None
    assert known(people) == before


def test_a_stranger_changes_nothing_for_a_subscriber(people: Store) -> None:
    subscribed(people, topics=("ai",))
    before = known(people)

    notice = ask(people, "ada@example.org", "weekly", "daily", now=later(hours=2), name="Mallory", topics=("spam",))
    assert notice is not None
    assert known(people) == before
    done = confirm(people, TERMS, notice.token, now=later(hours=3), evidence=FORM)
    assert done is not None
    assert (done.first, done.gained) == (False, ("daily",))
    assert known(people).name == "Mallory"  # the owner of the mailbox confirmed, and there was no name before


def test_only_a_confirmation_subscribes_someone_again(people: Store) -> None:
    left, bounced = subscribed(people, "left@example.org"), subscribed(people, "bounced@example.org")
    unsubscribe(people, TERMS, left.uid, None, now=NOW, evidence=FORM)
    bounce(people, bounced.uid)

    for address, status in (("left@example.org", "unsubscribed"), ("bounced@example.org", "bounced")):
        notice = ask(people, address, now=later(hours=1))
        assert notice is not None
        assert known(people, address).status == status
        done = confirm(people, TERMS, notice.token, now=later(hours=2), evidence=FORM)
        assert done is not None
        assert (done.subscriber.status, done.subscriber.bounces) == ("active", 0)


def test_a_complaint_ends_all_email(people: Store) -> None:
    bounce(people, subscribed(people).uid, Verdict.COMPLAINT)
    before = everything(people)
    assert ask(people, now=later(days=1)) is None
    assert everything(people) == before


def test_a_suppression_invalidates_tokens(people: Store) -> None:
    notice = ask(people)
    assert notice is not None
    suppress(people, "ada@example.org", now=NOW, source="command line")

    assert confirm(people, TERMS, notice.token, now=later(hours=1), evidence=FORM) is None
    assert known(people).status is SubscriberStatus.SUPPRESSED


def test_a_token_works_once_and_before_it_expires(people: Store) -> None:
    notice, used = ask(people), ask(people, "bob@example.org")
    assert notice is not None
    assert used is not None
    assert confirm(people, TERMS, used.token, now=NOW, evidence=FORM)
    expires = later(days=7)
    strange = {
        "forged": TokenSigner("another secret of thirty-two characters").make(TokenPurpose.CONFIRM, expires)[0],
        "never mailed": TERMS.tokens.make(TokenPurpose.CONFIRM, expires)[0],
        "other purpose": TERMS.tokens.make(TokenPurpose.ADDRESS, expires)[0],
        "used": used.token,
        "truncated": notice.token[:-1],
        "lengthened": notice.token + "A",
        "swapped": notice.token.swapcase(),
        "half a surrogate": "\ud800" + notice.token,
        "null": notice.token + "\0",
        "long": notice.token * 100_000,
        "empty": "",
    }
    before = everything(people)

    for name, token in strange.items():
        assert look_at_request(people, TERMS, token, now=NOW) is None, name
        assert confirm(people, TERMS, token, now=NOW, evidence=FORM) is None, name
    assert confirm(people, TERMS, notice.token, now=expires, evidence=FORM) is None
    assert look_at_request(people, TERMS, notice.token, now=NOW) is not None
    assert everything(people) == before
    assert confirm(people, TERMS, notice.token, now=expires - timedelta(seconds=1), evidence=FORM) is not None


def test_the_database_has_no_usable_token(people: Store) -> None:
    notice = ask(people)
    assert notice is not None
    parts = notice.token.split(".")
    assert not [part for part in (notice.token, *parts) if part in str(everything(people))]


def test_only_one_of_many_clicks_confirms(people: Store) -> None:
    notice = ask(people)
    assert notice is not None
    token = notice.token

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: confirm(people, TERMS, token, now=NOW, evidence=FORM), range(24)))
    assert sum(one is not None for one in done) == 1
    assert happened(people, known(people)).count(("confirmed", "")) == 1


def test_a_flood_of_requests_makes_one_subscriber(people: Store) -> None:
    spellings = ("ada@example.org", "ADA@example.org", "Ada@EXAMPLE.org")

    def request(number: int) -> bool:
        hour = number // 300  # python -m benchmarks.subscribing sends ten thousand
        return ask(people, spellings[number % 3], now=later(hours=hour)) is not None

    with ThreadPoolExecutor(8) as pool:
        first = sum(pool.map(request, range(300)))
        second = sum(pool.map(request, range(300, 600)))
    assert (first, second) == (1, 1)
    assert people.subscribers.count() == 1
    assert len(people.subscribers.tokens(known(people).id)) == 2


@pytest.mark.parametrize(
    ("address", "newsletters", "reason"),
    [
        ("no address", ("weekly",), "is not a valid email address"),
        ("ada@example.org", ("monthly",), "there is no newsletter 'monthly'"),
        ("ada@example.org", (), "no newsletter was chosen"),
    ],
)
def test_an_unusable_request_is_explained_in_one_line(
    people: Store, address: str, newsletters: tuple[str, ...], reason: str
) -> None:
    wanted = tuple(Subscription(newsletter) for newsletter in newsletters)
    with pytest.raises(SubscriberError, match=reason):
        request_subscription(people, TERMS, address, wanted, known=KNOWN, now=NOW, evidence=FORM)
    assert people.subscribers.count() == 0


def test_the_operator_may_confirm_for_someone(people: Store) -> None:
    ask(people)
    assert people.subscribers.add(person(), at=NOW, source="by hand").value == "returned"
    assert known(people).confirmed_at == NOW
