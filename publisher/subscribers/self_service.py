"""What subscribers can do with the link in their emails: choose newsletters, pause, unsubscribe, and come back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionRecord, SubscriptionStatus
from publisher.store.subscriber_records import EmailTrigger, Evidence, PendingChange
from publisher.subscribers.address import clean_name, mailbox_of
from publisher.subscribers.double_opt_in import checked, confirmation, described, subscribe_to
from publisher.subscribers.languages import clean_language
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

LONGEST_PAUSE = 52  # weeks
LONGEST_REASON = 500  # characters
# How long the permanent links undo an unsubscription. Later, only a link in a new email does: an old email may be in
# other hands.
UNDO_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The contents of the preferences form.

    subscriptions  all subscriptions that the subscriber wants; other subscriptions end
    language       the new language; "" leaves it unchanged
    name           the new name; "" removes it, and None leaves it unchanged
    pause_weeks    the number of weeks, from now, in which nothing is sent; 0 ends a pause, and None leaves it unchanged
    shown          the newsletters that the form offered, or None for all; subscriptions to other newsletters do not end
    frequencies    how often they want newsletters, such as "weekly", "" for the newsletter's own schedule; the caller
                   has checked that it is offered. Newsletters that are not named stay as they are
    """

    subscriptions: tuple[Subscription, ...]
    language: str = ""
    name: str | None = None
    pause_weeks: int | None = None
    shown: tuple[str, ...] | None = None
    frequencies: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pause_weeks is not None and not 0 <= self.pause_weeks <= LONGEST_PAUSE:
            raise SubscriberError(f"a pause is 0 to {LONGEST_PAUSE} weeks long")


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of saving preferences.

    subscriber  the subscriber after the changes
    left        the newsletters that they are no longer subscribed to
    waiting     the newsletters that they get only after confirming by email, because they left them before
    email       the email that asks for this; None if nothing is waiting, or if one was sent recently
    """

    subscriber: Subscriber
    left: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    email: SubscriptionEmail | None = None


def set_preferences(
    store: Store,
    policy: SubscriptionPolicy,
    uid: str,
    wanted: Preferences,
    *,
    known: Collection[str],
    now: datetime,
    evidence: Evidence,
) -> Saved | None:
    """Save the preferences form.

    A subscription stays if the form did not offer its newsletter, or if the newsletter no longer exists. Newsletters
    that ended within UNDO_WITHIN are restored if they are chosen; those that ended earlier need a confirmation by
    email. Returns None, and changes nothing, if the uid is unknown or the subscriber may not get email. Raises
    SubscriberError for a newsletter that does not exist.

    known: the newsletters that exist.
    """
    chosen = checked(wanted.subscriptions, known)
    kept = policy.kept(evidence)
    often = _changed_frequencies(store, uid, wanted)
    with store.subscribers.transaction(now, alone=True, newsletters=often) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or (chosen and _is_removed(transaction, subscriber)):
            return None
        waiting = _long_left(transaction, subscriber, chosen)
        chosen = tuple(each for each in chosen if each not in waiting)
        if not _may_choose(transaction, subscriber, chosen, kept):
            return None
        left = _leave_declined(transaction, subscriber, wanted, known, kept)
        subscribe_to(transaction, subscriber, chosen, kept, SubscriptionEvent.CHOSEN)
        transaction.unsubscribe_if_none_left(subscriber)
        for newsletter, frequency in often.items():
            transaction.change_frequency(subscriber, newsletter, frequency, kept)
        name = None if wanted.name is None else clean_name(wanted.name)
        transaction.describe(subscriber, name=name, language=clean_language(wanted.language) or None)
        _pause(transaction, subscriber, wanted.pause_weeks, kept)
        after = transaction.find_uid(uid) or subscriber
        email = _ask_again(transaction, policy, after, waiting, kept)
        return Saved(after, left, tuple(each.newsletter for each in waiting), email)


def _changed_frequencies(store: Store, uid: str, wanted: Preferences) -> dict[str, str]:
    """Return the wanted frequencies that are new.

    Only new frequencies delay a new edition of their newsletter.
    """
    subscriber = store.subscribers.by_uid(uid) if wanted.frequencies else None
    if subscriber is None:
        return {}
    now = {record.newsletter: record.frequency for record in subscriber.records}
    return {name: often for name, often in wanted.frequencies.items() if often != now.get(name, "")}


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

    newsletter: the newsletter to unsubscribe from; None for all.
    Unsubscribing twice, or with an unknown uid, is not an error, because the result is what the subscriber wants.
    """
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None:
            return False
        return transaction.leave(subscriber, newsletter, policy.kept(evidence), clean_line(reason, LONGEST_REASON))


def farewell(
    store: Store, policy: SubscriptionPolicy, uid: str, newsletters: Collection[str] | None, *, now: datetime
) -> SubscriptionEmail | None:
    """Return the email that tells a subscriber that they have been unsubscribed; None if none should be sent.

    Its link works until the token expires, longer than the undo button. It is for people whose email was forwarded to
    someone who then unsubscribed them. Nobody gets it after a complaint, a bounce or a suppression.

    newsletters: those that the subscriber just left; None for all.
    """
    if not policy.farewell:
        return None
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or subscriber.confirmed_at is None or transaction.suppressed([subscriber.address]):
            return None
        if subscriber.status not in (SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED):
            return None
        if newsletters is None:
            had = tuple(_to_restore(transaction, subscriber, None))
        else:
            had = tuple(each for name in newsletters for each in _to_restore(transaction, subscriber, name))
        if not had or not transaction.claim_email(mailbox_of(subscriber.address), EmailTrigger.FAREWELL, policy.waits):
            return None
        return confirmation(transaction, policy, subscriber, PendingChange(had), SubscriptionEmailKind.FAREWELL)


def decline_all(store: Store, address: str, *, now: datetime, source: str) -> None:
    """Never send email to a mailbox again, because its owner asked for that with the link in a subscription email.

    The address is suppressed, and no form can trigger an email to any spelling of it. If it never confirmed, it is
    deleted. Doing this twice changes nothing.
    """
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(address)
        if subscriber is not None and subscriber.status is SubscriberStatus.PENDING:
            transaction.erase(subscriber, address)
        elif subscriber is not None:
            after = transaction.apply(subscriber, SubscriberEvent.SUPPRESSED, source)
            if after is not subscriber.status:
                transaction.record(subscriber, "suppressed", Evidence(source))
        transaction.suppress(address, SuppressionReason.DECLINED, source)
        transaction.silence(mailbox_of(address))


def come_back(
    store: Store, policy: SubscriptionPolicy, uid: str, newsletter: str | None, *, now: datetime, evidence: Evidence
) -> bool:
    """Undo an unsubscription; return whether the subscriber is subscribed again.

    newsletter: the newsletter to restore; None to undo unsubscribing from everything.
    Only subscriptions that they ended themselves within UNDO_WITHIN are restored, with the topics that they had chosen.
    The result is False for subscribers who left earlier, never confirmed, bounced, complained, or were suppressed or
    removed by the operator.
    """
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or subscriber.confirmed_at is None:
            return False
        had = _to_restore(transaction, subscriber, newsletter)
        if not had or _long_left(transaction, subscriber, had) or not _return(transaction, subscriber, kept):
            return False
        subscribe_to(transaction, subscriber, had, kept, SubscriptionEvent.UNDONE)
        return True


def _may_choose(
    transaction: SubscriberTransaction, subscriber: Subscriber, chosen: Iterable[Subscription], evidence: Evidence
) -> bool:
    if subscriber.status is SubscriberStatus.UNSUBSCRIBED and not tuple(chosen):
        return True  # nothing was chosen, so they do not come back
    return subscriber.confirmed_at is not None and _return(transaction, subscriber, evidence)


def _return(transaction: SubscriberTransaction, subscriber: Subscriber, evidence: Evidence) -> bool:
    if _is_removed(transaction, subscriber):
        return False
    after = transaction.apply(subscriber, SubscriberEvent.RETURNED)
    if after not in (None, subscriber.status):
        transaction.record(subscriber, "returned", evidence)
    return after is not None


def _is_removed(transaction: SubscriberTransaction, subscriber: Subscriber) -> bool:
    return subscriber.status is SubscriberStatus.UNSUBSCRIBED and transaction.was_removed(subscriber)


def _long_left(
    transaction: SubscriberTransaction, subscriber: Subscriber, chosen: Iterable[Subscription]
) -> list[Subscription]:
    """Return the chosen subscriptions that ended more than UNDO_WITHIN ago."""
    long_ago = transaction.now - UNDO_WITHIN
    if subscriber.status is SubscriberStatus.UNSUBSCRIBED:
        newest = max((each.since for each in subscriber.ended if each.since), default=None)
        if subscriber.ended and (newest is None or newest <= long_ago):
            return list(chosen)
    ended = {each.newsletter for each in subscriber.ended if each.since is None or each.since <= long_ago}
    return [each for each in chosen if each.newsletter in ended]


def _leave_declined(
    transaction: SubscriberTransaction,
    subscriber: Subscriber,
    wanted: Preferences,
    known: Collection[str],
    evidence: Evidence,
) -> tuple[str, ...]:
    """End the subscriptions that the form offered and that were not chosen; return their newsletters."""
    declined = set(known if wanted.shown is None else wanted.shown) & set(known)
    declined -= {subscription.newsletter for subscription in wanted.subscriptions}
    left = tuple(each.newsletter for each in subscriber.subscriptions if each.newsletter in declined)
    for newsletter in left:
        transaction.end(subscriber, newsletter, SubscriptionEvent.LEFT, evidence)
    return left


def _ask_again(
    transaction: SubscriberTransaction,
    policy: SubscriptionPolicy,
    subscriber: Subscriber,
    waiting: Sequence[Subscription],
    evidence: Evidence,
) -> SubscriptionEmail | None:
    """Return an email that asks a subscriber to confirm newsletters that they left; None if it is too early."""
    mailbox = mailbox_of(subscriber.address)
    if not waiting or not transaction.claim_email(mailbox, EmailTrigger.ACCOUNT, policy.waits):
        return None
    transaction.record(subscriber, "requested", evidence, described(waiting))
    return confirmation(transaction, policy, subscriber, PendingChange(tuple(waiting)))


def _pause(transaction: SubscriberTransaction, subscriber: Subscriber, weeks: int | None, evidence: Evidence) -> None:
    if weeks is None or (weeks == 0 and subscriber.paused_until is None):
        return
    until = transaction.now + timedelta(weeks=weeks) if weeks else None
    transaction.pause(subscriber, until)
    transaction.record(subscriber, "paused" if until else "unpaused", evidence, f"{until:%Y-%m-%d}" if until else "")


def _to_restore(
    transaction: SubscriberTransaction, subscriber: Subscriber, newsletter: str | None
) -> list[Subscription]:
    """Return the subscriptions to restore: the one to a given newsletter, or those that the subscriber ended last."""
    if newsletter:
        record = subscriber.record(transaction.current_name(subscriber, newsletter))
        found = [record] if record and record.status is not SubscriptionStatus.REMOVED else []
    elif subscriber.status is SubscriberStatus.ACTIVE:
        return list(subscriber.subscriptions)
    else:
        found = _ended_last(subscriber)
    return [Subscription(each.newsletter, each.topics) for each in found]


def _ended_last(subscriber: Subscriber) -> list[SubscriptionRecord]:
    """Return the subscriptions that the subscriber ended last.

    If some of them ended because the subscriber left everything, only those are returned.
    """
    ended = [each for each in subscriber.ended if each.status is SubscriptionStatus.UNSUBSCRIBED]
    newest = max((each.since for each in ended if each.since), default=None)
    together = [each for each in ended if each.since == newest]
    return [each for each in together if each.cause is SubscriptionEvent.LEFT_ALL] or together
