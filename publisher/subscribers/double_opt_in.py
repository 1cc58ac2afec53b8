"""From an address typed into a form to a person who may be mailed: the mailbox itself has to say yes.

What was asked for waits with the token that is mailed, and comes true when the token is used. Until then
nothing that somebody typed changes anything for the person whose address it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.subscribers.address import clean_language, clean_line, clean_name, normalise
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.consent import Evidence
    from publisher.store.issued_tokens import IssuedToken, PendingChange
    from publisher.store.subscriber_transaction import SubscriberTransaction

MOST_TOPICS = 200


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a person agreed to on the page behind the mailed link, where they could change what was asked for.

    name  as it is to be; "" is none
    """

    subscriptions: tuple[Subscription, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who confirmed, as they now stand, and whether they are new.

    gained  newsletters that the person did not have before
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
    """Take what somebody typed into a form; return the mail that is to be sent, None where none is.

    What is shown to whoever asked must be the same in either case, and must not wait for the mail: they may not
    learn who is subscribed. An address gets at most one such mail in `terms.ask_every`, however many ask at
    once; what is asked for meanwhile is offered beside what that mail names. Nobody who is suppressed or complained is
    mailed. known: the newsletters there are.
    Raises SubscriberError for an unusable address, or for no newsletter or an unknown one.
    """
    from publisher.store.issued_tokens import PendingChange

    bare = normalise(address)
    wish = PendingChange(checked(subscriptions, known), clean_name(name), clean_language(language))
    if not wish.subscriptions:
        raise SubscriberError("no newsletter was chosen")
    if _is_mailed(store, policy, bare, wish, now):
        return None
    kept = policy.kept(evidence)
    with store.subscribers.transaction(now) as transaction:
        if transaction.suppressed([bare]):
            return None
        subscriber = transaction.arrive(bare, SubscriberEvent.REQUESTED)
        if transaction.happened(subscriber, SubscriberEvent.REQUESTED) is None:
            return None
        if not transaction.may_ask(subscriber, policy.ask_every):
            _add_to_mailed(transaction, subscriber, wish, kept)
            return None
        if subscriber.status is SubscriberStatus.ACTIVE and set(wish.subscriptions) <= set(subscriber.subscriptions):
            return _notice(SubscriptionEmailKind.ALREADY, subscriber, wish, "")
        token = _issue(transaction, policy, subscriber, wish)
        transaction.record(subscriber, "requested", kept, described(wish.subscriptions))
        return _notice(SubscriptionEmailKind.CONFIRM, subscriber, wish, token)


def look_at_request(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime
) -> tuple[Subscriber, PendingChange] | None:
    """Return who a token to confirm was mailed to, and what they asked for; None for one that is not good.

    Changes nothing: it is for the page with the button.
    """
    issued = _issued(store, policy, token, now)
    subscriber = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (subscriber, issued.wish) if issued and subscriber else None


def confirm(
    store: Store,
    policy: SubscriptionPolicy,
    token: str,
    *,
    now: datetime,
    evidence: Evidence,
    agreed: Agreed | None = None,
) -> Confirmed | None:
    """Let come true what a token was mailed for; None for a token that is forged, too old, used or another's.

    agreed: instead of what the mail names. What was asked for after the mail comes true only if it is among that.
    Of many at once with one token, one succeeds.
    """
    issued = _issued(store, policy, token, now)
    if issued is None:
        return None
    with store.subscribers.transaction(now) as transaction:
        subscriber = transaction.find_id(issued.subscriber_id)
        good = transaction.token(issued.token_hash, TokenPurpose.CONFIRM) if subscriber else None
        if subscriber is None or good is None or transaction.suppressed([subscriber.address]):
            return None
        if not transaction.use(good) or transaction.happened(subscriber, SubscriberEvent.CONFIRMED) is None:
            return None
        kept = policy.kept(evidence)
        transaction.lift_move(subscriber.address)
        transaction.record(subscriber, "confirmed", kept)
        if agreed is None:
            agreed = Agreed(good.wish.named, subscriber.name or good.wish.name)
        gained = subscribe_to(transaction, subscriber, agreed.subscriptions, kept)
        name = clean_name(agreed.name)
        transaction.describe(subscriber, name=name, language=subscriber.language or good.wish.language)
        after = transaction.find_id(subscriber.id) or subscriber
        return Confirmed(after, gained, first=subscriber.confirmed_at is None)


def subscribe_to(
    transaction: SubscriberTransaction, subscriber: Subscriber, wishes: Iterable[Subscription], evidence: Evidence
) -> tuple[str, ...]:
    """Subscribe a person inside a transaction, record what is new, and return the newsletters gained."""
    had = {wish.newsletter for wish in subscriber.subscriptions}
    gained = []
    for wish in wishes:
        if transaction.choose(subscriber, wish):
            transaction.record(subscriber, "subscribed", evidence, described([wish]))
            gained += [wish.newsletter] if wish.newsletter not in had else []
    return tuple(gained)


def checked(subscriptions: Iterable[Subscription], known: Collection[str]) -> tuple[Subscription, ...]:
    """Return wishes for newsletters that exist, one for each, their topics clean.

    Raises SubscriberError for a newsletter there is not, and for more topics than anybody chooses.
    """
    chosen: dict[str, Subscription] = {}
    for wish in subscriptions:
        if wish.newsletter not in known:
            raise SubscriberError(f"there is no newsletter {clean_line(wish.newsletter, 60)!r}")
        if len(wish.topics) > MOST_TOPICS:
            raise SubscriberError(f"more than {MOST_TOPICS} topics")
        topics = {clean_line(topic, 100) for topic in wish.topics} - {""}
        chosen[wish.newsletter] = Subscription(wish.newsletter, tuple(sorted(topics)))
    return tuple(chosen.values())


def described(wishes: Iterable[Subscription]) -> str:
    """Return wishes as the history of consent keeps them."""
    from publisher.store.subscriber_rows import encode_topics

    return "; ".join(w.newsletter + (f" {encode_topics(w.topics)}" if w.topics else "") for w in wishes)


def _is_mailed(store: Store, policy: SubscriptionPolicy, bare: str, wish: PendingChange, now: datetime) -> bool:
    """Return whether a mail that just went says all of it: a flood of requests then only reads."""
    mailed = store.subscribers.mailed_wish(bare, TokenPurpose.CONFIRM, since=now - policy.ask_every, now=now)
    return mailed is not None and mailed.joined(wish) == mailed


def _add_to_mailed(
    transaction: SubscriberTransaction, subscriber: Subscriber, wish: PendingChange, evidence: Evidence
) -> None:
    mailed = transaction.newest_token(subscriber, TokenPurpose.CONFIRM)
    if mailed is not None and transaction.add_to(mailed, wish):
        transaction.record(subscriber, "requested", evidence, described(wish.subscriptions))


def _issue(
    transaction: SubscriberTransaction, policy: SubscriptionPolicy, subscriber: Subscriber, wish: PendingChange
) -> str:
    expires = transaction.now + policy.confirm_within
    token, token_hash = policy.tokens.make(TokenPurpose.CONFIRM, expires)
    mailed = replace(wish, mailed=tuple(each.newsletter for each in wish.subscriptions))
    transaction.issue(subscriber, TokenPurpose.CONFIRM, token_hash, expires, mailed)
    return token


def _issued(store: Store, policy: SubscriptionPolicy, token: str, now: datetime) -> IssuedToken | None:
    token_hash = policy.tokens.read(TokenPurpose.CONFIRM, token, now)
    return store.subscribers.token(token_hash, TokenPurpose.CONFIRM, now) if token_hash else None


def _notice(kind: SubscriptionEmailKind, subscriber: Subscriber, wish: PendingChange, token: str) -> SubscriptionEmail:
    return SubscriptionEmail(
        kind=kind,
        uid=subscriber.uid,
        address=subscriber.address,
        # what a stranger typed must not reach a mailbox as our own words
        name=subscriber.name if subscriber.confirmed_at else "",
        language=subscriber.language or wish.language,
        token=token,
        newsletters=tuple(each.newsletter for each in wish.subscriptions),
    )
