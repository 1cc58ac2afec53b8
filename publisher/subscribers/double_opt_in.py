"""From an address typed into a form to a subscriber: the mailbox itself has to confirm.

What was asked for is stored with the token that is mailed, and happens when the token is used. Until then nothing
that someone typed changes anything for the subscriber whose address it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import Evidence, IssuedToken, PendingChange, encode_subscription
from publisher.subscribers.address import clean_language, clean_line, clean_name, normalise
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

MOST_TOPICS = 200


@dataclass(frozen=True, slots=True)
class Agreed:
    """What someone agreed to on the page behind the mailed link, where they could change what was asked for.

    name  the name they want; "" for none
    """

    subscriptions: tuple[Subscription, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A subscriber who has just confirmed.

    gained  newsletters that they were not subscribed to before
    first   whether they had never confirmed before
    """

    subscriber: Subscriber
    gained: tuple[str, ...]
    first: bool


def request_subscription(
    store: Store,
    policy: SubscriptionPolicy,
    address: str,
    subscriptions: Iterable[Subscription],
    *,
    known: Collection[str],
    now: datetime,
    evidence: Evidence,
    name: str = "",
    language: str = "",
) -> SubscriptionEmail | None:
    """Handle a form that asks for a subscription; return the email to send, or None if none is to be sent.

    The page must look the same in both cases and must not wait for the email, because it must not reveal who is
    subscribed. An address gets one such email in `policy.ask_every` at most, however many people ask at once. What they
    ask for in the meantime is offered in addition to what the email names. Suppressed addresses and those that
    complained get no email.

    known: the newsletters that exist.
    Raises SubscriberError for an unusable address, and for no newsletter or an unknown one.
    """
    bare = normalise(address)
    change = PendingChange(checked(subscriptions, known), clean_name(name), clean_language(language))
    if not change.subscriptions:
        raise SubscriberError("no newsletter was chosen")
    if _is_mailed(store, policy, bare, change, now):
        return None
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        if transaction.suppressed([bare]):
            return None
        subscriber = transaction.find_or_add(bare, SubscriberEvent.REQUESTED)
        if transaction.apply(subscriber, SubscriberEvent.REQUESTED) is None:
            return None
        if not transaction.claim_email(subscriber, policy.ask_every):
            _extend_mailed(transaction, subscriber, change, kept)
            return None
        is_active = subscriber.status is SubscriberStatus.ACTIVE
        if is_active and set(change.subscriptions) <= set(subscriber.subscriptions):
            return _email(SubscriptionEmailKind.ALREADY, subscriber, change, "")
        token = _issue(transaction, policy, subscriber, change)
        transaction.record(subscriber, "requested", kept, described(change.subscriptions))
        return _email(SubscriptionEmailKind.CONFIRM, subscriber, change, token)


def look_at_request(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime
) -> tuple[Subscriber, PendingChange] | None:
    """Return who a confirmation link was mailed to and what they asked for; None if the token is not valid.

    Changes nothing. It is for the page with the button.
    """
    issued = _issued(store, policy, token, now)
    subscriber = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (subscriber, issued.change) if issued and subscriber else None


def confirm(
    store: Store,
    policy: SubscriptionPolicy,
    token: str,
    *,
    now: datetime,
    evidence: Evidence,
    agreed: Agreed | None = None,
) -> Confirmed | None:
    """Carry out what a token was mailed for; return None if it is forged, expired, used, or made for something else.

    agreed: what to carry out instead of what the email names. What was asked for after the email was sent is only
    carried out if it is part of this. If several requests use one token at the same moment, one succeeds.
    """
    issued = _issued(store, policy, token, now)
    if issued is None:
        return None
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_id(issued.subscriber_id)
        good = transaction.token(issued.token_hash, TokenPurpose.CONFIRM) if subscriber else None
        if subscriber is None or good is None or transaction.suppressed([subscriber.address]):
            return None
        if not transaction.use(good) or transaction.apply(subscriber, SubscriberEvent.CONFIRMED) is None:
            return None
        kept = policy.kept(evidence)
        transaction.lift_move(subscriber.address)
        transaction.record(subscriber, "confirmed", kept)
        if agreed is None:
            agreed = Agreed(good.change.named, subscriber.name or good.change.name)
        gained = subscribe_to(transaction, subscriber, agreed.subscriptions, kept)
        name = clean_name(agreed.name)
        transaction.describe(subscriber, name=name, language=subscriber.language or good.change.language)
        after = transaction.find_id(subscriber.id) or subscriber
        return Confirmed(after, gained, first=subscriber.confirmed_at is None)


def subscribe_to(
    transaction: SubscriberTransaction, subscriber: Subscriber, wanted: Iterable[Subscription], evidence: Evidence
) -> tuple[str, ...]:
    """Subscribe a subscriber inside a transaction and record what is new; return the newsletters gained."""
    had = {subscription.newsletter for subscription in subscriber.subscriptions}
    gained = []
    for subscription in wanted:
        if transaction.subscribe(subscriber, subscription):
            transaction.record(subscriber, "subscribed", evidence, described([subscription]))
            gained += [subscription.newsletter] if subscription.newsletter not in had else []
    return tuple(gained)


def checked(subscriptions: Iterable[Subscription], known: Collection[str]) -> tuple[Subscription, ...]:
    """Return one subscription for each newsletter, with its topics cleaned.

    Raises SubscriberError for a newsletter that does not exist and for more than MOST_TOPICS topics.
    """
    chosen: dict[str, Subscription] = {}
    for subscription in subscriptions:
        if subscription.newsletter not in known:
            raise SubscriberError(f"there is no newsletter {clean_line(subscription.newsletter, 60)!r}")
        if len(subscription.topics) > MOST_TOPICS:
            raise SubscriberError(f"more than {MOST_TOPICS} topics")
        topics = {clean_line(topic, 100) for topic in subscription.topics} - {""}
        chosen[subscription.newsletter] = Subscription(subscription.newsletter, tuple(sorted(topics)))
    return tuple(chosen.values())


def described(subscriptions: Iterable[Subscription]) -> str:
    """Return subscriptions as the history of consent stores them."""
    return "; ".join(encode_subscription(subscription) for subscription in subscriptions)


def _is_mailed(store: Store, policy: SubscriptionPolicy, bare: str, change: PendingChange, now: datetime) -> bool:
    """Return whether an email that has just been sent names all of it. In a flood of requests this only reads."""
    mailed = store.subscribers.mailed_change(bare, TokenPurpose.CONFIRM, since=now - policy.ask_every, now=now)
    return mailed is not None and mailed.joined(change) == mailed


def _extend_mailed(
    transaction: SubscriberTransaction, subscriber: Subscriber, change: PendingChange, evidence: Evidence
) -> None:
    mailed = transaction.newest_token(subscriber, TokenPurpose.CONFIRM)
    if mailed is not None and transaction.extend(mailed, change):
        transaction.record(subscriber, "requested", evidence, described(change.subscriptions))


def _issue(
    transaction: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, change: PendingChange
) -> str:
    expires = transaction.now + policy.confirm_within
    token, token_hash = policy.tokens.make(TokenPurpose.CONFIRM, expires)
    mailed = replace(change, mailed=tuple(each.newsletter for each in change.subscriptions))
    transaction.issue(subscriber, TokenPurpose.CONFIRM, token_hash, expires, mailed)
    return token


def _issued(store: Store, policy: SubscriptionPolicy, token: str, now: datetime) -> IssuedToken | None:
    token_hash = policy.tokens.read(TokenPurpose.CONFIRM, token, now)
    return store.subscribers.token(token_hash, TokenPurpose.CONFIRM, now) if token_hash else None


def _email(kind: SubscriptionEmailKind, subscriber: Subscriber, change: PendingChange, token: str) -> SubscriptionEmail:
    return SubscriptionEmail(
        kind=kind,
        uid=subscriber.uid,
        address=subscriber.address,
        # What a stranger typed must not reach a mailbox as if we had said it.
        name=subscriber.name if subscriber.confirmed_at else "",
        language=subscriber.language or change.language,
        token=token,
        newsletters=tuple(each.newsletter for each in change.subscriptions),
    )
