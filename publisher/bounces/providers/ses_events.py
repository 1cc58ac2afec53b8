"""What Amazon SES tells inside a message of SNS: notifications, and events of a configuration set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from publisher.bounces.arf import COMPLAINTS
from publisher.bounces.providers.events import milder, report, settled, whose
from publisher.bounces.providers.requests import Call, event_key, rows, table, text
from publisher.core.bounce_report import Report, Verdict, Whose

KINDS = ("notificationType", "eventType")
"""Where an event says what it is: of a notification, and of a configuration set."""

_REFUSED = ("ContentRejected", "AttachmentRejected", "MessageTooLarge")


def read_event(call: Call, event: dict[str, Any]) -> list[Report]:
    """Return one report for each recipient of a bounce or a complaint; none for anything else."""
    kind = next((kind for name in KINDS if (kind := text(event.get(name)))), "")
    if kind == "Bounce":
        return list(_bounces(call, event, table(event.get("bounce"))))
    if kind == "Complaint":
        return list(_complaints(call, event, table(event.get("complaint"))))
    return []


def _bounces(call: Call, event: dict[str, Any], bounce: dict[str, Any]) -> Iterator[Report]:
    kind, detail = text(bounce.get("bounceType")), text(bounce.get("bounceSubType"))
    said = Verdict.PERMANENT if kind == "Permanent" else Verdict.TEMPORARY
    if detail in _REFUSED:
        said = Verdict.REFUSED
    for each in rows(bounce.get("bouncedRecipients")):
        address, words = text(each.get("emailAddress")), text(each.get("diagnosticCode"))
        status = text(each.get("status"))
        key = event_key("ses", text(bounce.get("feedbackId")), address)
        undecided = kind == "Undetermined" and said is Verdict.TEMPORARY
        verdict = settled(status, words) if undecided else milder(said, status, words)
        yield report(verdict, _whose(call, event, address), key, status=status or words, words=words)


def _complaints(call: Call, event: dict[str, Any], complaint: dict[str, Any]) -> Iterator[Report]:
    kind = text(complaint.get("complaintFeedbackType")).lower()
    verdict = Verdict.COMPLAINT if not kind or kind in COMPLAINTS else Verdict.NOTHING
    for each in rows(complaint.get("complainedRecipients")):
        address = text(each.get("emailAddress"))
        key = event_key("ses", text(complaint.get("feedbackId")), address)
        yield report(verdict, _whose(call, event, address), key)


def _whose(call: Call, event: dict[str, Any], address: str) -> Whose:
    mail = table(event.get("mail"))
    headers = [row for row in rows(mail.get("headers")) if text(row.get("name")).lower() == "list-unsubscribe"]
    links = [text(row.get("value")) for row in headers]
    return whose(call, address, sender=text(mail.get("source")), unsubscribe=links)
