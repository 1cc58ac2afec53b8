"""Letters that came back, and readers who called one spam."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from publisher.model import SubscriberStatus, SuppressionReason
from publisher.standing import Event
from publisher.subscribers.terms import Terms

if TYPE_CHECKING:
    from publisher.store import Store


def count_bounce(
    store: Store, terms: Terms, uid: str, *, permanent: bool, now: datetime, source: str, detail: str = ""
) -> SubscriberStatus | None:
    """Count a letter that came back; return the person's status after it, None for a uid that is not there.

    permanent: the mailbox will never take mail, which stops it at once. Else `terms.bounce_limit` in a row do.
    detail: the server's words, which must not hold more of the person than the record already does.
    """
    from publisher.store.consent import Evidence

    with store.subscribers.change(now) as change:
        person = change.find_uid(uid)
        if person is None:
            return None
        bounces = change.count_bounce(person)
        if not permanent and bounces < terms.bounce_limit:
            return person.status
        after = change.happened(person, Event.BOUNCED)
        if after is not person.status:
            change.record(person, "bounced", terms.kept(Evidence(source)), detail)
        return after


def forget_bounces(store: Store, uid: str, *, now: datetime) -> None:
    """Begin to count anew: a letter arrived."""
    with store.subscribers.change(now) as change:
        person = change.find_uid(uid)
        if person is not None and person.bounces:
            change.forget_bounces(person)


def complain(store: Store, terms: Terms, uid: str, *, now: datetime, source: str) -> SubscriberStatus | None:
    """Take a report of spam: the address is never mailed again. Return the status after it, None for a stranger."""
    from publisher.store.consent import Evidence

    with store.subscribers.change(now, alone=True) as change:
        person = change.find_uid(uid)
        if person is None:
            return None
        after = change.happened(person, Event.COMPLAINED)
        change.suppress(person.address, SuppressionReason.COMPLAINED, source)
        if after is not person.status:
            change.record(person, "complained", terms.kept(Evidence(source)))
        return after
