"""Postmark's bounce and spam complaint webhooks: JSON, behind a password that we choose."""

from __future__ import annotations

import base64
import binascii

from publisher.bounces.providers.events import milder, report, settled, whose
from publisher.bounces.providers.requests import Call, CallError, event_in, event_key, parsed, same, text
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


def read_postmark(call: Call, secret: str) -> list[Report]:
    """Return what a call reports. Raises CallError: 403 without the secret, 400 for what is no event.

    The secret is the password of HTTP's basic authentication, whatever the user, or X-Webhook-Secret.
    """
    if not any(same(said, secret) for said in (_password(call), call.headers.get("x-webhook-secret", ""))):
        raise CallError(403)
    event = event_in(parsed(call.body), "Type", "RecordType")
    kind = text(event.get("Type")) or text(event.get("RecordType"))
    details = text(event.get("Details"))
    verdict = settled("", details) if kind in _UNDECIDED else _TYPES.get(kind, Verdict.NOTHING)
    found = whose(call, text(event.get("Email")))
    key = event_key("postmark", text(event.get("ID")), kind, found.address)
    return [report(milder(verdict, "", details), found, key, status=details, words=details)]


def _password(call: Call) -> str:
    kind, _, coded = call.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(coded.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
