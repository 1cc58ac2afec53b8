"""Readers whose mail server said that the mailbox is not there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.subscriber_status import SubscriberEvent
from publisher.subscribers.address import clean_line
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store


def stop_gone(
    store: Store, terms: SubscriptionPolicy, gone: Iterable[tuple[str, str]], *, now: datetime, source: str
) -> int:
    """Stop the mail to people whose mailboxes are not there, in one transaction; return how many it newly stopped.

    gone: the uid of each, and the server's words.
    """
    from publisher.store.consent import Evidence

    stopped = 0
    with store.subscribers.transaction(now) as change:
        for uid, detail in sorted(gone):  # in one order, so that two processes never wait for each other
            person = change.find_uid(uid)
            if person is None:
                continue
            change.count_bounce(person)
            if change.happened(person, SubscriberEvent.BOUNCED) is not person.status:
                change.record(person, "bounced", terms.kept(Evidence(source)), clean_line(detail, 300))
                stopped += 1
    return stopped
