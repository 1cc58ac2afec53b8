"""The emails triggered by the subscribers' pages: subscription emails, and the newest edition as a welcome."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.bounces.apply import take_refused_question, take_refused_welcome
from publisher.core.models import Problem
from publisher.core.newsletter_models import Edition, EditionKind, Subscriber, SubscriberStatus, Subscription
from publisher.mail.addresses import split_mailbox
from publisher.mail.message import MessageTemplate, Recipient, message_id
from publisher.mail.transport import Accepted, Outcome, Rejected, Transport
from publisher.newsletters.variants import topic_set, variant_key
from publisher.publishing.deliver import deliver_editions
from publisher.publishing.farewell import farewell_email
from publisher.publishing.mail_wiring import headers_of, return_path
from publisher.publishing.owner_alerts import alert_problems
from publisher.publishing.sequences import add_due_emails, has_welcome_emails
from publisher.publishing.subscription_emails import send_subscription_email
from publisher.publishing.wiring import Project, why_unconfirmed
from publisher.store.subscriber_records import EmailTrigger
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind
from publisher.web.mail_worker import RejectedForGoodError, RetryLaterError

if TYPE_CHECKING:
    from publisher.web.context import WebContext


def queue_notice(context: WebContext, notice: SubscriptionEmail) -> None:
    """Queue a subscription email. The mail worker sends it after the response."""
    made_at = context.now()
    context.mail_worker.put(f"notice {notice.kind}", lambda transport: send_notice(context, transport, notice, made_at))


def send_notice(context: WebContext, transport: Transport, notice: SubscriptionEmail, made_at: datetime) -> None:
    """Compose and send a subscription email, unless its address was suppressed in the meantime.

    made_at  the time at which the email was requested

    Raises RejectedForGoodError if the mail server will never accept the email, and another PublisherError if sending
    may be retried.
    """
    config, store, links = context.config, context.store, context.links
    outcome = send_subscription_email(config, store, links, context.templates, transport, notice, made_at)
    if isinstance(outcome, Rejected):
        _count_refusal(context, notice, made_at, outcome.reason)
    if outcome is not None:
        _raise_unless_accepted(outcome)


def queue_farewell(context: WebContext, uid: str, newsletters: Collection[str] | None) -> None:
    """Queue the email to a subscriber who has just unsubscribed, if the project sends one.

    newsletters  those that they left; None for all
    """
    now = context.now()
    if newsletters != ():
        notice = farewell_email(context.config, context.store, context.policy, uid, newsletters, now)
        if notice is not None:
            queue_notice(context, notice)


def alert_owner_of_limit(context: WebContext) -> None:
    """Email the owner, at most once a day, if forms have triggered as many emails within an hour as they may.

    Raises RetryLaterError if the email to the owner cannot be sent now.
    """
    now, most = context.now(), context.policy.most_requests
    if not most or context.store.subscribers.emails_since(EmailTrigger.FORM, now - timedelta(hours=1)) < most:
        return
    text = f"forms have triggered {most:,} emails within an hour; more are not sent until the hour is over"
    hint = "if a robot fills in the form, set web.proof_of_work; if these are people, raise web.email_limit"
    project = Project(context.config, context.store, context.now)
    _, unsent = alert_problems(project, "form limit", [Problem("", 0, text, hint)], now)
    if unsent:
        raise RetryLaterError(unsent[0].message)


def _count_refusal(context: WebContext, notice: SubscriptionEmail, made_at: datetime, answer: str) -> None:
    """Count a confirmation email that the mail server rejected, as its bounce would be counted."""
    subscriber = context.store.subscribers.by_uid(notice.uid)
    if notice.kind is SubscriptionEmailKind.CONFIRM and subscriber is not None:
        take_refused_question(context.store, context.policy, subscriber.id, made_at, answer, source="mail server")


def queue_welcome(context: WebContext, subscriber: Subscriber, gained: tuple[str, ...]) -> None:
    """Queue the welcome of each newsletter that was just confirmed, if it has one.

    It is the first of the newsletter's own welcome emails, or else the newest edition, if `welcome` is set.

    gained  the names of the newsletters that are new to the subscriber
    """
    own = [name for name in gained if has_welcome_emails(context.config, name)]
    if own:
        context.mail_worker.put("welcome", lambda transport: _send_welcome_emails(context, own))
    for held in subscriber.subscriptions:
        newsletter = context.config.newsletter(held.newsletter)
        if newsletter is None or not newsletter.welcome or held.newsletter not in gained or held.newsletter in own:
            continue
        edition = next(iter(context.store.editions.public(context.now(), newsletter.name, 1, listed=True)), None)
        if edition is not None:
            _queue_edition(context, subscriber, held, edition)


def _send_welcome_emails(context: WebContext, names: Sequence[str]) -> None:
    """Add the welcome emails that are due to the ledger, and send them, unless this host may not send.

    The next run sends what this leaves, and reports what cannot be sent.
    """
    project = Project(context.config, context.store, context.now)
    if why_unconfirmed(project.config, project.store):
        return
    add_due_emails(project, context.now(), names)
    ready = context.store.editions.ready(context.now())
    deliver_editions(project, [e for e in ready if e.kind is EditionKind.WELCOME and e.newsletter in names])


def send_message(transport: Transport, sender: str, address: str, message: bytes, key: str) -> None:
    """Send a message.

    key  the permanent name of the message; two calls with the same key send the same message

    Raises RejectedForGoodError if the message will never be accepted, and RetryLaterError if sending may be retried.
    """
    _raise_unless_accepted(transport.send(split_mailbox(sender)[1], address, message, key))


def _raise_unless_accepted(outcome: Outcome) -> None:
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
    headers, path = headers_of(context.config, edition.newsletter, edition.slot), return_path(context.config)
    recipient = Recipient(
        address=subscriber.address,
        name=subscriber.name,
        message_id=message_id(edition, subscriber.uid, headers.sender),
        unsubscribe_url=context.links.unsubscribe(subscriber.uid, edition.newsletter),
        preferences_url=context.links.preferences(subscriber.uid),
        unsubscribe_address=path.of_unsubscribing(subscriber.uid, edition.newsletter) if path else "",
        fields=subscriber.fields,
    )
    message = MessageTemplate.of(letter, headers, edition.dated).join(recipient)
    key = f"welcome-{edition.newsletter}/{subscriber.uid}"
    try:
        send_message(transport, headers.sender, subscriber.address, message, key)
    except RejectedForGoodError as refused:
        take_refused_welcome(
            *(context.store, context.policy, subscriber.uid, edition.id, refused.message),
            now=context.now(),
            source="mail server",
        )
        raise
