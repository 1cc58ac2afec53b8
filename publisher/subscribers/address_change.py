"""A subscriber's new address: requested with their own link, and confirmed at the new address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.store.subscriber_records import Evidence, address_key
from publisher.subscribers.address import normalise
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

MOST_REQUESTS = 3  # by one subscriber, to any addresses, in `policy.ask_every`


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """The result of asking for a new address.

    email    what to send to the new address; None for nothing
    limited  whether nothing is sent because enough was: one email to this address, or several for this subscriber
    """

    email: SubscriptionEmail | None = None
    limited: bool = False


class Moved(StrEnum):
    """The result of confirming a new address."""

    MOVED = "moved"
    TAKEN = "taken"  # the new address has a subscription of its own
    REFUSED = "refused"  # the token is not valid, or the address must not be mailed


def request_address_change(
    store: Store, policy: SubscriptionPolicy, uid: str, address: str, *, now: datetime, evidence: Evidence
) -> MoveRequest:
    """Handle a request for a new address, and make links to earlier new addresses invalid.

    An address gets one such email in `policy.ask_every`, whoever asks, and one subscriber causes MOST_REQUESTS at most;
    the page may say so. It must not reveal whether the new address is known or suppressed, so everything else
    must look the same. Asking again for the same address leaves its link valid, and asking for the address
    that the subscriber has withdraws the request.
    Raises SubscriberError for an unusable address.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or next_status(subscriber.status, SubscriberEvent.MOVED) is None:
            return MoveRequest()
        before = [token for token in transaction.issued_to(bare, now - policy.ask_every) if token.expires_at > now]
        if any(token.subscriber_id == subscriber.id and token.used_at is None for token in before):
            return MoveRequest()  # its email is on its way
        transaction.void(subscriber, TokenPurpose.ADDRESS)
        if address_key(bare) == address_key(subscriber.address) or transaction.suppressed([subscriber.address]):
            return MoveRequest()
        if before or _requests(transaction, subscriber, now - policy.ask_every) >= MOST_REQUESTS:
            return MoveRequest(limited=True)
        # A suppressed address is counted like any other; otherwise a second request would reveal it.
        mailed = not transaction.suppressed([bare])
        expires = now + policy.confirm_within
        token, token_hash = policy.tokens.make(TokenPurpose.ADDRESS, expires)
        transaction.issue_to(subscriber, bare, token_hash, expires, kept=mailed)
        transaction.record(subscriber, "address requested", policy.kept(evidence))
        return MoveRequest(_email(SubscriptionEmailKind.ADDRESS, subscriber, bare, token) if mailed else None)


def look_at_address_change(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime
) -> tuple[Subscriber, str] | None:
    """Return whose new address a token confirms, and the address; None if the token is not valid.

    Changes nothing. It is for the page with the button.
    """
    token_hash = policy.tokens.read(TokenPurpose.ADDRESS, token, now)
    issued = store.subscribers.token(token_hash, TokenPurpose.ADDRESS, now) if token_hash else None
    subscriber = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (subscriber, issued.change.address) if issued and subscriber else None


def confirm_address_change(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime, evidence: Evidence
) -> Moved:
    """Give a subscriber the address that a token was mailed to. Links in emails already sent continue to work.

    An unconfirmed subscription of the new address is deleted, because the mailbox itself has answered. A refusal leaves
    the token valid. No import brings the old address back, not even after the subscriber is erased.
    """
    token_hash = policy.tokens.read(TokenPurpose.ADDRESS, token, now)
    if token_hash is None:
        return Moved.REFUSED
    with store.subscribers.transaction(now, alone=True) as transaction:
        issued = transaction.token(token_hash, TokenPurpose.ADDRESS)
        subscriber = transaction.find_id(issued.subscriber_id) if issued else None
        if issued is None or subscriber is None or not _may_move(transaction, subscriber, issued.change.address):
            return Moved.REFUSED
        holder = transaction.find(issued.change.address)
        if holder is not None and holder.id != subscriber.id and holder.status is not SubscriberStatus.PENDING:
            return Moved.TAKEN
        if not transaction.use(issued):
            return Moved.REFUSED
        if holder is not None and holder.id != subscriber.id:
            transaction.erase(holder, holder.address)
        transaction.move(subscriber, issued.change.address)
        transaction.apply(subscriber, SubscriberEvent.MOVED)
        transaction.record(subscriber, "moved", policy.kept(evidence))
        return Moved.MOVED


def moved_email(before: Subscriber) -> SubscriptionEmail:
    """Return the email that informs a subscriber's old address. before: the subscriber before the change."""
    return _email(SubscriptionEmailKind.MOVED, before, before.address, "")


def _may_move(transaction: SubscriberTransaction, subscriber: Subscriber, address: str) -> bool:
    if not address or transaction.suppressed([address, subscriber.address]):
        return False
    return next_status(subscriber.status, SubscriberEvent.MOVED) is not None


def _requests(transaction: SubscriberTransaction, subscriber: Subscriber, since: datetime) -> int:
    return sum(
        token.purpose == TokenPurpose.ADDRESS and token.made_at > since for token in transaction.issued(subscriber)
    )


def _email(kind: SubscriptionEmailKind, subscriber: Subscriber, address: str, token: str) -> SubscriptionEmail:
    """Neither mailbox is greeted by name: one is not confirmed, and the other may belong to someone else by now."""
    return SubscriptionEmail(kind, subscriber.uid, address, "", subscriber.language, token)
