"""SendGrid's event webhook, signed by ECDSA over the timestamp and the bytes of the body."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from publisher.bounces.providers.events import milder, report, settled, whose
from publisher.bounces.providers.requests import Call, CallError, event_key, parsed, rows, text
from publisher.bounces.status import status_in
from publisher.core.bounce_report import Report, Verdict

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_DROPPED = {
    "bounced address": Verdict.PERMANENT,
    "invalid": Verdict.PERMANENT,
    "spam reporting address": Verdict.COMPLAINT,
}


def read_sendgrid(call: Call, public_key: str) -> list[Report]:
    """Return what a call reports, one report an event. Raises CallError: 403 for a false signature, 400 where
    it holds no event.

    A call that is repeated does no harm, however old it is: every event counts once.
    """
    if not _is_signed(call, public_key):
        raise CallError(403)
    events = [event for event in rows(parsed(call.body)) if text(event.get("event"))]
    if not events:
        raise CallError(400)
    return [_report(call, event) for event in events]


def _is_signed(call: Call, public_key: str) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
        signature = base64.b64decode(call.headers.get(SIGNATURE, ""), validate=True)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, call.headers.get(TIMESTAMP, "").encode("latin-1") + call.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError):
        return False
    return True


def _report(call: Call, event: dict[str, Any]) -> Report:
    found = whose(call, text(event.get("email")))
    status, words = text(event.get("status")), text(event.get("reason"))
    verdict = milder(_verdict(event), status, words)
    key = event_key("sendgrid", text(event.get("sg_event_id")))
    return report(verdict, found, key, status=status, words=words)


def _verdict(event: dict[str, Any]) -> Verdict:
    match text(event.get("event")):
        case "spamreport":
            return Verdict.COMPLAINT
        case "dropped":
            return _DROPPED.get(text(event.get("reason")).lower(), Verdict.NOTHING)
        case "bounce" if text(event.get("type")) == "blocked":
            return Verdict.REFUSED
        case "bounce":
            status, words = text(event.get("status")), text(event.get("reason"))
            known = status_in(status) or text(event.get("bounce_classification")) == "Invalid Address"
            return Verdict.PERMANENT if known else settled(status, words)
    return Verdict.NOTHING  # "deferred" is tried again
