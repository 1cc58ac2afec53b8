"""Operations for subscribers with the link in their emails: choose newsletters, pause, unsubscribe, and come back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import Evidence, decode_subscription
from publisher.subscribers.address import clean_language, clean_line, clean_name
from publisher.subscribers.double_opt_in import checked, subscribe_to
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

LONGEST_PAUSE = 52  # weeks
LONGEST_REASON = 500  # characters


@dataclass(frozen=True, slots=True)
class Preferences:
    """The contents of the preferences form.

    subscriptions  all subscriptions that the subscriber wants; other subscriptions end
    language       the new language; "" leaves it unchanged
    name           the new name; "" removes it, and None leaves it unchanged
    pause_weeks    the number of weeks from now in which to send nothing; 0 ends a pause, and None leaves it unchanged
    shown          the newsletters that the form offered, or None for all; subscriptions to other newsletters do not end
    """

    subscriptions: tuple[Subscription, ...]
    language: str = ""
    name: str | None = None
    pause_weeks: int | None = None
    shown: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.pause_weeks is not None and not 0 <= self.pause_weeks <= LONGEST_PAUSE:
            raise SubscriberError(f"a pause has 0 to {LONGEST_PAUSE} weeks")


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
    """Save the preferences form; return the subscriber after the changes.

    A subscription stays if the form did not offer its newsletter, or if the newsletter no longer exists. Subscribers
    who have unsubscribed become active again if they choose a newsletter. Returns None, and changes nothing, if the uid
    is unknown or the subscriber may not be mailed. Raises SubscriberError for a newsletter that does not exist.

    known: the newsletters that exist.
    """
    chosen = checked(wanted.subscriptions, known)
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or not _may_choose(transaction, subscriber, chosen, kept):
            return None
        declined = set(known if wanted.shown is None else wanted.shown) & set(known)
        declined -= {subscription.newsletter for subscription in chosen}
        for subscription in subscriber.subscriptions:
            if subscription.newsletter in declined:
                transaction.leave(subscriber, subscription.newsletter, kept)
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
    """Unsubscribe a subscriber at their own request; return whether anything changed.

    newsletter: the newsletter to leave; None to leave all.
    Unsubscribing twice, or with an unknown uid, is not an error, because the result is what the subscriber wants.
    """
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None:
            return False
        return transaction.leave(subscriber, newsletter, policy.kept(evidence), clean_line(reason, LONGEST_REASON))


def come_back(
    store: Store, policy: SubscriptionPolicy, uid: str, newsletter: str | None, *, now: datetime, evidence: Evidence
) -> bool:
    """Undo an unsubscription; return whether the subscriber is subscribed again.

    newsletter: the newsletter to restore; None to undo unsubscribing from everything.
    Only subscriptions that they once had are restored, with the topics that they had chosen. The result is False for
    subscribers who never confirmed, bounced, complained, or were suppressed or removed by the operator.
    """
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or subscriber.confirmed_at is None:
            return False
        had = _last_subscription(transaction, subscriber, newsletter) if newsletter else None
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
        return True  # nothing was chosen, so they do not come back
    return subscriber.confirmed_at is not None and _return(transaction, subscriber, evidence)


def _return(transaction: SubscriberTransaction, subscriber: Subscriber, evidence: Evidence) -> bool:
    if subscriber.status is SubscriberStatus.UNSUBSCRIBED and transaction.was_removed(subscriber):
        return False
    after = transaction.apply(subscriber, SubscriberEvent.RETURNED)
    if after not in (None, subscriber.status):
        transaction.record(subscriber, "returned", evidence)
    return after is not None


def _pause(transaction: SubscriberTransaction, subscriber: Subscriber, weeks: int | None, evidence: Evidence) -> None:
    if weeks is None or (weeks == 0 and subscriber.paused_until is None):
        return
    until = transaction.now + timedelta(weeks=weeks) if weeks else None
    transaction.pause(subscriber, until)
    transaction.record(subscriber, "paused" if until else "unpaused", evidence, f"{until:%Y-%m-%d}" if until else "")


def _last_subscription(
    transaction: SubscriberTransaction, subscriber: Subscriber, newsletter: str
) -> Subscription | None:
    """Return a subscriber's current subscription to a newsletter or, from their history, the latest one.

    Return None if they were never subscribed, or if the operator ended the subscription.
    """
    current = next((each for each in subscriber.subscriptions if each.newsletter == newsletter), None)
    if current is not None:
        return current
    for event in reversed(transaction.history(subscriber)):
        if event.what == "removed" and event.detail == newsletter:
            return None
        if event.what == "subscribed" and event.detail.partition(" ")[0] == newsletter:
            return decode_subscription(event.detail)
    return None
