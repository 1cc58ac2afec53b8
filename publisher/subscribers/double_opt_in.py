"""Double opt-in: anyone can type an address into a form, but it is subscribed only if its owner confirms by email.

The request is stored with the token that is sent, and carried out when the token is used. Until then, a request changes
nothing for the subscriber with this address.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.core.subscription_status import SubscriptionEvent
from publisher.store.subscriber_records import EmailTrigger, Evidence, IssuedToken, PendingChange, encode_subscription
from publisher.subscribers.address import clean_name, mailbox_of, normalise
from publisher.subscribers.languages import clean_language
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

MOST_TOPICS = 200
AGAIN_AFTER = timedelta(hours=1)  # the owner can ask a person to confirm once per period of this length
# The reasons for suppression that its owner is told about. The others mean that they want no email at all.
TOLD_OF_SUPPRESSION = (SuppressionReason.ERASED, SuppressionReason.SUPPRESSED, SuppressionReason.BOUNCED)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The choices that someone made on the confirmation page, where they could change the original request.

    name  their name; "" for none
    """

    subscriptions: tuple[Subscription, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A subscriber who has just confirmed.

    gained  the newsletters that are new to them
    first   whether this is their first confirmation
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
    """Handle a form that requests a subscription; return the email to send, or None to send no email.

    The page must look the same in both cases and must not wait for the email, because it must not reveal who is
    subscribed. A mailbox gets at most one such email until each of `policy.waits` is over, no matter how many people
    ask and how they spell it, and none after that until its owner has confirmed. All mailboxes together get
    `policy.most_requests` an hour. Newsletters requested in the meantime are added to the choices on the confirmation
    page.

    A suppressed address gets an email that says so, unless its owner reported an email as spam or asked never to get
    email again.

    known: the newsletters that exist.
    Raises SubscriberError if the address is unusable, no newsletter is chosen, or a newsletter does not exist.
    """
    bare = normalise(address)
    change = PendingChange(checked(subscriptions, known), clean_name(name), clean_language(language))
    if not change.subscriptions:
        raise SubscriberError("no newsletter was chosen")
    if _changes_nothing(store, policy, bare, change, now):
        return None
    with store.subscribers.transaction(now, alone=True) as transaction:
        return _requested(transaction, policy, bare, change, policy.kept(evidence))


def _requested(
    transaction: SubscriberTransaction, policy: SubscriptionPolicy, bare: str, change: PendingChange, kept: Evidence
) -> SubscriptionEmail | None:
    known, reason = transaction.find(bare), transaction.suppression(bare)
    suppressed = reason not in (None, SuppressionReason.MOVED)
    if suppressed and reason not in TOLD_OF_SUPPRESSION:
        return None
    if not suppressed and next_status(known.status if known else None, SubscriberEvent.REQUESTED) is None:
        return None
    if not transaction.claim_email(mailbox_of(bare), EmailTrigger.FORM, policy.waits, policy.most_requests):
        if known is not None and not suppressed:
            _extend_mailed(transaction, known, change, kept)
        return None
    if suppressed:
        newsletters = tuple(each.newsletter for each in change.subscriptions)
        return SubscriptionEmail(SubscriptionEmailKind.SUPPRESSED, "", bare, "", change.language, "", newsletters)
    subscriber = known or transaction.find_or_add(bare, SubscriberEvent.REQUESTED)
    is_active = subscriber.status is SubscriberStatus.ACTIVE
    if is_active and set(change.subscriptions) <= set(subscriber.subscriptions):
        return email_about(SubscriptionEmailKind.ALREADY, subscriber, change)
    transaction.mark_asked(subscriber)
    transaction.record(subscriber, "requested", kept, described(change.subscriptions))
    return confirmation(transaction, policy, subscriber, change)


def ask_again(
    store: Store,
    policy: SubscriptionPolicy,
    subscriber: Subscriber,
    *,
    newsletters: Collection[str],
    now: datetime,
    source: str,
) -> SubscriptionEmail:
    """Ask somebody to confirm again, because the owner wants it; return the email to send.

    The email has a new link, and is about what they asked for, as long as that is known. Nothing else changes for them.

    newsletters: the newsletters to ask about if it is unknown what they asked for
    Raises SubscriberError if they have confirmed, if their address is suppressed, or within AGAIN_AFTER of another
    such email.
    """
    with store.subscribers.transaction(now, alone=True) as transaction:
        person = transaction.find_id(subscriber.id)
        if person is None or person.status is not SubscriberStatus.PENDING:
            raise SubscriberError(f"{subscriber.address} is not waiting for a confirmation")
        if transaction.suppressed([person.address]):
            raise SubscriberError(f"{person.address} is on the suppression list", hint="its owner does not want email")
        asked = [token for token in transaction.issued(person) if token.purpose == TokenPurpose.CONFIRM]
        if any(token.used_at is None and token.made_at > now - AGAIN_AFTER for token in asked):
            raise SubscriberError(
                f"{person.address} was emailed a link less than an hour ago", hint="it may be in the spam folder"
            )
        change = max(asked, key=lambda token: token.made_at).change if asked else PendingChange()
        if not change.subscriptions:
            change = replace(change, subscriptions=tuple(Subscription(name) for name in newsletters))
        transaction.void(person, TokenPurpose.CONFIRM)
        transaction.mark_asked(person)
        transaction.record(person, "asked again", Evidence(source), described(change.subscriptions))
        return confirmation(transaction, policy, person, change)


def confirmation(
    transaction: SubscriberTransaction,
    policy: SubscriptionPolicy,
    subscriber: Subscriber,
    change: PendingChange,
    kind: SubscriptionEmailKind = SubscriptionEmailKind.CONFIRM,
) -> SubscriptionEmail:
    """Return an email with a new token that confirms a change. The caller must have claimed the right to send it."""
    expires_at = transaction.now + policy.confirm_within
    token, token_hash = policy.tokens.make(TokenPurpose.CONFIRM, expires_at)
    mailed = replace(change, mailed=tuple(each.newsletter for each in change.subscriptions))
    transaction.issue(subscriber, TokenPurpose.CONFIRM, token_hash, expires_at, mailed)
    return replace(email_about(kind, subscriber, change), token=token, expires_at=expires_at)


def email_about(kind: SubscriptionEmailKind, subscriber: Subscriber, change: PendingChange) -> SubscriptionEmail:
    """Return an email to a subscriber's address about a requested change."""
    return SubscriptionEmail(
        kind=kind,
        uid=subscriber.uid,
        address=subscriber.address,
        # A name that a stranger typed must not appear in an email as if it were our own text.
        name=subscriber.name if subscriber.confirmed_at else "",
        language=subscriber.language or change.language,
        newsletters=tuple(each.newsletter for each in change.subscriptions),
    )


def look_at_request(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime
) -> tuple[Subscriber, PendingChange] | None:
    """Return (subscriber, requested change) for a confirmation token, or None if the token is not valid.

    Nothing is changed. This is for the page with the confirmation button.
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
    """Confirm a subscription with a token, and carry out the request that the token belongs to.

    Return None if the token is forged, expired, already used or made for another purpose, or if the subscriber may not
    confirm. If several requests use the same token at the same time, only one succeeds.

    agreed: the choices to carry out; None to subscribe to the newsletters that the email names. Newsletters that were
    requested after the email was sent are subscribed to only if `agreed` contains them.
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
        transaction.allow_emails(mailbox_of(subscriber.address))
        transaction.record(subscriber, "confirmed", kept)
        if agreed is None:
            agreed = Agreed(good.change.named, subscriber.name or good.change.name)
        wanted = [each for each in agreed.subscriptions if not _left_since(subscriber, each, good)]
        gained = subscribe_to(transaction, subscriber, wanted, kept, SubscriptionEvent.CONFIRMED)
        transaction.unsubscribe_if_none_left(subscriber)
        name = clean_name(agreed.name)
        transaction.describe(subscriber, name=name, language=subscriber.language or good.change.language)
        after = transaction.find_id(subscriber.id) or subscriber
        return Confirmed(after, gained, first=subscriber.confirmed_at is None)


def subscribe_to(
    transaction: SubscriberTransaction,
    subscriber: Subscriber,
    wanted: Iterable[Subscription],
    evidence: Evidence,
    event: SubscriptionEvent,
) -> tuple[str, ...]:
    """Subscribe a subscriber to newsletters inside a transaction, and record each change.

    event: what the subscriber did: CONFIRMED, CHOSEN or UNDONE.
    Return the newsletters that are new to the subscriber.
    """
    had = {subscription.newsletter for subscription in subscriber.subscriptions}
    gained = []
    for subscription in wanted:
        if transaction.subscribe(subscriber, subscription, event, evidence.source):
            transaction.record(subscriber, "subscribed", evidence, described([subscription]))
            gained += [subscription.newsletter] if subscription.newsletter not in had else []
    return tuple(gained)


def _left_since(subscriber: Subscriber, wanted: Subscription, token: IssuedToken) -> bool:
    """Return whether a subscription ended after the request. An older link must not undo a later opt-out."""
    record = subscriber.record(wanted.newsletter)
    if record is None or record.is_subscribed or record.since is None:
        return False
    return record.since > token.made_at


def checked(subscriptions: Iterable[Subscription], known: Collection[str]) -> tuple[Subscription, ...]:
    """Return one subscription for each newsletter, with cleaned and sorted topics.

    Raises SubscriberError for a newsletter that does not exist, or for more than MOST_TOPICS topics.
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
    """Return subscriptions as the text that the history of consent stores."""
    return "; ".join(encode_subscription(subscription) for subscription in subscriptions)


def _changes_nothing(store: Store, policy: SubscriptionPolicy, bare: str, change: PendingChange, now: datetime) -> bool:
    """Return whether a request is too early for an email, and the last email already covers the whole change.

    This only reads, so that a flood of requests does not cause writes.
    """
    if not store.subscribers.must_wait(mailbox_of(bare), EmailTrigger.FORM, policy.waits, now):
        return False
    mailed = store.subscribers.mailed_change(bare, TokenPurpose.CONFIRM, now=now)
    return mailed is None or mailed.joined(change) == mailed


def _extend_mailed(
    transaction: SubscriberTransaction, subscriber: Subscriber, change: PendingChange, evidence: Evidence
) -> None:
    mailed = transaction.newest_token(subscriber, TokenPurpose.CONFIRM)
    if mailed is not None and transaction.extend(mailed, change):
        transaction.record(subscriber, "requested", evidence, described(change.subscriptions))


def _issued(store: Store, policy: SubscriptionPolicy, token: str, now: datetime) -> IssuedToken | None:
    token_hash = policy.tokens.read(TokenPurpose.CONFIRM, token, now)
    return store.subscribers.token(token_hash, TokenPurpose.CONFIRM, now) if token_hash else None
