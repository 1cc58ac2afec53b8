"""Applies bounces, complaints and refusals during sending to subscribers, each once and in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.bounces.verdict import judge, short_words, status_in
from publisher.core.bounce_report import APPLIED, Addressee, Report, Verdict
from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent
from publisher.mail.verp import newsletter_key
from publisher.store.subscriber_records import RENAMED, Evidence
from publisher.subscribers.address import normalise
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction


def take_report(
    store: Store, policy: SubscriptionPolicy, report: Report, *, now: datetime, source: str, dry_run: bool = False
) -> Verdict:
    """Apply a report to its subscriber, once, and return the verdict.

    The whole report is applied in one transaction, so an interrupted report has no effect. The verdict is KNOWN if the
    report has already been applied, and GONE if its subscriber has been deleted.

    source   where the report came from, for the consent history
    dry_run  return the verdict without writing anything
    """
    if not report.keys:
        return report.verdict
    alone = report.verdict is Verdict.COMPLAINT
    with store.subscribers.transaction(now, alone=alone, dry_run=dry_run) as change:
        return _taken(change, policy, report, source)


@dataclass(frozen=True, slots=True)
class SendingFailure:
    """A final failure during sending, with the mail server's last answer, and the verdict on it."""

    delivery_id: int
    answer: str
    verdict: Verdict


def judge_refusal(delivery_id: int, answer: str) -> SendingFailure:
    """Judge a final failure during sending as a bounce message with the same answer would be judged."""
    return SendingFailure(delivery_id, answer, judge("", answer))


def take_refusals(
    store: Store, policy: SubscriptionPolicy, refusals: Iterable[SendingFailure], *, now: datetime, source: str
) -> Counter[Verdict]:
    """Apply the failures of one edition, in one transaction; return how many subscribers get no more email, by verdict.

    Each failure is recorded. Subscribers to whom sending had already stopped are not counted in the result.
    """
    stopped = Counter[Verdict]()
    with store.subscribers.transaction(now) as change:
        # In a fixed order, so that two processes never deadlock.
        for refusal in sorted(refusals, key=lambda each: each.delivery_id):
            found = change.delivery(refusal.delivery_id)
            words = clean_line(refusal.answer, 300)
            addressee = Addressee(delivery_id=refusal.delivery_id)
            verdict = _taken(change, policy, _report(addressee, refusal.answer, refusal.verdict), source, words)
            stopped[verdict] += found is not None and _has_stopped(change, found[0], verdict)
    return stopped


def _report(addressee: Addressee, answer: str, verdict: Verdict) -> Report:
    """Return the report that a bounce message with this answer would give, so that the two count only once."""
    return Report(verdict, addressee, status_in(answer), short_words(answer), (f"{addressee.key} {verdict}",))


def take_refused_question(
    store: Store, policy: SubscriptionPolicy, subscriber_id: int, asked_at: datetime, answer: str, *, source: str
) -> Verdict:
    """Apply the mail server's final answer to a confirmation email, as a bounce message about it would be applied.

    asked_at  when the confirmation was requested
    """
    addressee = Addressee(asked=(subscriber_id, int(asked_at.timestamp()) // 3_600))
    report = _report(addressee, answer, judge("", answer))
    return take_report(store, policy, report, now=asked_at, source=source)


def subscriptions_of(store: Store, report: Report, now: datetime) -> tuple[str, frozenset[str]]:
    """Return the uid of the subscriber whom a report is about, and their newsletters; ("", an empty set) if unknown."""
    with store.subscribers.transaction(now, dry_run=True) as change:
        found = _find(change, report.addressee)
        if found is None:
            return "", frozenset()
        return found[0].uid, frozenset(each.newsletter for each in found[0].subscriptions)


def _has_stopped(change: SubscriberTransaction, before: Subscriber, verdict: Verdict) -> bool:
    after = change.find_id(before.id) if verdict in (Verdict.PERMANENT, Verdict.TEMPORARY) else None
    return after is not None and after.status is not before.status


def _taken(
    change: SubscriberTransaction, policy: SubscriptionPolicy, report: Report, source: str, words: str = ""
) -> Verdict:
    """Apply a report; return the verdict. words: why email stops, for the person's history; "" for the status code."""
    if not change.take_report(report):
        return Verdict.KNOWN
    if report.verdict not in APPLIED:
        return report.verdict
    found = _find(change, report.addressee)
    if found is None:
        return Verdict.GONE
    subscriber, edition_id = found
    complaint = report.verdict is Verdict.COMPLAINT
    if report.addressee.asked and subscriber.status is not SubscriberStatus.PENDING and not complaint:
        return Verdict.NOTHING  # the subscriber has confirmed since, or later messages say more about the mailbox
    if report.verdict is Verdict.UNSUBSCRIBED:
        _unsubscribed(change, policy, subscriber, report, source)
        return report.verdict
    if complaint:
        _complained(change, policy, subscriber, source)
    elif report.verdict in (Verdict.PERMANENT, Verdict.TEMPORARY):
        subscriber = _restart_count_after_arrival(change, subscriber, report.addressee)
        _bounced(change, policy, subscriber, report, source, words or report.status)
    change.record_bounce(subscriber, edition_id, report, source)
    return report.verdict


def _unsubscribed(
    change: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, report: Report, source: str
) -> None:
    newsletter = report.newsletter or _with_key(change, subscriber, report.newsletter_key)
    if newsletter or not report.newsletter_key:
        change.leave(subscriber, newsletter or None, policy.kept(Evidence(source)))


def _with_key(change: SubscriberTransaction, subscriber: Subscriber, key: str) -> str:
    """Return the newsletter whose current or earlier name has this key; "" if the subscriber no longer has it."""
    held = [each.newsletter for each in subscriber.subscriptions]
    earlier = [event.detail.partition(" ")[0] for event in change.history(subscriber) if event.what == RENAMED]
    return next((name for name in [*held, *earlier] if key and newsletter_key(name) == key), "")


def _find(change: SubscriberTransaction, addressee: Addressee) -> tuple[Subscriber, int | None] | None:
    """Return the subscriber, and the edition's id if the delivery is known; None if the subscriber was deleted."""
    if addressee.delivery_id is not None:
        return change.delivery(addressee.delivery_id)
    if addressee.asked is not None:
        subscriber = change.find_id(addressee.asked[0])
    elif addressee.uid:
        subscriber = change.find_uid(addressee.uid)
    else:
        subscriber = _of_address(change, addressee.address)
    return (subscriber, None) if subscriber else None


def _of_address(change: SubscriberTransaction, address: str) -> Subscriber | None:
    try:
        return change.find(normalise(address))
    except (SubscriberError, UnicodeError):
        return None


def _restart_count_after_arrival(
    change: SubscriberTransaction, subscriber: Subscriber, addressee: Addressee
) -> Subscriber:
    """Reset the count of consecutive bounces if a message has arrived since the last one; return the subscriber."""
    if not subscriber.bounces or not change.arrived_since_bounce(subscriber, addressee.delivery_id):
        return subscriber
    change.forget_bounces(subscriber)
    return change.find_id(subscriber.id) or subscriber


def _bounced(
    change: SubscriberTransaction,
    policy: SubscriptionPolicy,
    subscriber: Subscriber,
    report: Report,
    source: str,
    detail: str,
) -> None:
    bounces = change.count_bounce(subscriber)
    if report.verdict is Verdict.PERMANENT or bounces >= policy.bounce_limit:
        _stop(change, policy, subscriber, source, detail)


def _stop(
    change: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, source: str, detail: str
) -> None:
    """Stop sending to a subscriber, unless sending had already stopped."""
    if change.apply(subscriber, SubscriberEvent.BOUNCED) is not subscriber.status:
        change.record(subscriber, "bounced", policy.kept(Evidence(source)), detail)


def _complained(change: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, source: str) -> None:
    """Never send to the subscriber again."""
    after = change.apply(subscriber, SubscriberEvent.COMPLAINED, source)
    change.suppress(subscriber.address, SuppressionReason.COMPLAINED, source)
    if after is not subscriber.status:
        change.record(subscriber, "complained", policy.kept(Evidence(source)))
