"""Reads spam complaints that mailbox providers forward: ARF (RFC 5965), and Microsoft's older reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from publisher.bounces.parts import addresses_in, groups, header, headers, of_type, original, outer_parts, source_of

# Types of feedback that can come from a person who presses "spam". `not-spam`, `virus`, `auth-failure` (RFC 6591) and
# unregistered types are not complaints; by RFC 5965, 3.1, unknown types are treated as `other`.
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})

UNSUBSCRIBE_TOKEN = re.compile(r"/unsubscribe/([A-Za-z0-9_.-]{1,500})")


_MOST_TOKENS = 20

# Microsoft's Junk Mail Reporting Program forwards the message with such a subject, or with such a header in it.
_MICROSOFTS = re.compile(r"complaint about message from\b", re.IGNORECASE)
_MICROSOFTS_HEADER = "X-HmXmrOriginalRecipient"


def read_arf(message: Message) -> bool | None:
    """Return True for a complaint, False for a feedback report of another kind, and None for any other message."""
    part = of_type(message, "message/feedback-report")
    if part is not None:
        kinds = [header(group, "Feedback-Type").lower() for group in groups(part)]
        return any(kind in COMPLAINTS for kind in kinds)
    if str(message.get_param("report-type", "")).lower() == "feedback-report":
        return True  # the type of feedback was lost on the way
    reported = original(message)
    if reported is None:
        return None
    marked = any(header(each, _MICROSOFTS_HEADER) for each in (message, reported))
    return True if marked or _MICROSOFTS.match(header(message, "Subject")) else None


def return_addresses(message: Message) -> Iterator[str]:
    """Yield the return addresses of the reported message, to which it would have bounced."""
    part = of_type(message, "message/feedback-report")
    for group in groups(part) if part is not None else []:
        for value in headers(group, "Original-Mail-From"):
            yield from addresses_in(value)
    reported = original(message)
    if reported is not None:
        for value in headers(reported, "Return-Path", "X-Original-Return-Path"):
            yield from addresses_in(value)


def unsubscribe_tokens(message: Message) -> Iterator[str]:
    """Yield the tokens in the List-Unsubscribe header of the reported message, or else in the links of its text."""
    reported = original(message)
    if reported is None:
        return
    found = [each for value in headers(reported, "List-Unsubscribe") for each in UNSUBSCRIBE_TOKEN.findall(value)]
    texts = (source_of(part) for part in outer_parts(reported) if part.get_content_maintype() == "text")
    found = found or [each for text in texts for each in UNSUBSCRIBE_TOKEN.findall(text)]
    yield from found[:_MOST_TOKENS]
