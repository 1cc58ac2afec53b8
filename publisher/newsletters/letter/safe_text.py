"""Makes text from outside harmless for a letter: removes control characters, and disarms marks.

A mark is replaced by a subscriber's own value when a message is composed. If a post happens to contain the characters
of a mark, as this project's documentation does, they must look unchanged and must never be replaced. All text that goes
into a letter passes through this module.
"""

from __future__ import annotations

import re

MARK_OPENING = "@@publisher-"
_WORD_JOINER = "\u2060"  # invisible, and prevents a line break
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return text without the characters that are not allowed in HTML, headers or UTF-8."""
    return _UNWANTED.sub("", text)


def without_marks(text: str) -> str:
    """Return clean text in which marks are disarmed; it looks the same as before."""
    return clean(text).replace(MARK_OPENING, f"@{_WORD_JOINER}{MARK_OPENING[1:]}")


def one_line(text: str) -> str:
    """Return clean text without marks on one line, for a subject, a title or a name."""
    return " ".join(without_marks(text).split())


def safe_url(url: str) -> str:
    """Return a URL that is clean, contains no mark and leads to the same page."""
    return clean(url).strip().replace(MARK_OPENING, MARK_OPENING.replace("@", "%40"))
