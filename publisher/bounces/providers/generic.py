"""Reads the webhook for any other provider: JSON of our own, sent by the owner's script and protected by a secret.

    {"event": "bounce", "address": "ada@example.org", "answer": "550 5.1.1 user unknown"}

The fields are documented in docs/deployment.md.
"""

from __future__ import annotations

from typing import Any

from publisher.bounces.providers.webhook_request import (
    WebhookError,
    WebhookRequest,
    addressee_of,
    event_key,
    has_secret,
    parsed,
    report,
    rows,
    settled,
    text,
)
from publisher.bounces.verdict import weigh
from publisher.core.bounce_report import Report, Verdict

_EVENTS = {"complaint": Verdict.COMPLAINT, "unsubscribe": Verdict.UNSUBSCRIBED}
_TYPES = {"hard": Verdict.PERMANENT, "soft": Verdict.TEMPORARY, "": None}


def read_generic(request: WebhookRequest, secret: str) -> list[Report]:
    """Return the reports in a request: one event, or an array of at most MOST_EVENTS events.

    Raises WebhookError with status 403 if the request lacks the secret, or 400 if it has no event or an event that is
    not understood. No event of such a request is applied.
    """
    if not has_secret(request, secret):
        raise WebhookError(403)
    body = parsed(request.body)
    events = rows(body if isinstance(body, list) else [body])
    if not events or (isinstance(body, list) and len(events) != len(body)):
        raise WebhookError(400)
    return [_report(request, event) for event in events]


def _report(request: WebhookRequest, event: dict[str, Any]) -> Report:
    kind, answer, status = text(event.get("event")), text(event.get("answer")), text(event.get("status"))
    addressee = addressee_of(request, text(event.get("address")), sender=text(event.get("return_path")))
    newsletter = text(event.get("newsletter")) if kind == "unsubscribe" else ""
    if not addressee.address and not addressee.delivery_id:
        raise WebhookError(400)
    parts = [text(event.get(name)) for name in ("id", "at")]
    key = event_key("generic", kind, addressee.address, newsletter, *parts, *([] if any(parts) else [status, answer]))
    verdict = _EVENTS[kind] if kind in _EVENTS else _of_bounce(event, kind, status, answer)
    return report(verdict, addressee, key, status=status, words=answer, newsletter=newsletter)


def _of_bounce(event: dict[str, Any], kind: str, status: str, answer: str) -> Verdict:
    vote = _TYPES.get(text(event.get("type")), Verdict.NOTHING)
    if kind != "bounce" or vote is Verdict.NOTHING:
        raise WebhookError(400)
    return weigh(vote, status, answer) if vote else settled(status, answer)
