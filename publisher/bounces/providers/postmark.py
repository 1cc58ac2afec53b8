"""Reads Postmark's webhooks for bounces and spam complaints: JSON, protected by a password of the owner's choice."""

from __future__ import annotations

import base64
import binascii

from publisher.bounces.providers.webhook import (
    WebhookError,
    WebhookRequest,
    addressee_of,
    event_in,
    event_key,
    milder,
    parsed,
    report,
    same,
    settled,
    text,
)
from publisher.core.bounce_report import Report, Verdict

_TYPES = {
    "HardBounce": Verdict.PERMANENT,
    "BadEmailAddress": Verdict.PERMANENT,
    "Transient": Verdict.TEMPORARY,
    "SoftBounce": Verdict.TEMPORARY,
    "DnsError": Verdict.TEMPORARY,
    "Blocked": Verdict.REFUSED,
    "SpamNotification": Verdict.REFUSED,
    "VirusNotification": Verdict.REFUSED,
    "DMARCPolicy": Verdict.REFUSED,
    "SpamComplaint": Verdict.COMPLAINT,
}
_UNDECIDED = ("Undetermined", "Unknown")


def read_postmark(request: WebhookRequest, secret: str) -> list[Report]:
    """Return the report in a request.

    The secret is the password of HTTP's basic authentication, with any user name, or the header X-Webhook-Secret.
    Raises WebhookError with status 403 without the secret, or 400 if there is no event.
    """
    given = (_password(request), request.headers.get("x-webhook-secret", ""))
    if not any(same(each, secret) for each in given):
        raise WebhookError(403)
    event = event_in(parsed(request.body), "Type", "RecordType")
    kind = text(event.get("Type")) or text(event.get("RecordType"))
    details = text(event.get("Details"))
    verdict = settled("", details) if kind in _UNDECIDED else _TYPES.get(kind, Verdict.NOTHING)
    addressee = addressee_of(request, text(event.get("Email")))
    key = event_key("postmark", text(event.get("ID")), kind, addressee.address)
    return [report(milder(verdict, "", details), addressee, key, status=details, words=details)]


def _password(request: WebhookRequest) -> str:
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(coded.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
