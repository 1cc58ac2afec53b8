"""Reads the parts and headers of untrusted messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_string
from email.message import Message

MOST_TEXT = 50_000
_MOST_PARTS = 100

_SEPARATORS = re.compile(r"[\s<>\"',;]+")


def header(part: Message, name: str) -> str:
    """Return the first value of a header on one line; "" if it is missing."""
    return " ".join(str(part.get(name, "")).split())


def headers(part: Message, *names: str) -> Iterator[str]:
    """Yield every value of the named headers, in the order of the names."""
    for name in names:
        yield from (" ".join(str(value).split()) for value in part.get_all(name, []))


def addresses_in(value: str) -> Iterator[str]:
    """Yield the words of a header that may be email addresses, in linear time."""
    yield from (word for word in _SEPARATORS.split(value) if "@" in word)


def outer_parts(message: Message) -> Iterator[Message]:
    """Yield the parts of a message, except those of attached messages, which do not belong to the report."""
    pending, seen = [message], 0
    while pending and seen < _MOST_PARTS:
        part = pending.pop(0)
        seen += 1
        yield part
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            pending[:0] = [each for each in inner if isinstance(each, Message)]


def of_type(message: Message, *types: str) -> Message | None:
    """Return the first outer part with one of the content types, or None."""
    return next((part for part in outer_parts(message) if part.get_content_type() in types), None)


def groups(part: Message) -> list[Message]:
    """Return the groups of fields in a message/* part, each as a message with only headers."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return [each for each in inner if isinstance(each, Message)]
    return _parsed(_decoded(part))


def text_of(part: Message) -> str:
    """Return the first MOST_TEXT characters of a part, decoded as UTF-8 whatever charset it declares."""
    return _decoded(part)[:MOST_TEXT]


def original(message: Message) -> Message | None:
    """Return the message that a report encloses, or only its headers; None if it encloses neither."""
    part = of_type(message, "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
    if part is None:
        return None
    found = groups(part)
    return found[0] if found else None


def _parsed(text: str) -> list[Message]:
    return [message_from_string(group) for group in text.strip().split("\n\n") if group.strip()]


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return content[: 4 * MOST_TEXT].decode("utf-8", "replace").replace("\r\n", "\n")
