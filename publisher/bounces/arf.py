"""Reads complaints of spam that mailbox providers forward (ARF, RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from publisher.bounces.parts import addresses_in, groups, header, headers, of_type, original

# Types of feedback that can come from a person who presses "spam". `not-spam`, `virus`, `auth-failure` (RFC 6591) and
# unregistered types are not complaints; by RFC 5965, 3.1, unknown types are treated as `other`.
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})

UNSUBSCRIBE_TOKEN = re.compile(r"/unsubscribe/([A-Za-z0-9_.-]{1,500})")


def read_arf(message: Message) -> bool | None:
    """Return whether a report is a complaint; None for a message that isn't a feedback report."""
    part = of_type(message, "message/feedback-report")
    if part is None:
        return None
    kinds = [header(group, "Feedback-Type").lower() for group in groups(part)]
    return any(kind in COMPLAINTS for kind in kinds)


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
    """Yield the tokens in the List-Unsubscribe header of the reported message."""
    reported = original(message)
    if reported is not None:
        for value in headers(reported, "List-Unsubscribe"):
            yield from UNSUBSCRIBE_TOKEN.findall(value)
