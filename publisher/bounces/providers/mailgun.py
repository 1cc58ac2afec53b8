"""Mailgun's webhooks: JSON with an HMAC over a timestamp and a token, which does not cover the event itself."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from publisher.bounces.providers.events import milder, report, settled, whose
from publisher.bounces.providers.requests import Call, CallError, event_in, event_key, parsed, same, table, text
from publisher.core.bounce_report import Report, Verdict

# Mailgun repeats a call that was not taken for some eight hours. A token is good once, so that an old one is of
# no use within that time either.
FRESH = timedelta(hours=9)

_REFUSED = ("espblock", "suppress-unsubscribe")


def read_mailgun(call: Call, signing_key: str) -> list[Report]:
    """Return what a call reports. Raises CallError: 403 for a false, old or future signature, 400 for no event."""
    told = table(parsed(call.body))
    signature = table(told.get("signature"))
    token = _proven(call, signature, signing_key)
    event = event_in(told.get("event-data"), "event")
    status = table(event.get("delivery-status"))
    words = text(status.get("message")) or text(status.get("description"))
    code, reply = text(status.get("enhanced-code")), text(status.get("code"))
    answer = words if words.startswith(reply) else f"{reply} {words}"
    found = whose(
        call,
        text(event.get("recipient")),
        sender=text(table(event.get("envelope")).get("sender")),
        unsubscribe=_unsubscribe(event),
    )
    key = event_key("mailgun", text(event.get("id")))
    verdict = milder(_verdict(event, code, answer), code, answer)
    return [report(verdict, found, key, status=code, words=words, more=event_key("mailgun token", token))]


def _proven(call: Call, signature: dict[str, Any], signing_key: str) -> str:
    """Return the token, which the caller has to see for the first time."""
    timestamp, token = text(signature.get("timestamp")), text(signature.get("token"))
    expected = hmac.new(signing_key.encode(), f"{timestamp}{token}".encode("utf-8", "replace"), hashlib.sha256)
    if not same(text(signature.get("signature")), expected.hexdigest()) or not token:
        raise CallError(403)
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise CallError(403)
    if abs(call.now.timestamp() - int(timestamp)) > FRESH.total_seconds():
        raise CallError(403)
    return token


def _verdict(event: dict[str, Any], code: str, answer: str) -> Verdict:
    kind, severity, reason = (text(event.get(name)) for name in ("event", "severity", "reason"))
    if kind == "complained":
        return Verdict.COMPLAINT
    if kind != "failed":
        return Verdict.NOTHING
    if severity != "permanent":
        return Verdict.NOTHING  # it is tried again; the last try is told as permanent, with reason "old"
    if reason in _REFUSED:
        return Verdict.REFUSED
    if reason == "old":
        return Verdict.TEMPORARY
    return Verdict.PERMANENT if reason in ("bounce", "suppress-bounce") else settled(code, answer)


def _unsubscribe(event: dict[str, Any]) -> list[str]:
    headers = table(table(event.get("message")).get("headers"))
    return [text(headers.get("list-unsubscribe"))]
