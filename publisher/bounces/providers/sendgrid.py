"""Reads SendGrid's event webhook, which has an ECDSA signature of the timestamp and the body."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from publisher.bounces.providers.webhook_request import (
    WebhookError,
    WebhookRequest,
    addressee_of,
    event_key,
    parsed,
    report,
    rows,
    settled,
    text,
)
from publisher.bounces.verdict import status_in, weigh
from publisher.core.bounce_report import Report, Verdict

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_DROPPED = {
    "bounced address": Verdict.PERMANENT,
    "invalid": Verdict.PERMANENT,
    "spam reporting address": Verdict.COMPLAINT,
    "unsubscribed address": Verdict.UNSUBSCRIBED,
}
_UNSUBSCRIBES = ("unsubscribe", "group_unsubscribe")


def read_sendgrid(request: WebhookRequest, public_key: str) -> list[Report]:
    """Return the reports in a request, one for each event.

    Raises WebhookError with status 403 for an invalid signature, or 400 if there is no event. A repeated request does
    no harm, however old it is, because every event counts only once.
    """
    if not _is_signed(request, public_key):
        raise WebhookError(403)
    events = [event for event in rows(parsed(request.body)) if text(event.get("event"))]
    if not events:
        raise WebhookError(400)
    return [_report(request, event) for event in events]


def _is_signed(request: WebhookRequest, public_key: str) -> bool:
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
        signature = base64.b64decode(request.headers.get(SIGNATURE, ""), validate=True)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, request.headers.get(TIMESTAMP, "").encode("latin-1") + request.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError):
        return False
    return True


def _report(request: WebhookRequest, event: dict[str, Any]) -> Report:
    addressee = addressee_of(request, text(event.get("email")))
    status, words = text(event.get("status")), text(event.get("reason"))
    verdict = _verdict(event, status, words)
    key = event_key("sendgrid", text(event.get("sg_event_id")))
    return report(verdict, addressee, key, status=status, words=words)


def _verdict(event: dict[str, Any], status: str, words: str) -> Verdict:
    match text(event.get("event")):
        case "spamreport":
            return Verdict.COMPLAINT
        case kind if kind in _UNSUBSCRIBES:
            return Verdict.UNSUBSCRIBED
        case "dropped":
            return _DROPPED.get(words.lower(), Verdict.NOTHING)
        case "bounce" if text(event.get("type")) == "blocked":
            return Verdict.REFUSED
        case "bounce":
            known = status_in(status) or text(event.get("bounce_classification")) == "Invalid Address"
            return weigh(Verdict.PERMANENT, status, words) if known else settled(status, words)
    return Verdict.NOTHING  # SendGrid tries a "deferred" message again
