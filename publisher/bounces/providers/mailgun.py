"""Reads Mailgun's webhooks: JSON with an HMAC of a timestamp and a token, but not of the event itself."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from publisher.bounces.providers.webhook_request import (
    WebhookError,
    WebhookRequest,
    addressee_of,
    event_in,
    event_key,
    parsed,
    report,
    same,
    settled,
    table,
    text,
)
from publisher.bounces.verdict import weigh
from publisher.core.bounce_report import Report, Verdict

# Mailgun repeats a refused request for about eight hours. A token is valid only once, so an old token cannot be reused
# within that time.
FRESH = timedelta(hours=9)

_EVENTS = {"complained": Verdict.COMPLAINT, "unsubscribed": Verdict.UNSUBSCRIBED}

# Reasons for not sending, most of them from Mailgun's own suppression lists. No server's answer outweighs them.
_REASONS = {
    "suppress-bounce": Verdict.PERMANENT,
    "suppress-complaint": Verdict.COMPLAINT,
    "suppress-unsubscribe": Verdict.UNSUBSCRIBED,
    "espblock": Verdict.REFUSED,
    "old": Verdict.TEMPORARY,
}


def read_mailgun(request: WebhookRequest, signing_key: str) -> list[Report]:
    """Return the report in a request.

    Raises WebhookError with status 403 for an invalid, old or future signature, or 400 if there is no event.
    """
    body = table(parsed(request.body))
    signature = table(body.get("signature"))
    token = _verified_token(request, signature, signing_key)
    event = event_in(body.get("event-data"), "event")
    status = table(event.get("delivery-status"))
    words = text(status.get("message")) or text(status.get("description"))
    code, reply = text(status.get("enhanced-code")), text(status.get("code"))
    answer = words if words.startswith(reply) else f"{reply} {words}"
    addressee = addressee_of(
        request,
        text(event.get("recipient")),
        sender=text(table(event.get("envelope")).get("sender")),
        unsubscribe=_unsubscribe_headers(event),
    )
    key = event_key("mailgun", text(event.get("id")))
    verdict, more = _verdict(event, code, answer), event_key("mailgun token", token)
    return [report(verdict, addressee, key, status=code, words=words, more=more)]


def _verified_token(request: WebhookRequest, signature: dict[str, Any], signing_key: str) -> str:
    """Verify the signature and return its token, which the caller must accept only once."""
    timestamp, token = text(signature.get("timestamp")), text(signature.get("token"))
    expected = hmac.new(signing_key.encode(), f"{timestamp}{token}".encode("utf-8", "replace"), hashlib.sha256)
    if not same(text(signature.get("signature")), expected.hexdigest()) or not token:
        raise WebhookError(403)
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise WebhookError(403)
    if abs(request.now.timestamp() - int(timestamp)) > FRESH.total_seconds():
        raise WebhookError(403)
    return token


def _verdict(event: dict[str, Any], code: str, answer: str) -> Verdict:
    kind, severity, reason = (text(event.get(name)) for name in ("event", "severity", "reason"))
    if kind in _EVENTS:
        return _EVENTS[kind]
    if kind != "failed" or severity != "permanent":
        return Verdict.NOTHING  # Mailgun tries again, and reports the last try as permanent with reason "old"
    if reason in _REASONS:
        return _REASONS[reason]
    return weigh(Verdict.PERMANENT, code, answer) if reason == "bounce" else settled(code, answer)


def _unsubscribe_headers(event: dict[str, Any]) -> list[str]:
    headers = table(table(event.get("message")).get("headers"))
    return [text(headers.get("list-unsubscribe"))]
