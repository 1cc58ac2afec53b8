"""Parsing of messages and forms that strangers wrote (RFC 2045, 2046), in linear time.

The email package parses a whole tree at once. For each line it asks every level of the tree whether the line ends it,
and a deep tree overruns the stack. Here the package reads only headers, and a body is divided on request, one level at
a time. How deep to go is up to the caller.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.message import Message
from email.parser import HeaderParser

BROKEN = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, MessageError)
"""What the email package raises for malformed headers, parameters and encodings."""

# How many characters are read of all headers together, and of one header with parameters. The package takes quadratic
# time for parameters.
_MOST_HEAD = 50_000
_MOST_PARAMETERS = 300
_WITH_PARAMETERS = ("content-type", "content-disposition", "content-transfer-encoding")

_LONGEST_BOUNDARY = 200  # the standard says 70

# The lines that the package reads as headers. They end at a blank line, or at any other line.
_HEAD = re.compile(r"(?:(?:From |[!-9;-~]*:|[ \t])[^\r\n]*(?:\r\n|\r|\n|\Z))*")
_LINE_BEGIN = re.compile(r"\A(?:\r\n|\r|\n)")


def head_and_body(text: str, kind: type[Message] = Message, most_head: int = _MOST_HEAD) -> tuple[Message, str]:
    """Return the headers of a message or of a part, as a message without a payload, and its body unchanged.

    text       the message, decoded as ASCII with surrogates (surrogateescape) for other bytes
    kind       the class of the message
    most_head  how many characters of headers are read
    """
    end = found.end() if (found := _HEAD.match(text)) else 0
    message = HeaderParser(kind).parsestr(text[: min(end, most_head)])
    for name in _WITH_PARAMETERS:
        if len(value := str(message.get(name, ""))) > _MOST_PARAMETERS:
            message.replace_header(name, value[:_MOST_PARAMETERS])
    return message, _LINE_BEGIN.sub("", text[end:])


def divided(message: Message, body: str, most: int) -> list[str]:
    """Return the text of each part of a multipart message's body, not divided further; no parts for any other message.

    The search stops after the given number of parts.
    """
    boundary = message.get_boundary() if message.get_content_maintype() == "multipart" else None
    if not boundary or len(boundary) > _LONGEST_BOUNDARY:
        return []
    # Searching a pattern that begins with fixed text is ten times as fast as one that begins with a line end.
    line = re.compile(rf"--{re.escape(boundary)}(--)?[ \t]*(?=[\r\n]|\Z)")
    parts: list[str] = []
    begin = -1
    for found in line.finditer(body):
        if found.start() and body[found.start() - 1] not in "\r\n":
            continue
        if begin >= 0 and (text := _between(body[begin : found.start()])) is not None:
            parts.append(text)
        begin = -1 if found[1] else found.end()
        if begin < 0 or len(parts) >= most:
            return parts
    return [*parts, _between(body[begin:]) or ""] if begin >= 0 else parts


def _between(text: str) -> str | None:
    """Return the text between two boundaries, without their line ends; None if there is not even one line between."""
    lines = _LINE_BEGIN.sub("", text)
    end = 2 if lines.endswith("\r\n") else int(lines.endswith(("\r", "\n")))
    return lines[: len(lines) - end] if lines else None
