"""Reads Postmark's webhooks for bounces, complaints and changes of subscription, protected by a password of ours."""

from __future__ import annotations

from typing import Any

from publisher.bounces.providers.webhook_request import (
    WebhookError,
    WebhookRequest,
    addressee_of,
    event_in,
    event_key,
    has_secret,
    parsed,
    report,
    settled,
    text,
)
from publisher.bounces.verdict import weigh
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
    "Unsubscribe": Verdict.UNSUBSCRIBED,
}
# The reasons why Postmark has put an address on the suppression list of a stream.
_SUPPRESSED = {
    "HardBounce": Verdict.PERMANENT,
    "SpamComplaint": Verdict.COMPLAINT,
    "ManualSuppression": Verdict.UNSUBSCRIBED,
}
_UNDECIDED = ("Undetermined", "Unknown")


def read_postmark(request: WebhookRequest, secret: str) -> list[Report]:
    """Return the report in a request.

    The secret is the password of HTTP's basic authentication, with any user name, or the header X-Webhook-Secret.
    Raises WebhookError with status 403 if the request lacks the secret, or 400 if it has no event.
    """
    if not has_secret(request, secret):
        raise WebhookError(403)
    event = event_in(parsed(request.body), "Type", "RecordType")
    if text(event.get("RecordType")) == "SubscriptionChange":
        return [_subscription_change(request, event)]
    kind = text(event.get("Type")) or text(event.get("RecordType"))
    details = text(event.get("Details"))
    verdict = settled("", details) if kind in _UNDECIDED else _TYPES.get(kind, Verdict.NOTHING)
    addressee = addressee_of(request, text(event.get("Email")))
    key = event_key("postmark", text(event.get("ID")), kind, addressee.address)
    return [report(weigh(verdict, "", details), addressee, key, status=details, words=details)]


def _subscription_change(request: WebhookRequest, event: dict[str, Any]) -> Report:
    """Return the report of a change. An address that was removed from the list is not subscribed again."""
    reason, address = text(event.get("SuppressionReason")), text(event.get("Recipient"))
    verdict = _SUPPRESSED.get(reason, Verdict.NOTHING) if event.get("SuppressSending") is True else Verdict.NOTHING
    key = event_key("postmark", "change", address, text(event.get("ChangedAt")), reason)
    return report(verdict, addressee_of(request, address), key)
