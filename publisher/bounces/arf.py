"""Complaints of readers, as mailbox providers forward them (ARF, RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from publisher.bounces.parts import addresses_in, groups, header, headers, of_type, original

# What a reader means by "spam". `not-spam`, `virus`, `auth-failure` (RFC 6591) and what nobody registered
# are no complaint; RFC 5965, 3.1 has the unknown read as `other`.
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})

_TOKEN = re.compile(r"/unsubscribe/([A-Za-z0-9_.-]{1,500})")


def read_arf(message: Message) -> bool | None:
    """Return whether a report is a complaint; None for a message that is no such report."""
    part = of_type(message, "message/feedback-report")
    if part is None:
        return None
    kinds = [header(group, "Feedback-Type").lower() for group in groups(part)]
    return any(kind in COMPLAINTS for kind in kinds)


def return_addresses(message: Message) -> Iterator[str]:
    """Yield addresses to which the reported letter would have come back."""
    part = of_type(message, "message/feedback-report")
    for group in groups(part) if part is not None else []:
        for value in headers(group, "Original-Mail-From"):
            yield from addresses_in(value)
    letter = original(message)
    if letter is not None:
        for value in headers(letter, "Return-Path", "X-Original-Return-Path"):
            yield from addresses_in(value)


def unsubscribe_tokens(message: Message) -> Iterator[str]:
    """Yield the tokens of the reported letter's List-Unsubscribe."""
    letter = original(message)
    if letter is not None:
        for value in headers(letter, "List-Unsubscribe"):
            yield from _TOKEN.findall(value)
