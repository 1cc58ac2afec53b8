"""What a person does with their own link: choose, pause, leave, and come back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.subscribers.address import clean_language, clean_line, clean_name
from publisher.subscribers.double_opt_in import checked, subscribe_to
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.consent import Evidence
    from publisher.store.subscriber_transaction import SubscriberTransaction

LONGEST_PAUSE = 52  # weeks
LONGEST_REASON = 500  # characters


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that the form of preferences holds.

    subscriptions  all that are wanted: the others end
    language       "" leaves it as it is
    name           None leaves it as it is; "" is no name
    pause_weeks    no letters for so many weeks from now; 0 goes on at once, None leaves a pause as it is
    shown          the newsletters among which the form let choose, None for all there are; no other ends
    """

    subscriptions: tuple[Subscription, ...]
    language: str = ""
    name: str | None = None
    pause_weeks: int | None = None
    shown: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.pause_weeks is not None and not 0 <= self.pause_weeks <= LONGEST_PAUSE:
            raise SubscriberError(f"a pause is of 0 to {LONGEST_PAUSE} weeks")


def set_preferences(
    store: Store,
    policy: SubscriptionPolicy,
    uid: str,
    wanted: Preferences,
    *,
    known: Collection[str],
    now: datetime,
    evidence: Evidence,
) -> Subscriber | None:
    """Do what the form of preferences says; return the person as they now are.

    A subscription to a newsletter that the form did not show, or that there is not any more, is left as it is.
    Someone who had left and chooses a newsletter comes back by it. None, and no change, for a uid that is not
    there and for a person who may not be mailed. Raises SubscriberError for a newsletter there is not.
    """
    chosen = checked(wanted.subscriptions, known)
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or not _may_choose(transaction, subscriber, chosen, kept):
            return None
        declined = set(known if wanted.shown is None else wanted.shown) & set(known)
        declined -= {wish.newsletter for wish in chosen}
        for wish in subscriber.subscriptions:
            if wish.newsletter in declined:
                transaction.leave(subscriber, wish.newsletter, kept)
        subscribe_to(transaction, subscriber, chosen, kept)
        name = None if wanted.name is None else clean_name(wanted.name)
        transaction.describe(subscriber, name=name, language=clean_language(wanted.language))
        _pause(transaction, subscriber, wanted.pause_weeks, kept)
        return transaction.find_uid(uid)


def unsubscribe(
    store: Store,
    policy: SubscriptionPolicy,
    uid: str,
    newsletter: str | None,
    *,
    now: datetime,
    evidence: Evidence,
    reason: str = "",
) -> bool:
    """Stop one newsletter, or all mail with None; return whether anything changed.

    Again and again is no mistake, and neither is a person who is gone: what they want is so.
    """
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None:
            return False
        return transaction.leave(subscriber, newsletter, policy.kept(evidence), clean_line(reason, LONGEST_REASON))


def come_back(
    store: Store, policy: SubscriptionPolicy, uid: str, newsletter: str | None, *, now: datetime, evidence: Evidence
) -> bool:
    """Take back that a person left one newsletter, or all mail with None; return whether they get it now.

    Only what a person once had comes back, with the topics they had chosen. Who never confirmed, bounced,
    complained or is suppressed stays out, and so does whom the operator removed.
    """
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or subscriber.confirmed_at is None:
            return False
        had = _last_choice(transaction, subscriber, newsletter) if newsletter else None
        if newsletter and had is None:
            return False
        if not _return(transaction, subscriber, kept):
            return False
        if had is not None:
            subscribe_to(transaction, subscriber, [had], kept)
        return True


def _may_choose(
    transaction: SubscriberTransaction, subscriber: Subscriber, chosen: Iterable[Subscription], evidence: Evidence
) -> bool:
    if subscriber.status is SubscriberStatus.UNSUBSCRIBED and not tuple(chosen):
        return True  # there is nothing to come back for
    return subscriber.confirmed_at is not None and _return(transaction, subscriber, evidence)


def _return(transaction: SubscriberTransaction, subscriber: Subscriber, evidence: Evidence) -> bool:
    if subscriber.status is SubscriberStatus.UNSUBSCRIBED and transaction.was_removed(subscriber):
        return False
    after = transaction.happened(subscriber, SubscriberEvent.RETURNED)
    if after not in (None, subscriber.status):
        transaction.record(subscriber, "returned", evidence)
    return after is not None


def _pause(transaction: SubscriberTransaction, subscriber: Subscriber, weeks: int | None, evidence: Evidence) -> None:
    if weeks is None or (weeks == 0 and subscriber.paused_until is None):
        return
    until = transaction.now + timedelta(weeks=weeks) if weeks else None
    transaction.pause(subscriber, until)
    transaction.record(subscriber, "paused" if until else "unpaused", evidence, f"{until:%Y-%m-%d}" if until else "")


def _last_choice(transaction: SubscriberTransaction, subscriber: Subscriber, newsletter: str) -> Subscription | None:
    """Return how a person last subscribed to a newsletter, from their history.

    None if they never did, and if the operator took them off it since.
    """
    from publisher.store.subscriber_rows import decode_topics

    standing = next((wish for wish in subscriber.subscriptions if wish.newsletter == newsletter), None)
    if standing is not None:
        return standing
    for event in reversed(transaction.history(subscriber)):
        name, _, topics = event.detail.partition(" ")
        if event.what == "removed" and name == newsletter:
            return None
        if event.what == "subscribed" and name == newsletter:
            return Subscription(newsletter, decode_topics(topics or "[]"))
    return None
