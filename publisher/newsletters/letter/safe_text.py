"""Making text from outside harmless for a letter: no control characters, and nothing that looks like a mark.

A mark is replaced by a recipient's own value when a message is made. A post that happens to hold the same
characters (this project's own documentation would) must reach its readers unchanged to the eye, and must
never be replaced.
"""

from __future__ import annotations

import re

MARK_OPENING = "@@publisher-"
_WORD_JOINER = "\u2060"  # invisible, and keeps the two signs on one line
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return text without the characters that HTML, headers or UTF-8 cannot carry."""
    return _UNWANTED.sub("", text)


def without_marks(text: str) -> str:
    """Return text that is clean and holds no mark; nothing that is seen changes."""
    return clean(text).replace(MARK_OPENING, f"@{_WORD_JOINER}{MARK_OPENING[1:]}")


def one_line(text: str) -> str:
    """Return plain text as one line, for a subject, a title or a name."""
    return " ".join(without_marks(text).split())


def safe_url(url: str) -> str:
    """Return a URL that is clean, holds no mark and leads to the same place."""
    return clean(url).strip().replace(MARK_OPENING, MARK_OPENING.replace("@", "%40"))
