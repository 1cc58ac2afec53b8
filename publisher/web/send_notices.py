"""The emails triggered by the subscribers' pages: subscription emails, and the newest edition as a welcome."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.bounces.apply import take_refused_question
from publisher.core.newsletter_models import Edition, Subscriber, SubscriberStatus, Subscription
from publisher.mail.addresses import split_mailbox
from publisher.mail.message import MessageTemplate, Recipient, message_id, transactional_message
from publisher.mail.transport import Accepted, Rejected, Transport
from publisher.newsletters.letter.subscription_notice import NoticeFacts, notice_letter
from publisher.newsletters.variants import topic_set, variant_key
from publisher.publishing.mail_wiring import headers_of, return_path
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind
from publisher.web.mail_worker import RejectedForGoodError, RetryLaterError

if TYPE_CHECKING:
    from publisher.web.context import WebContext

CONFIRM, ADDRESS = "confirm", "address"  # paths below the public URL


def queue_notice(context: WebContext, notice: SubscriptionEmail) -> None:
    """Queue a subscription email. The mail worker sends it after the response."""
    made_at = context.now()
    context.mail_worker.put(f"notice {notice.kind}", lambda transport: send_notice(context, transport, notice, made_at))


def send_notice(context: WebContext, transport: Transport, notice: SubscriptionEmail, made_at: datetime) -> None:
    """Compose and send a subscription email, unless its address was deleted or suppressed in the meantime.

    made_at  the time at which the email was requested

    Raises RejectedForGoodError if the mail server will never accept the email, and another PublisherError if sending
    may be retried.
    """
    if context.store.suppressions.is_listed(notice.address):
        return
    expires = made_at + context.policy.confirm_within if notice.token else None
    link = _link(context, notice)
    facts = NoticeFacts(
        kind=notice.kind.value,
        newsletters=notice.newsletters,
        name=notice.name,
        address=notice.address,
        link=link,
        language=notice.language,
        made_at=made_at,
        expires=expires,
    )
    letter = notice_letter(context.config, facts, context.templates)
    headers = headers_of(context.config, _sender(context, notice.newsletters))
    identity = hashlib.sha256(f"{notice.kind}\0{notice.uid}\0{link}\0{made_at.isoformat()}".encode()).hexdigest()
    message = transactional_message(
        letter, headers, to=notice.address, name=notice.name, identity=identity, made_at=made_at
    )
    return_address = _return_address(context, notice, made_at) or headers.sender
    try:
        send_message(transport, return_address, notice.address, message, f"notice-{notice.kind}/{identity[:20]}")
    except RejectedForGoodError as error:
        _count_refusal(context, notice, made_at, error.message)
        raise


def _count_refusal(context: WebContext, notice: SubscriptionEmail, made_at: datetime, answer: str) -> None:
    """Count a confirmation email that the mail server rejected, as its bounce would be counted."""
    subscriber = context.store.subscribers.by_uid(notice.uid)
    if notice.kind is SubscriptionEmailKind.CONFIRM and subscriber is not None:
        take_refused_question(context.store, context.policy, subscriber.id, made_at, answer, source="mail server")


def queue_welcome(context: WebContext, subscriber: Subscriber, gained: tuple[str, ...]) -> None:
    """Queue the newest edition of each newsletter that was just confirmed and has `welcome` set.

    gained  the names of the newsletters that are new to the subscriber
    """
    for held in subscriber.subscriptions:
        newsletter = context.config.newsletter(held.newsletter)
        if newsletter is None or not newsletter.welcome or held.newsletter not in gained:
            continue
        edition = next(iter(context.store.editions.public(context.now(), newsletter.name, limit=1)), None)
        if edition is not None:
            _queue_edition(context, subscriber, held, edition)


def send_message(transport: Transport, sender: str, address: str, message: bytes, key: str) -> None:
    """Send a message.

    key  the permanent name of the message; two calls with the same key send the same message

    Raises RejectedForGoodError if the message will never be accepted, and RetryLaterError if sending may be retried.
    """
    outcome = transport.send(split_mailbox(sender)[1], address, message, key)
    if isinstance(outcome, Rejected):
        raise RejectedForGoodError(outcome.reason)
    if not isinstance(outcome, Accepted):  # a message without a reply is sent again with the same Message-ID
        raise RetryLaterError(outcome.reason)


def _queue_edition(context: WebContext, subscriber: Subscriber, held: Subscription, edition: Edition) -> None:
    context.mail_worker.put("welcome", lambda transport: _send_edition(context, transport, subscriber, held, edition))


def _send_edition(
    context: WebContext, transport: Transport, subscriber: Subscriber, held: Subscription, edition: Edition
) -> None:
    now = context.store.subscribers.by_uid(subscriber.uid)
    if now is None or now.status is not SubscriberStatus.ACTIVE:
        return  # unsubscribed while the edition was queued
    letter = context.store.editions.letter(edition.id, variant_key(topic_set(held.topics)))
    if letter is None:
        return  # none of its posts match the topics, or nobody had chosen these topics when the edition was made
    headers = headers_of(context.config, edition.newsletter)
    recipient = Recipient(
        address=subscriber.address,
        name=subscriber.name,
        message_id=message_id(edition, subscriber.uid, headers.sender),
        unsubscribe_url=context.links.unsubscribe(subscriber.uid, edition.newsletter),
        preferences_url=context.links.preferences(subscriber.uid),
    )
    message = MessageTemplate.of(letter, headers, edition.dated).join(recipient)
    key = f"welcome-{edition.newsletter}/{subscriber.uid}"
    send_message(transport, headers.sender, subscriber.address, message, key)


def _return_address(context: WebContext, notice: SubscriptionEmail, made_at: datetime) -> str:
    """Return the return address of a confirmation email, which receives its bounces.

    Return "" for other kinds of email, and if mail.bounces is not set. Other kinds go to subscribers, whose dead
    mailboxes are noticed when editions bounce, or to a new address that does not belong to a subscriber yet.
    """
    path = return_path(context.config) if notice.kind is SubscriptionEmailKind.CONFIRM else None
    subscriber = context.store.subscribers.by_uid(notice.uid) if path else None
    return path.of_notice(subscriber.id, made_at) if path and subscriber else ""


def _link(context: WebContext, notice: SubscriptionEmail) -> str:
    if notice.kind is SubscriptionEmailKind.ALREADY:
        return context.links.preferences(notice.uid)
    if notice.kind is SubscriptionEmailKind.MOVED:
        return ""  # the old mailbox may belong to someone else by now
    path = ADDRESS if notice.kind is SubscriptionEmailKind.ADDRESS else CONFIRM
    return f"{context.links.public_url}/{path}/{notice.token}"


def _sender(context: WebContext, names: tuple[str, ...]) -> str:
    """Return the name of the newsletter whose sender a notice uses.

    It is the first newsletter that the notice is about, or else the first of the project.
    """
    known = [name for name in names if context.config.newsletter(name)] or context.newsletter_names
    return known[0] if known else "newsletter"
