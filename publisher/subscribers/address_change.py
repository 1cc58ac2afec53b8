"""A person's new address: asked for with their own link, confirmed at the new address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.subscribers.address import normalise
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.consent import Evidence
    from publisher.store.subscriber_transaction import SubscriberTransaction

MOST_REQUESTS = 3  # of one person, to whatever addresses, in `terms.ask_every`


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """What became of a wish for a new address.

    notice   the mail that is to be sent there; None where none is
    limited  no mail goes because enough went: one to this address, or several for this person
    """

    notice: SubscriptionEmail | None = None
    limited: bool = False


class Moved(StrEnum):
    """What became of a confirmation at a new address."""

    MOVED = "moved"
    TAKEN = "taken"  # the new address has a subscription of its own
    REFUSED = "refused"  # the token is not good, or the address is never mailed


def request_address_change(
    store: Store, policy: SubscriptionPolicy, uid: str, address: str, *, now: datetime, evidence: Evidence
) -> MoveRequest:
    """Take a person's new address, and let no link work that was mailed for an earlier one.

    An address gets one such mail in `terms.ask_every`, whoever asks, and a person causes MOST_REQUESTS; they may be
    told when that keeps a mail from going. Whether the new address is known or suppressed is not told, so all else
    must look the same. Asking again for the same address leaves its link as it is, and asking for the address that
    the person has takes the wish back.
    Raises SubscriberError for an unusable address.
    """
    from publisher.store.subscriber_rows import address_key

    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or next_status(subscriber.status, SubscriberEvent.MOVED) is None:
            return MoveRequest()
        before = [token for token in transaction.issued_to(bare, now - policy.ask_every) if token.expires_at > now]
        if any(token.subscriber_id == subscriber.id and token.used_at is None for token in before):
            return MoveRequest()  # its mail is on its way
        transaction.void(subscriber, TokenPurpose.ADDRESS)
        if address_key(bare) == address_key(subscriber.address) or transaction.suppressed([subscriber.address]):
            return MoveRequest()
        if before or _asked(transaction, subscriber, now - policy.ask_every) >= MOST_REQUESTS:
            return MoveRequest(limited=True)
        # A suppressed address is counted as any other, or a second request would tell it apart.
        mailed = not transaction.suppressed([bare])
        expires = now + policy.confirm_within
        token, token_hash = policy.tokens.make(TokenPurpose.ADDRESS, expires)
        transaction.issue_to(subscriber, bare, token_hash, expires, kept=mailed)
        transaction.record(subscriber, "address requested", policy.kept(evidence))
        return MoveRequest(_notice(SubscriptionEmailKind.ADDRESS, subscriber, bare, token) if mailed else None)


def look_at_address_change(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime
) -> tuple[Subscriber, str] | None:
    """Return whose new address a token confirms, and that address; None for one that is not good.

    Changes nothing: it is for the page with the button.
    """
    token_hash = policy.tokens.read(TokenPurpose.ADDRESS, token, now)
    issued = store.subscribers.token(token_hash, TokenPurpose.ADDRESS, now) if token_hash else None
    subscriber = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (subscriber, issued.wish.address) if issued and subscriber else None


def confirm_address_change(
    store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime, evidence: Evidence
) -> Moved:
    """Give a person the address that a token was mailed to. Links in letters already sent go on working.

    Somebody who was asked there and has not confirmed gives way: the mailbox itself has spoken. A refusal leaves the
    token good. No import brings the old address back, also when the person is erased.
    """
    token_hash = policy.tokens.read(TokenPurpose.ADDRESS, token, now)
    if token_hash is None:
        return Moved.REFUSED
    with store.subscribers.transaction(now, alone=True) as transaction:
        issued = transaction.token(token_hash, TokenPurpose.ADDRESS)
        subscriber = transaction.find_id(issued.subscriber_id) if issued else None
        if issued is None or subscriber is None or not _may_move(transaction, subscriber, issued.wish.address):
            return Moved.REFUSED
        holder = transaction.find(issued.wish.address)
        if holder is not None and holder.id != subscriber.id and holder.status is not SubscriberStatus.PENDING:
            return Moved.TAKEN
        if not transaction.use(issued):
            return Moved.REFUSED
        if holder is not None and holder.id != subscriber.id:
            transaction.erase(holder, holder.address)
        transaction.move(subscriber, issued.wish.address)
        transaction.happened(subscriber, SubscriberEvent.MOVED)
        transaction.record(subscriber, "moved", policy.kept(evidence))
        return Moved.MOVED


def moved_notice(before: Subscriber) -> SubscriptionEmail:
    """Return the mail that tells a person's old address of a move. before: the person as they were then."""
    return _notice(SubscriptionEmailKind.MOVED, before, before.address, "")


def _may_move(transaction: SubscriberTransaction, subscriber: Subscriber, address: str) -> bool:
    if not address or transaction.suppressed([address, subscriber.address]):
        return False
    return next_status(subscriber.status, SubscriberEvent.MOVED) is not None


def _asked(transaction: SubscriberTransaction, subscriber: Subscriber, since: datetime) -> int:
    return sum(
        token.purpose == TokenPurpose.ADDRESS and token.made_at > since for token in transaction.issued(subscriber)
    )


def _notice(kind: SubscriptionEmailKind, subscriber: Subscriber, address: str, token: str) -> SubscriptionEmail:
    """Neither mailbox is greeted by name: the one is not proven, and the other may be somebody else's by now."""
    return SubscriptionEmail(kind, subscriber.uid, address, "", subscriber.language, token)
