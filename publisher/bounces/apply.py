"""Letters that came back, and readers who called one spam."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.bounce_report import KEPT, Report, Verdict, Whose
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction


def take_report(
    store: Store, terms: SubscriptionPolicy, report: Report, *, now: datetime, source: str, dry_run: bool = False
) -> Verdict:
    """Let a report have its effect, once; return what came of it.

    All of it is one transaction: a report that was interrupted is not taken, and one that was taken is KNOWN ever
    after. Who is no longer in the record is GONE.
    dry_run: find out and write nothing.
    """
    if not report.keys:
        return report.verdict
    alone = report.verdict is Verdict.COMPLAINT
    with store.subscribers.transaction(now, alone=alone, dry_run=dry_run) as change:
        return _taken(change, terms, report, source)


def _taken(change: SubscriberTransaction, terms: SubscriptionPolicy, report: Report, source: str) -> Verdict:
    if not change.take(report):
        return Verdict.KNOWN
    if report.verdict not in KEPT:
        return report.verdict
    found = _find(change, report.whose)
    if found is None:
        return Verdict.GONE
    person, edition_id = found
    if report.whose.asked and person.status is not SubscriberStatus.PENDING and report.verdict is not Verdict.COMPLAINT:
        return Verdict.NOTHING  # the mailbox has answered since, or another mail has told more of it
    if report.verdict is Verdict.COMPLAINT:
        _complained(change, terms, person, source)
    elif report.verdict in (Verdict.PERMANENT, Verdict.TEMPORARY):
        permanent = report.verdict is Verdict.PERMANENT
        person = _begin_anew_after_arrival(change, person, report.whose)
        _bounced(change, terms, person, permanent=permanent, source=source, detail=report.status)
    change.came_back(person, edition_id, report, source)
    return report.verdict


def _find(change: SubscriberTransaction, whose: Whose) -> tuple[Subscriber, int | None] | None:
    if whose.delivery_id is not None:
        return change.delivery(whose.delivery_id)
    if whose.asked is not None:
        asked = change.find_id(whose.asked[0])
        return (asked, None) if asked else None
    person = change.find_uid(whose.uid) if whose.uid else _of_address(change, whose.address)
    return (person, None) if person else None


def _of_address(change: SubscriberTransaction, address: str) -> Subscriber | None:
    from publisher.core.errors import SubscriberError
    from publisher.subscribers.address import normalise

    try:
        return change.find(normalise(address))
    except (SubscriberError, UnicodeError):
        return None


def _begin_anew_after_arrival(change: SubscriberTransaction, person: Subscriber, whose: Whose) -> Subscriber:
    """The limit is of letters in a row: one between this and the last that came back ends the row."""
    if not person.bounces or whose.delivery_id is None or not change.one_arrived(person, whose.delivery_id):
        return person
    change.forget_bounces(person)
    return change.find_id(person.id) or person


def count_bounce(
    store: Store, terms: SubscriptionPolicy, uid: str, *, permanent: bool, now: datetime, source: str, detail: str = ""
) -> SubscriberStatus | None:
    """Count a letter that came back; return the person's status after it, None for a uid that is not there.

    permanent: the mailbox will never take mail, which stops it at once. Else `terms.bounce_limit` in a row do.
    detail: the server's words, which must not hold more of the person than the record already does.
    """
    with store.subscribers.transaction(now) as change:
        person = change.find_uid(uid)
        if person is None:
            return None
        return _bounced(change, terms, person, permanent=permanent, source=source, detail=detail)


def _bounced(
    change: SubscriberTransaction,
    terms: SubscriptionPolicy,
    person: Subscriber,
    *,
    permanent: bool,
    source: str,
    detail: str,
) -> SubscriberStatus | None:
    from publisher.store.consent import Evidence

    bounces = change.count_bounce(person)
    if not permanent and bounces < terms.bounce_limit:
        return person.status
    after = change.happened(person, SubscriberEvent.BOUNCED)
    if after is not person.status:
        change.record(person, "bounced", terms.kept(Evidence(source)), detail)
    return after


def forget_bounces(store: Store, uid: str, *, now: datetime) -> None:
    """Begin to count anew: a letter arrived."""
    with store.subscribers.transaction(now) as change:
        person = change.find_uid(uid)
        if person is not None and person.bounces:
            change.forget_bounces(person)


def complain(
    store: Store, terms: SubscriptionPolicy, uid: str, *, now: datetime, source: str
) -> SubscriberStatus | None:
    """Take a report of spam: the address is never mailed again. Return the status after it, None for a stranger."""
    with store.subscribers.transaction(now, alone=True) as change:
        person = change.find_uid(uid)
        return _complained(change, terms, person, source) if person is not None else None


def _complained(
    change: SubscriberTransaction, terms: SubscriptionPolicy, person: Subscriber, source: str
) -> SubscriberStatus | None:
    from publisher.store.consent import Evidence

    after = change.happened(person, SubscriberEvent.COMPLAINED)
    change.suppress(person.address, SuppressionReason.COMPLAINED, source)
    if after is not person.status:
        change.record(person, "complained", terms.kept(Evidence(source)))
    return after
