"""Reads the parts and headers of untrusted messages, whatever encoding the parts have.

core.mime splits messages into parts. Attached messages and reports are left as received until they are decoded.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from email.message import Message

from publisher.core.mime import divided, head_and_body

MOST_TEXT = 50_000
_MOST_PARTS = 100
_MOST_LEVELS = 10  # of nested multiparts: real reports have four, because mailing lists and virus scanners wrap them
_MOST_GROUPS = 500

_SEPARATORS = re.compile(r"[\s<>\"',;]+")
_BLANK_LINES = re.compile(r"\n(?:[ \t]{0,100}\n)+")

# In HTML: the tags around invisible text, those that end a line, and all others.
_NO_TEXT = re.compile(r"<(/?)(?:style|script|head|title)\b[^<>]{0,2000}>|<!--|-->", re.IGNORECASE)
_LINE_TAG = re.compile(r"</?(?:p|br|div|tr|td|th|li|h[1-6]|table|ul|ol|pre|hr)\b[^<>]{0,2000}>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")

# Charsets besides UTF-8 that are decoded, by the beginning of their Python name. Others may take quadratic time.
_CHARSETS = ("utf", "iso8859", "cp", "koi8", "mac", "gb", "big5", "euc", "shift", "iso2022", "ascii")


class UndividedMessage(Message):
    """A message whose parts of the types message/* are read as text."""

    def get_content_type(self) -> str:
        """Return text/plain for all types message/*. `type_of` returns the true type."""
        found = super().get_content_type()
        return "text/plain" if found.startswith("message/") else found


def parse_report(data: bytes) -> Message:
    """Parse a message, but not the messages and reports that are attached to it.

    Parts that are nested too deeply, or come after too many others, are not divided, so that the time is linear.
    """
    return _tree(data.decode("ascii", "surrogateescape"), _MOST_LEVELS, iter(range(_MOST_PARTS)))


def _tree(text: str, levels: int, places: Iterator[int]) -> Message:
    """Return a message with its parts. places: has an item for each allowed part, and is shared by the whole tree."""
    message, body = head_and_body(text, UndividedMessage)
    message.set_payload(body)
    if levels and (texts := divided(message, body, _MOST_PARTS)):
        parts = [_tree(each, levels - 1, places) for each, _ in zip(texts, places, strict=False)]
        for part in parts if type_of(message) == "multipart/digest" else []:
            part.set_default_type("message/rfc822")
        message.set_payload([*parts])
    return message


def type_of(part: Message) -> str:
    """Return the content type of a part, in lower case."""
    return Message.get_content_type(part)


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
    return next((part for part in outer_parts(message) if type_of(part) in types), None)


def groups(part: Message) -> list[Message]:
    """Return the groups of fields in a part of a report, each as a message with only headers."""
    texts = _BLANK_LINES.split(_decoded(part).strip(), _MOST_GROUPS)[:_MOST_GROUPS]
    return [head_and_body(group)[0] for group in texts if group.strip()]


def source_of(part: Message) -> str:
    """Return the first MOST_TEXT characters of a part, decoded; HTML keeps its tags."""
    return _decoded(part)[:MOST_TEXT]


def text_of(part: Message) -> str:
    """Return the first MOST_TEXT characters of a part, decoded; of HTML only the text, one block per line."""
    text = source_of(part)
    if type_of(part) != "text/html":
        return text
    return html.unescape(_TAG.sub("", _LINE_TAG.sub("\n", _shown_html(text)))).replace("\xa0", " ")


def _shown_html(text: str) -> str:
    """Return HTML without styles, scripts and comments."""
    shown, hidden, begins = [], False, 0
    for tag in _NO_TEXT.finditer(text):
        if not hidden:
            shown.append(text[begins : tag.start()])
        hidden = tag[0] != "-->" and not tag[1]
        begins = tag.end()
    return " ".join([*shown, "" if hidden else text[begins:]])


def original(message: Message) -> Message | None:
    """Return the message that a report encloses, or only its headers; None if it encloses neither."""
    part = of_type(message, "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
    if part is None:
        return None
    return parse_report(_decoded(part).lstrip("\n").encode("utf-8", "surrogateescape"))


def _decoded(part: Message) -> str:
    """Return the beginning of a part as text: without its transfer encoding, and with LF as line ends."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return _text(content[: 4 * MOST_TEXT], str(part.get_content_charset() or "")).replace("\r\n", "\n")


def _text(content: bytes, charset: str) -> str:
    """Decode as UTF-8, which most parts use whatever they declare; otherwise use the declared charset."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if content and (not text or "\x00" in text):
        text = content.decode(_known(charset), "replace")
    return text


def _known(charset: str) -> str:
    try:
        name = codecs.lookup(charset[:40]).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if name.startswith(_CHARSETS) else "utf-8"
