"""The emails triggered by the subscribers' pages: subscription emails, and the newest edition as a welcome."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.bounces.apply import take_refused_question
from publisher.core.errors import PublisherError, StoreError
from publisher.core.models import Problem
from publisher.core.newsletter_models import Edition, EditionKind, Subscriber
from publisher.mail.transport import Accepted, Outcome, Rejected, Transport
from publisher.publishing.deliver import deliver_editions
from publisher.publishing.farewell import farewell_email
from publisher.publishing.later_recipients import add_recipients
from publisher.publishing.owner_alerts import alert_problems
from publisher.publishing.sequences import add_due_emails, has_welcome_emails
from publisher.publishing.subscription_emails import send_subscription_email
from publisher.publishing.wiring import Project, why_unconfirmed
from publisher.store.subscriber_records import EmailTrigger
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind
from publisher.web.mail_worker import RejectedForGoodError, RetryLaterError

if TYPE_CHECKING:
    from publisher.web.context import WebContext


# An edition with more open deliveries is left to a run.
_MOST_AT_ONCE = 50


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
        raise_unless_accepted(outcome)


def queue_farewell(context: WebContext, uid: str, newsletters: Collection[str] | None) -> None:
    """Queue the email to a subscriber who has just unsubscribed, if the project sends one.

    newsletters  the newsletters from which they unsubscribed; None for all
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
    text = f"forms have triggered {most:,} emails within an hour; no more are sent until the hour is over"
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
    newsletters = [newsletter for name in gained if (newsletter := context.config.newsletter(name))]
    own = [each.name for each in newsletters if has_welcome_emails(context.config, each.name)]
    newest = [each.name for each in newsletters if each.welcome and each.name not in own]
    if own or newest:
        address = subscriber.address
        context.mail_worker.put("welcome", lambda transport: _send_welcome(context, address, own, newest))


def _send_welcome(context: WebContext, address: str, own: Sequence[str], newest: Sequence[str]) -> None:
    """Add the welcome to the ledger and send it, unless this host may not send.

    The next run sends or reports whatever is left, including an edition with many open deliveries, which would keep
    others from confirming if it were sent here.

    own     the newsletters with welcome emails of their own
    newest  the newsletters whose newest edition the subscriber gets
    """
    project, now = Project(context.config, context.store, context.now), context.now()
    if why_unconfirmed(project.config, project.store):
        return
    store = context.store
    if own:
        add_due_emails(project, now, own)
    editions = [
        each for each in store.editions.ready(now) if each.kind is EditionKind.WELCOME and each.newsletter in own
    ]
    for name in newest:
        edition = next(iter(store.editions.public(now, name, 1, listed=True)), None)
        if edition is not None and _add_newest(project, edition, address, now):
            editions.append(edition)
    deliver_editions(project, [each for each in editions if store.deliveries.counts(each.id).open <= _MOST_AT_ONCE])


def _add_newest(project: Project, edition: Edition, address: str, now: datetime) -> bool:
    """Add a delivery of an edition for a new subscriber; return whether they get it now.

    They do not if they have unsubscribed again, if they already have it, or if it has no post on their topics.
    """
    try:
        return bool(add_recipients(project.config, project.store, edition, now, addresses=[address]).added)
    except StoreError:
        raise
    except PublisherError:
        return False  # it was cancelled, is too old for the ledger, or they have deleted their data


def raise_unless_accepted(outcome: Outcome) -> None:
    """Raise RejectedForGoodError if a message will never be accepted, and RetryLaterError if sending may be retried."""
    if isinstance(outcome, Rejected):
        raise RejectedForGoodError(outcome.reason)
    if not isinstance(outcome, Accepted):  # a message without a reply is sent again with the same Message-ID
        raise RetryLaterError(outcome.reason)
