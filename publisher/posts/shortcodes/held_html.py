"""HTML that tags made, which is kept out of Markdown: a mark takes its place until the body is converted to HTML.

Markdown would end a block of HTML at a blank line, and read indented lines as code. Text between two pieces of kept
HTML stays in the body, and is still Markdown.
"""

from __future__ import annotations

import re
from html import escape

from publisher.core import patterns

# A number written in control characters between two others, none of which occur in a body otherwise (see tex).
_SIGN = "\x08"
_DIGITS = {ord(str(digit)): chr(0x0E + digit) for digit in range(10)}
_NUMBERS = {0x0E + digit: str(digit) for digit in range(10)}
_PLACE = f"{_SIGN}([\x0e-\x17]{{1,7}}){_SIGN}"
# A comment is a block of HTML that ends on its own line, so that Markdown can follow on the next. Where HTML is shown
# as text, it is escaped.
_HELD = patterns.compile(rf"(?:<!--|&lt;!--){_PLACE}(?:-->|--&gt;)|{_PLACE}")
_ALONE = patterns.compile(rf"<p>(){_PLACE}</p>")
_PARAGRAPH = patterns.compile(r"<p>[^<]*+(?:<(?!/?p>)[^<]*+)*+</p>")
# Elements that contain words rather than blocks.
_CLOSES_WORDS = patterns.compile(r"</(?:p|h[1-6]|summary|figcaption|dt|caption)\b", re.IGNORECASE)
_OPENS_WORDS = patterns.compile(
    r"<(?:p|h[1-6]|summary|figcaption|dt|caption)\b[^<>]{0,500}>[^<]{0,500}\Z", re.IGNORECASE
)
_EMPTY_PARAGRAPH = patterns.compile(r"<p>\s*+</p>\n?")
# An element that the writer wrote, with a tag in one of its attributes.
_TAG_WITH = patterns.compile(rf"<[a-zA-Z][^<>{_SIGN}]*+{_SIGN}[^<>]*+>")
_TAG = patterns.compile(r"<[^<>]*+>")
_BLOCK = patterns.compile(
    r"\s*+</?(?:address|article|aside|blockquote|center|details|dialog|dd|div|dl|dt|fieldset|figcaption|figure|footer|form"
    r"|h[1-6]|header|hr|iframe|li|main|nav|ol|p|pre|script|section|style|summary|table|tbody|td|th|thead|tr|ul|video|audio)\b",
    re.IGNORECASE,
)


class HeldHtml:
    """The pieces of HTML that are kept out of one body."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def hold(self, html: str, *, alone: bool) -> str:
        """Keep a piece of HTML, and return the mark for its place. alone: whether it has a line of its own."""
        if not html.strip():
            return ""
        self._pieces.append(html.strip() if alone and is_block(html) else html)
        sign = f"{_SIGN}{str(len(self._pieces) - 1).translate(_DIGITS)}{_SIGN}"
        return f"<!--{sign}-->" if alone and is_block(html) else sign

    def put_back(self, html: str) -> str:
        """Return the HTML of the body with all pieces put back."""
        if not self._pieces or _SIGN not in html:
            return html
        html = _TAG_WITH.sub(lambda tag: _HELD.sub(self._words, tag[0]), html)
        html = _PARAGRAPH.sub(self._parted, html)
        return _HELD.sub(self._of, html)

    def in_lines(self, text: str) -> str:
        """Return a text with all pieces in place of their marks, but no more lines than before."""
        if not self._pieces or _SIGN not in text:
            return text
        return _HELD.sub(lambda found: self._of(found).replace("\n", " "), text)

    def _parted(self, found: re.Match[str]) -> str:
        """Return a paragraph that is split at each block in it."""
        paragraph = found[0]
        if _SIGN not in paragraph:
            return paragraph
        if (alone := _ALONE.fullmatch(paragraph)) and is_block(self._of(alone)):
            return alone[0][3:-4]
        return _EMPTY_PARAGRAPH.sub("", _HELD.sub(self._parting, paragraph))

    def _parting(self, found: re.Match[str]) -> str:
        piece = self._of(found)
        if not is_block(piece) or piece.startswith("<iframe"):
            return found[0]
        before = "" if _CLOSES_WORDS.match(piece) else "</p>\n"
        return f"{before}{found[0]}{'' if _OPENS_WORDS.search(piece) else chr(10) + '<p>'}"

    def _words(self, found: re.Match[str]) -> str:
        return escape(_TAG.sub("", self._of(found)).strip())

    def _of(self, found: re.Match[str]) -> str:
        number = int((found[1] or found[2]).translate(_NUMBERS))
        return self._pieces[number] if number < len(self._pieces) else ""


def is_block(html: str) -> bool:
    """Return whether a piece of HTML is a block of its own, rather than words of a paragraph."""
    return _BLOCK.match(html) is not None
