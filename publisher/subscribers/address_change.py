"""Changing a subscriber's address: they request it with a link sent to the old one, and confirm it at the new one."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_fields import MOST_TAGS
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.store.subscriber_records import EmailTrigger, Evidence, address_key
from publisher.subscribers.address import mailbox_of, normalise
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

MOST_REQUESTS = 3  # by one subscriber within an hour, for any new addresses


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """The result of requesting a new address.

    email    the email to send to the new address; None to send no email
    limited  whether no email is sent because a limit was reached: one email for this address, or MOST_REQUESTS for
             this subscriber
    """

    email: SubscriptionEmail | None = None
    limited: bool = False


class Moved(StrEnum):
    """The result of confirming a new address."""

    MOVED = "moved"
    TAKEN = "taken"  # the new address belongs to another subscriber
    REFUSED = "refused"  # the token is not valid, or the address must not get email


def request_address_change(
    store: Store, policy: SubscriptionPolicy, uid: str, address: str, *, now: datetime, evidence: Evidence
) -> MoveRequest:
    """Handle a request for a new address, and invalidate links from earlier requests for other addresses.

    The new mailbox gets such emails as rarely as sign-up emails, and both are counted together, no matter who asks. A
    subscriber can trigger up to MOST_REQUESTS of them per hour. The page may say that a limit was reached. In all other
    cases it must look the same, because it must not reveal whether the new address is known or suppressed. A second
    request for the same address leaves its link valid. A request for the subscriber's current address withdraws earlier
    requests.
    Raises SubscriberError for an unusable address.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or next_status(subscriber.status, SubscriberEvent.MOVED) is None:
            return MoveRequest()
        recent = transaction.issued_to(bare, now - policy.waits[0])
        if any(token.subscriber_id == subscriber.id and token.used_at is None for token in recent):
            return MoveRequest()  # its email is on its way
        transaction.void(subscriber, TokenPurpose.ADDRESS)
        if address_key(bare) == address_key(subscriber.address) or transaction.suppressed([subscriber.address]):
            return MoveRequest()
        mailbox, hour_ago = mailbox_of(bare), now - timedelta(hours=1)
        if _requests(transaction, subscriber, hour_ago) >= MOST_REQUESTS or not transaction.claim_email(
            mailbox, EmailTrigger.FORM, policy.waits, policy.most_requests
        ):
            return MoveRequest(limited=True)
        # A suppressed address is counted like any other; otherwise a second request would reveal that it is suppressed.
        mailed = not transaction.suppressed([bare])
        email = _email(transaction, policy, SubscriptionEmailKind.ADDRESS, subscriber, bare, kept=mailed)
        transaction.record(subscriber, "address requested", policy.kept(evidence))
        return MoveRequest(email if mailed else None)


def look_at_address_change(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime
) -> tuple[Subscriber, str] | None:
    """Return (subscriber, new address) for a confirmation token, or None if the token is not valid.

    Nothing is changed. This is for the page with the confirmation button.
    """
    token_hash = policy.tokens.read(TokenPurpose.ADDRESS, token, now)
    issued = store.subscribers.token(token_hash, TokenPurpose.ADDRESS, now) if token_hash else None
    subscriber = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (subscriber, issued.change.address) if issued and subscriber else None


def confirm_address_change(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime, evidence: Evidence
) -> Moved:
    """Change a subscriber's address to the one that the token was sent to.

    Unsubscribe and preferences links in emails that were already sent continue to work; all other links to the old
    address do not. An unconfirmed subscriber with the new address is deleted,
    because the owner of the mailbox has just confirmed. If the change is refused, the token remains valid. No import
    can add the old address again, not even after the subscriber is erased.
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
            _keep_details(transaction, subscriber, holder)
            transaction.erase(holder, holder.address)
        transaction.move(subscriber, issued.change.address)
        transaction.apply(subscriber, SubscriberEvent.MOVED)
        transaction.unsubscribe_if_none_left(subscriber)
        transaction.allow_emails(mailbox_of(issued.change.address))
        transaction.record(subscriber, "moved", policy.kept(evidence))
        return Moved.MOVED


def _keep_details(transaction: SubscriberTransaction, subscriber: Subscriber, holder: Subscriber) -> None:
    """Give a subscriber the owner's details of another entry for the same person, which is about to be deleted."""
    if holder.tags:
        transaction.set_tags(subscriber, sorted({*subscriber.tags, *holder.tags})[:MOST_TAGS])
    transaction.describe(subscriber, fields={**holder.fields, **subscriber.fields}, note=subscriber.note or holder.note)


def moved_email(store: Store, policy: SubscriptionPolicy, before: Subscriber, *, now: datetime) -> SubscriptionEmail:
    """Return the email that informs a subscriber's old address about the change, with a link to undo it.

    before: the subscriber as they were before the change.
    """
    with store.subscribers.transaction(now, alone=True) as transaction:
        return _email(transaction, policy, SubscriptionEmailKind.MOVED, before, before.address, kept=True)


def _may_move(transaction: SubscriberTransaction, subscriber: Subscriber, address: str) -> bool:
    if not address or transaction.suppressed([address, subscriber.address]):
        return False
    return next_status(subscriber.status, SubscriberEvent.MOVED) is not None


def _requests(transaction: SubscriberTransaction, subscriber: Subscriber, since: datetime) -> int:
    return sum(
        token.purpose == TokenPurpose.ADDRESS and token.made_at > since for token in transaction.issued(subscriber)
    )


def _email(
    transaction: SubscriberTransaction,
    policy: SubscriptionPolicy,
    kind: SubscriptionEmailKind,
    subscriber: Subscriber,
    address: str,
    *,
    kept: bool,
) -> SubscriptionEmail:
    """Issue a token that changes the address, and return the email with it. It does not greet the recipient by name.

    The new mailbox is not confirmed yet, and the old mailbox may belong to somebody else by now.
    """
    expires_at = transaction.now + policy.confirm_within
    token, token_hash = policy.tokens.make(TokenPurpose.ADDRESS, expires_at)
    transaction.issue_to(subscriber, address, token_hash, expires_at, kept=kept)
    return SubscriptionEmail(kind, subscriber.uid, address, "", subscriber.language, token, expires_at=expires_at)
