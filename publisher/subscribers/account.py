"""The link to a subscriber's data, which is sent to them as soon as they ask for it, and works once.

A newsletter can be forwarded, and with it the link to the preferences. That link shows and changes preferences. To
download or delete their data, or to change their address, a subscriber needs this link.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber
from publisher.store.subscriber_records import EmailTrigger, PendingChange
from publisher.subscribers.address import mailbox_of
from publisher.subscribers.double_opt_in import email_about
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind, SubscriptionPolicy
from publisher.subscribers.tokens import TokenPurpose

if TYPE_CHECKING:
    from publisher.store import Store

VALID_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AccountLink:
    """The result of asking for the link.

    email     the email to send; None to send no email
    possible  whether the subscriber may be emailed at all
    """

    email: SubscriptionEmail | None = None
    possible: bool = True


def request_account_link(store: Store, policy: SubscriptionPolicy, uid: str, *, now: datetime) -> AccountLink:
    """Handle a request for the account link from anyone who has the link to the preferences.

    After each such email, the mailbox gets no more until the next wait in `policy.waits` has passed. After the last
    wait, it gets none until one of the links has been used. No email can be sent to an unknown subscriber or a
    suppressed address.
    """
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find_uid(uid)
        if subscriber is None or transaction.suppressed([subscriber.address]):
            return AccountLink(possible=False)
        if not transaction.claim_email(mailbox_of(subscriber.address), EmailTrigger.ACCOUNT, policy.waits):
            return AccountLink()
        expires_at = now + VALID_FOR
        token, token_hash = policy.tokens.make(TokenPurpose.ACCOUNT, expires_at)
        transaction.issue(subscriber, TokenPurpose.ACCOUNT, token_hash, expires_at, PendingChange())
        newsletters = PendingChange(subscriber.subscriptions)
        email = email_about(SubscriptionEmailKind.ACCOUNT, subscriber, newsletters)
        return AccountLink(replace(email, token=token, expires_at=expires_at))


def look_at_account(store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime) -> Subscriber | None:
    """Return the subscriber to whom a link was sent, or None if its token is not valid. Nothing is changed."""
    token_hash = policy.tokens.read(TokenPurpose.ACCOUNT, token, now)
    issued = store.subscribers.token(token_hash, TokenPurpose.ACCOUNT, now) if token_hash else None
    return store.subscribers.by_id(issued.subscriber_id) if issued else None


def use_account_link(store: Store, policy: SubscriptionPolicy, token: str, *, now: datetime) -> Subscriber | None:
    """Use up a link, and all earlier ones; return its subscriber, or None if its token is not valid."""
    token_hash = policy.tokens.read(TokenPurpose.ACCOUNT, token, now)
    if token_hash is None:
        return None
    with store.subscribers.transaction(now) as transaction:
        issued = transaction.token(token_hash, TokenPurpose.ACCOUNT)
        subscriber = transaction.find_id(issued.subscriber_id) if issued else None
        if issued is None or subscriber is None or not transaction.use(issued):
            return None
        transaction.allow_emails(mailbox_of(subscriber.address))
        return subscriber
