"""The effects of bounce reports on subscribers, on both databases: once, completely, and on no one else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from publisher.bounces.apply import judge_refusal, take_refusals, take_report
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.newsletter_models import DeliveryStatus, SubscriberStatus
from publisher.store import Store
from publisher.store.tables import deliveries
from publisher.subscribers.manage import unsubscribe
from publisher.subscribers.privacy import erase, export_data
from tests.support.consent_samples import TERMS, everything, happened, known, people, subscribed
from tests.support.store_samples import NOW, draft, later

__all__ = ["people"]


def sent(store: Store, number: int = 1, *, days: int = 0) -> dict[str, int]:
    """Send several editions to everyone, after some days; return each subscriber's delivery of the last edition."""
    found: dict[str, int] = {}
    for week in range(number):
        slot = f"2026-W{10 + week + len(store.editions.list())}"
        edition = store.editions.create(draft(slot, posts=(), number=week + 1))
        assert edition is not None
        with store._database.write() as connection:
            mine = deliveries.c.edition_id == edition.id
            done = {"status": DeliveryStatus.SENT, "next_try_at": None, "sent_at": later(days=days)}
            connection.execute(sa.update(deliveries).where(mine).values(**done))
            rows = connection.execute(sa.select(deliveries.c.id, deliveries.c.subscriber_id).where(mine)).all()
        names = {person.id: person.address for person in store.subscribers.list()}
        found = {names[row.subscriber_id]: row.id for row in rows}
    return found


def of(delivery: int, verdict: Verdict, status: str = "5.1.1", words: str = "unknown") -> Report:
    """Return a report about a delivery."""
    return Report(verdict, Addressee(delivery_id=delivery), status, words, (f"delivery {delivery} {verdict}",))


def take(store: Store, report: Report, *, dry_run: bool = False, hours: int = 0) -> Verdict:
    return take_report(store, TERMS, report, now=later(hours=hours), source="test", dry_run=dry_run)


def status(store: Store, address: str = "ada@example.org") -> SubscriberStatus:
    return known(store, address).status


def test_a_dead_mailbox_stops_only_its_subscriber(people: Store) -> None:
    subscribed(people), subscribed(people, "bob@example.org")
    delivery = sent(people)["ada@example.org"]
    assert take(people, of(delivery, Verdict.PERMANENT)) is Verdict.PERMANENT
    assert (status(people), status(people, "bob@example.org")) == ("bounced", "active")
    assert happened(people, known(people))[-1] == ("bounced", "5.1.1")
    assert list(sent(people)) == ["bob@example.org"]


def test_a_report_counts_once(people: Store) -> None:
    subscribed(people)
    report = of(sent(people)["ada@example.org"], Verdict.TEMPORARY, "4.2.2")
    assert [take(people, report) for _ in range(3)] == [Verdict.TEMPORARY, Verdict.KNOWN, Verdict.KNOWN]
    assert known(people).bounces == 1
    assert len(people.bounces.recent()) == 1


def test_forgetting_a_report_keeps_its_effect(people: Store) -> None:
    subscribed(people)
    report = of(sent(people)["ada@example.org"], Verdict.TEMPORARY, "4.2.2")
    take(people, report, hours=1)
    assert people.bounces.forget_reports(later(hours=1)) == 0
    assert people.bounces.known(report.keys)
    assert people.bounces.forget_reports(later(hours=2)) == 1
    assert not people.bounces.known(report.keys)
    assert (known(people).bounces, len(people.bounces.recent())) == (1, 1)


def test_concurrent_readers_count_a_report_once(people: Store) -> None:
    subscribed(people)
    report = of(sent(people)["ada@example.org"], Verdict.TEMPORARY)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: take(people, report), range(8)))
    assert sorted(outcomes) == [*[Verdict.KNOWN] * 7, Verdict.TEMPORARY]
    assert known(people).bounces == 1


def test_temporary_failures_in_a_row_stop_the_sending(people: Store) -> None:
    subscribed(people)
    for number in range(TERMS.bounce_limit):
        assert status(people) is SubscriberStatus.ACTIVE
        take(people, of(sent(people)["ada@example.org"], Verdict.TEMPORARY, "4.2.2"), hours=number)
    assert status(people) is SubscriberStatus.BOUNCED


def test_a_delivered_message_restarts_the_count(people: Store) -> None:
    subscribed(people)
    for _ in range(TERMS.bounce_limit - 1):
        take(people, of(sent(people)["ada@example.org"], Verdict.TEMPORARY))
    assert known(people).bounces == TERMS.bounce_limit - 1
    take(people, of(sent(people, 2)["ada@example.org"], Verdict.TEMPORARY))
    assert (known(people).bounces, status(people)) == (1, SubscriberStatus.ACTIVE)


def by_address(store: Store, days: int) -> int:
    """Take a report that names only the address, after some days; return the bounces in a row."""
    report = Report(Verdict.TEMPORARY, Addressee(address="ada@example.org"), "4.2.2", "full", (f"event {days}",))
    take(store, report, hours=24 * days)
    return known(store).bounces


def test_a_delivered_message_restarts_the_count_of_a_provider_that_names_only_the_address(people: Store) -> None:
    subscribed(people)
    sent(people)
    assert by_address(people, days=1) == 1
    sent(people, days=7)
    assert by_address(people, days=8) == 2  # this one
    sent(people, days=14)
    sent(people, days=21)
    assert by_address(people, days=22) == 1  # the message of day 14 arrived


def test_messages_whose_bounces_may_still_come_do_not_restart_the_count(people: Store) -> None:
    subscribed(people)
    for day in range(TERMS.bounce_limit):
        sent(people, days=day)
        sent(people, days=day)
        assert by_address(people, days=day + 3) == day + 1
    assert status(people) is SubscriberStatus.BOUNCED


def test_a_bounce_with_its_delivery_counts_what_arrived_since_one_without(people: Store) -> None:
    subscribed(people)
    sent(people)
    assert by_address(people, days=1) == 1
    sent(people, days=7)
    take(people, of(sent(people, days=14)["ada@example.org"], Verdict.TEMPORARY, "4.2.2"), hours=24 * 15)
    assert known(people).bounces == 1


def test_a_rejection_is_listed_but_not_counted(people: Store) -> None:
    subscribed(people)
    for _ in range(TERMS.bounce_limit + 1):
        assert take(people, of(sent(people)["ada@example.org"], Verdict.REFUSED, "5.7.1")) is Verdict.REFUSED
    assert (known(people).bounces, status(people)) == (0, SubscriberStatus.ACTIVE)
    assert people.bounces.counts() == {Verdict.REFUSED: TERMS.bounce_limit + 1}


def test_a_complaint_is_final(people: Store) -> None:
    ada = subscribed(people)
    report = Report(Verdict.COMPLAINT, Addressee(uid=ada.uid), keys=(f"subscriber {ada.uid} complaint",))
    assert [take(people, report), take(people, report)] == [Verdict.COMPLAINT, Verdict.KNOWN]
    assert status(people) is SubscriberStatus.COMPLAINED
    assert people.suppressions.is_listed("ada@example.org")


@pytest.mark.parametrize("verdict", [Verdict.NOTHING, Verdict.FOREIGN, Verdict.FORGED])
def test_an_empty_report_writes_nothing(people: Store, verdict: Verdict) -> None:
    subscribed(people)
    before = everything(people)
    assert take(people, Report(verdict, Addressee(delivery_id=sent(people)["ada@example.org"]))) is verdict
    assert everything(people)["bounces"] == before["bounces"] == []
    assert everything(people)["subscribers"] == before["subscribers"]


def test_a_dry_run_writes_nothing(people: Store) -> None:
    subscribed(people)
    report = of(sent(people)["ada@example.org"], Verdict.PERMANENT)
    before = everything(people)
    assert take(people, report, dry_run=True) is Verdict.PERMANENT
    assert everything(people) == before


def test_a_deleted_subscriber_is_reported_as_gone(people: Store) -> None:
    subscribed(people)
    delivery = sent(people)["ada@example.org"]
    take(people, of(delivery, Verdict.TEMPORARY))
    erase(people, "ada@example.org", now=NOW, source="test")
    assert take(people, of(delivery, Verdict.PERMANENT)) is Verdict.GONE
    assert take(people, of(10**12, Verdict.PERMANENT)) is Verdict.GONE
    assert people.bounces.recent() == []


def test_bounces_are_listed_newest_first(people: Store) -> None:
    ada = subscribed(people)
    subscribed(people, "bob@example.org")
    first = sent(people)
    take(people, of(first["ada@example.org"], Verdict.TEMPORARY, "4.2.2", "full"))
    take(people, of(first["bob@example.org"], Verdict.PERMANENT))
    sent(people)
    by_address = Report(Verdict.REFUSED, Addressee(address="ada@example.org"), "5.7.1", "no", ("ses 1",))
    take(people, by_address, hours=1)

    newest = people.bounces.recent()
    assert [(b.address, b.slot, b.verdict, b.status, b.words) for b in newest] == [
        ("ada@example.org", "", "refused", "5.7.1", "no"),
        ("bob@example.org", "2026-W10", "permanent", "5.1.1", "unknown"),
        ("ada@example.org", "2026-W10", "temporary", "4.2.2", "full"),
    ]
    assert (newest[0].at, newest[0].source) == (later(hours=1), "test")
    assert len(people.bounces.recent("weekly", limit=1)) == 1
    assert people.bounces.recent("daily") == []
    after, before = people.bounces.by_edition("weekly")
    assert (before.sent, dict(before.counts)) == (2, {Verdict.TEMPORARY: 1, Verdict.PERMANENT: 1})
    assert (after.sent, dict(after.counts)) == (1, {})
    assert people.bounces.counts(later(minutes=30)) == {Verdict.REFUSED: 1}
    data = export_data(people, ada.uid)
    assert data is not None
    assert [row["status"] for row in data["returned"]] == ["4.2.2", "5.7.1"]


def refuse(store: Store, answer: str, *deliveries: int, hours: int = 0) -> int:
    """Record that a mail server refuses these deliveries permanently; return how many subscribers are stopped."""
    refusals = [judge_refusal(each, answer) for each in deliveries]
    stopped = take_refusals(store, TERMS, refusals, now=later(hours=hours), source="mail server")
    return stopped.total()


def test_a_vanished_mailbox_is_stopped_once(people: Store) -> None:
    ada, bob, cy = subscribed(people), subscribed(people, "bob@example.org"), subscribed(people, "cy@example.org")
    gone = [number for address, number in sent(people).items() if address[:3] in ("ada", "cy@")]
    unsubscribe(people, "cy@example.org", at=NOW)

    assert refuse(people, "550 5.1.1 no\nsuch user", *gone, 10**9) == 1
    assert refuse(people, "550 5.1.1 no such user", *gone) == 0
    assert refuse(people, "550 5.1.1 no such user") == 0

    assert [known(people, each.address).status for each in (ada, bob, cy)] == ["bounced", "active", "unsubscribed"]
    last = people.subscribers.consent(ada.id)[-1]
    assert (last.what, last.detail, last.source) == ("bounced", "550 5.1.1 no such user", "mail server")
    assert [(b.address, b.verdict, b.status, b.source) for b in people.bounces.recent()] == [
        ("cy@example.org", "permanent", "5.1.1", "mail server"),
        ("ada@example.org", "permanent", "5.1.1", "mail server"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        "550 rejected",
        "552 5.2.2 over quota",
        "452 4.2.2 mailbox full",
        "450 4.2.0 greylisted",
        "554 transaction failed",
    ],
)
def test_refusals_while_sending_count_like_bounces(people: Store, answer: str) -> None:
    subscribed(people)
    stopped = [refuse(people, answer, sent(people)["ada@example.org"], hours=n) for n in range(TERMS.bounce_limit)]
    assert stopped == [*[0] * (TERMS.bounce_limit - 1), 1]
    assert status(people) is SubscriberStatus.BOUNCED


@pytest.mark.parametrize("answer", ["554 5.7.1 looks like spam", "550 5.1.8 sender address rejected: user unknown"])
def test_a_refused_sender_or_content_counts_against_no_subscriber(people: Store, answer: str) -> None:
    subscribed(people)
    for _ in range(TERMS.bounce_limit + 1):
        assert refuse(people, answer, sent(people)["ada@example.org"]) == 0
    assert (known(people).bounces, status(people)) == (0, SubscriberStatus.ACTIVE)
    assert people.bounces.counts() == {Verdict.REFUSED: TERMS.bounce_limit + 1}


def test_a_message_that_is_accepted_in_between_restarts_the_count(people: Store) -> None:
    subscribed(people)
    for _ in range(TERMS.bounce_limit - 1):
        refuse(people, "552 mailbox full", sent(people)["ada@example.org"])
    sent(people)
    refuse(people, "554 5.7.1 looks like spam", sent(people)["ada@example.org"])
    assert refuse(people, "552 mailbox full", sent(people)["ada@example.org"]) == 0
    assert (known(people).bounces, status(people)) == (1, SubscriberStatus.ACTIVE)


def test_a_refusal_and_a_bounce_of_one_delivery_count_once(people: Store) -> None:
    subscribed(people)
    delivery = sent(people)["ada@example.org"]
    refuse(people, "552 5.2.2 over quota", delivery)
    assert take(people, of(delivery, Verdict.TEMPORARY, "5.2.2")) is Verdict.KNOWN
    assert known(people).bounces == 1


def test_unsubscribing_at_the_provider_counts(people: Store) -> None:
    ada = subscribed(people)
    report = Report(Verdict.UNSUBSCRIBED, Addressee(address="ada@example.org"), keys=("provider 1",))
    assert [take(people, report), take(people, report)] == [Verdict.UNSUBSCRIBED, Verdict.KNOWN]
    assert status(people) is SubscriberStatus.UNSUBSCRIBED
    assert (people.bounces.recent(), happened(people, ada)[-1]) == ([], ("unsubscribed", ""))
