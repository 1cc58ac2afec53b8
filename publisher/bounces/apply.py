"""Applies a bounce, a complaint or a missing mailbox to a subscriber, once and in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.bounce_report import KEPT, Addressee, Report, Verdict
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.address import clean_line, normalise
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction


def take_report(
    store: Store, policy: SubscriptionPolicy, report: Report, *, now: datetime, source: str, dry_run: bool = False
) -> Verdict:
    """Apply a report to its subscriber, once, and return the verdict.

    The whole report is applied in one transaction, so an interrupted report has no effect. The verdict is KNOWN if the
    report was applied before, and GONE if its subscriber has been deleted.

    source   where the report came from, for the consent history
    dry_run  return the verdict without writing anything
    """
    if not report.keys:
        return report.verdict
    alone = report.verdict is Verdict.COMPLAINT
    with store.subscribers.transaction(now, alone=alone, dry_run=dry_run) as change:
        return _taken(change, policy, report, source)


def stop_gone(
    store: Store, policy: SubscriptionPolicy, gone: Iterable[tuple[str, str]], *, now: datetime, source: str
) -> int:
    """Stop sending to subscribers whose mailboxes don't exist, in one transaction; return how many were stopped.

    gone  pairs of a subscriber's uid and the mail server's answer. A subscriber who was stopped before is not counted
          in the result
    """
    stopped = 0
    with store.subscribers.transaction(now) as change:
        for uid, detail in sorted(gone):  # in a fixed order, so that two processes never deadlock
            subscriber = change.find_uid(uid)
            if subscriber is not None:
                change.count_bounce(subscriber)
                stopped += _stop(change, policy, subscriber, source, clean_line(detail, 300))
    return stopped


def _taken(change: SubscriberTransaction, policy: SubscriptionPolicy, report: Report, source: str) -> Verdict:
    if not change.take_report(report):
        return Verdict.KNOWN
    if report.verdict not in KEPT:
        return report.verdict
    found = _find(change, report.addressee)
    if found is None:
        return Verdict.GONE
    subscriber, edition_id = found
    complaint = report.verdict is Verdict.COMPLAINT
    if report.addressee.asked and subscriber.status is not SubscriberStatus.PENDING and not complaint:
        return Verdict.NOTHING  # the subscriber has confirmed since, or later messages say more about the mailbox
    if complaint:
        _complained(change, policy, subscriber, source)
    elif report.verdict in (Verdict.PERMANENT, Verdict.TEMPORARY):
        subscriber = _restart_count_after_arrival(change, subscriber, report.addressee)
        _bounced(change, policy, subscriber, report, source)
    change.record_bounce(subscriber, edition_id, report, source)
    return report.verdict


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
    delivery = addressee.delivery_id
    if not subscriber.bounces or delivery is None or not change.arrived_since_bounce(subscriber, delivery):
        return subscriber
    change.forget_bounces(subscriber)
    return change.find_id(subscriber.id) or subscriber


def _bounced(
    change: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, report: Report, source: str
) -> None:
    bounces = change.count_bounce(subscriber)
    if report.verdict is Verdict.PERMANENT or bounces >= policy.bounce_limit:
        _stop(change, policy, subscriber, source, report.status)


def _stop(
    change: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, source: str, detail: str
) -> bool:
    """Stop sending to a subscriber; return False if sending had already stopped. `detail` has no personal data."""
    if change.apply(subscriber, SubscriberEvent.BOUNCED) is subscriber.status:
        return False
    change.record(subscriber, "bounced", policy.kept(Evidence(source)), detail)
    return True


def _complained(change: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, source: str) -> None:
    """Never send to the subscriber again."""
    after = change.apply(subscriber, SubscriberEvent.COMPLAINED)
    change.suppress(subscriber.address, SuppressionReason.COMPLAINED, source)
    if after is not subscriber.status:
        change.record(subscriber, "complained", policy.kept(Evidence(source)))
