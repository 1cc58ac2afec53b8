"""Takes requests to subscribe from the form on /subscribe, forms elsewhere, and /subscribe.json.

All of them have the same limits and the same rules of consent. The answer is the same whether or not the address is
known, because the request is only stored, and the mail worker looks up the address and sends the email later.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.store.subscriber_records import EmailTrigger, PendingChange
from publisher.subscribers.address import clean_name, normalise
from publisher.subscribers.double_opt_in import checked, request_subscription
from publisher.subscribers.languages import clean_language
from publisher.subscribers.tokens import FormTokens
from publisher.web.public.public_pages import chosen
from publisher.web.public.strings import speech
from publisher.web.send_notices import alert_owner_of_limit, queue_notice

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.mail.transport import Transport
    from publisher.store.subscriber_records import SignUp
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

HONEYPOT = "website"  # a field that people do not see and spam bots fill in


class SignUpOutcome(StrEnum):
    """The result of a request to subscribe."""

    SENT = "sent"  # stored, or silently dropped; the same for every address
    BAD_ADDRESS = "bad_address"
    BAD_CHOICE = "bad_choice"  # no newsletter is chosen
    STALE_CHOICE = "stale_choice"  # a newsletter or topic no longer exists
    UNPROVED = "unproved"  # it has no valid token, came too soon after the token, or lacks its proof of work
    TOO_MANY = "too_many"  # from this client
    BUSY = "busy"  # the queue is full
    BUSY_HOUR = "busy_hour"  # forms have triggered as many emails as they may


class SignUpRequests:
    """The rules for requests to subscribe to the newsletters of one project."""

    def __init__(self, context: WebContext, tokens: FormTokens) -> None:
        self._context, self.tokens = context, tokens

    def take(self, request: Request, form: Form, source: str, language: str) -> SignUpOutcome:
        """Check a request, and queue it for the mail worker if it is valid.

        source    where it comes from, for the record of the consent, such as "form /subscribe"
        language  the language of the person's browser, unless the form has one

        Raises StoreError if the request cannot be stored, so that no one is thanked for a request that is lost.
        """
        context = self._context
        if not context.rate_limits.allow_form(context.clients.address(request.scope)):
            return SignUpOutcome.TOO_MANY
        if form.one(HONEYPOT):
            return SignUpOutcome.SENT
        try:
            address = normalise(form.one("email"))
        except SubscriberError:
            return SignUpOutcome.BAD_ADDRESS
        try:
            wishes = checked(chosen(context.config, form), context.newsletter_names)
        except SubscriberError:  # the choice was still offered when the form was opened
            return SignUpOutcome.STALE_CHOICE
        if not wishes:
            return SignUpOutcome.BAD_CHOICE
        if not self.tokens.accepts(form.one("token"), form.one("email"), form.one("proof")):
            return SignUpOutcome.UNPROVED
        if self._has_reached_limit():
            return SignUpOutcome.BUSY_HOUR
        language = clean_language(form.one("language")) or language
        change = PendingChange(wishes, clean_name(form.one("name")), language)
        return SignUpOutcome.SENT if self._accept(request, change, address, source) else SignUpOutcome.BUSY

    def next_token(self, form: Form) -> str:
        """Return the token for a form that is shown again: its own if that is valid, so that its age is not lost."""
        token = form.one("token")
        return token if self.tokens.is_known(token) else self.tokens.make()

    def _accept(self, request: Request, change: PendingChange, address: str, source: str) -> bool:
        """Store a request and queue it for the mail worker. Return False if the queue is full.

        Every address is treated the same, so that neither the answer nor its timing reveals anything about it.
        """
        context = self._context
        consent = speech(change.language, context.templates).consent
        version = f"{change.language}-{hashlib.sha256(consent.encode()).hexdigest()[:8]}"
        evidence = context.policy.kept(context.evidence(request, source, version))
        accepted = context.store.sign_ups.add(address, change, evidence, context.now())
        is_within_limit = context.rate_limits.allow_request(address)
        if _queue(context, accepted, is_dropped=not is_within_limit):
            return True
        context.store.sign_ups.remove(accepted.id)
        return False

    def _has_reached_limit(self) -> bool:
        """Return whether forms have triggered as many emails within the hour as they may."""
        most, hour_ago = self._context.policy.most_requests, self._context.now() - timedelta(hours=1)
        return bool(most) and self._context.store.subscribers.emails_since(EmailTrigger.FORM, hour_ago) >= most


def resume_sign_ups(context: WebContext) -> None:
    """Queue the requests that an earlier process accepted but did not carry out. Drop those that have expired."""
    expired = context.now() - context.policy.confirm_within
    for accepted in context.store.sign_ups.list():
        _queue(context, accepted, is_dropped=accepted.at < expired)


def _queue(context: WebContext, accepted: SignUp, *, is_dropped: bool = False) -> bool:
    """Queue a request for the mail worker; return False if the queue is full. is_dropped: just delete it."""

    def work(transport: Transport) -> None:
        """Carry out what a form asks for, and delete it from the database."""
        if not is_dropped:
            _carry_out(context, accepted)
        context.store.sign_ups.remove(accepted.id)

    return context.mail_worker.put("ignored request" if is_dropped else "request", work)


def _carry_out(context: WebContext, accepted: SignUp) -> None:
    known = context.newsletter_names
    wishes = [each for each in accepted.change.subscriptions if each.newsletter in known]
    if not wishes:
        return  # the newsletters have been removed from the project since then
    notice = request_subscription(
        context.store,
        context.policy,
        accepted.address,
        wishes,
        known=known,
        now=accepted.at,
        evidence=accepted.evidence,
        name=accepted.change.name,
        language=accepted.change.language,
    )
    if notice is not None:
        queue_notice(context, notice)
        context.mail_worker.put("owner alert", lambda transport: alert_owner_of_limit(context))
