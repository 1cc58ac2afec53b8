"""The fate of the tags in a text: which of them are text now, and which were removed, with the words in them.

lone_tags decides about each tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from publisher.core import patterns

# Words have none of these characters, unlike scripts and styles.
CODE = patterns.compile(r"[;{}()=\[\]<>\\#$+*|&]")
LETTER = patterns.compile(r"[^\W\d_]")
_TAG = patterns.compile(r"<[^<>]*+>")
# Parts that do not count as words of an element: code; in a drawing, its description and the HTML that stays when it is
# removed.
_APART = patterns.compile(r"<(style|script)\b.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_APART_IN_DRAWING = patterns.compile(
    r"<(title|desc|metadata|foreignObject(?=[^<>]*+>\s*+<))\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
# How far before a title the head of a pasted document may begin, and how many characters of some words are quoted.
_HEAD, _SHORT = 2_000, 60


class ShownTag(NamedTuple):
    """A tag that is shown as text.

    text      the tag as it is written
    why       the reason, as the end of a sentence
    number    how many tags with the same text come before it
    in_block  whether it is in a block of HTML rather than a sentence
    line      its line in the body, from 1; 0 if it is not known
    words     the beginning of the words that were removed with it
    """

    text: str
    why: str
    number: int = 0
    in_block: bool = False
    line: int = 0
    words: str = ""

    @property
    def short(self) -> str:
        """The tag in at most 40 characters."""
        words = " ".join(self.text.split())
        return words if len(words) <= 40 else f"{words[:39]}…"

    @property
    def loses_text(self) -> bool:
        """Whether the words that were removed are text for readers. A single word may be a script."""
        is_script = self.why in ("script", "style") and self.words.isascii() and " " not in self.words
        return self.words != "" and not is_script


class Hidden(NamedTuple):
    """A comment that is never closed: how many words it hides, and the beginning of its text."""

    words: int
    text: str


@dataclass
class SettledHtml:
    """HTML in which every tag that hides text is closed.

    shown    the tags that became text
    hidden   the comments that are never closed, which were removed
    removed  the tags of elements that were removed, with their names in place of a reason: the first of each name, and
             all those with words in them
    """

    html: str
    shown: list[ShownTag] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    removed: list[ShownTag] = field(default_factory=list)

    def place(self, line_of: Callable[[int], int]) -> None:
        """Replace the line of each tag by the line that a function returns for it."""
        self.shown = [tag._replace(line=line_of(tag.line)) for tag in self.shown]
        self.removed = [tag._replace(line=line_of(tag.line)) for tag in self.removed]


def removed_words(name: str, raw: str, start: int, end: int) -> str:
    """Return the beginning of the words that readers lose with an element; "" if it has none.

    Code does not count as words, nor does the title of a document that was pasted as a whole.

    start, end  the offsets of the element's content
    """
    inside = raw[start:end]
    if name in ("script", "style"):
        inside = "" if CODE.search(inside) else inside
    elif name == "svg":
        inside = _APART_IN_DRAWING.sub(" ", inside)
    elif name == "textarea" or (name == "title" and "<head" in raw[max(0, start - _HEAD) : start].lower()):
        inside = ""
    words = " ".join(_TAG.sub(" ", _APART.sub(" ", inside)).split())
    return words[:_SHORT] if LETTER.search(words) else ""


def kept_text(name: str, raw: str, start: int, end: int) -> str:
    """Return the HTML for an element that is not allowed: the text of a <textarea>, or nothing for others."""
    text = raw[start:end].replace("<", "&lt;").replace(">", "&gt;")
    return f"<pre>{text}</pre>" if name == "textarea" and text.strip() else ""
