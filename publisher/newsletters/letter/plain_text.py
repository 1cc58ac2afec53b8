"""The HTML of a post or an intro as plain text that is pleasant to read: wrapped, with its links at its end.

Written here, on lxml's tree; docs/decisions/0005-letters.md says why no library does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from publisher.newsletters.letter import sanitise as defuse
from publisher.newsletters.letter.body import parse
from publisher.newsletters.letter.media import MEDIA_CLASS
from publisher.newsletters.letter.strings import Words
from publisher.newsletters.letter.tables import Cell, table_lines
from publisher.newsletters.letter.wrap import WIDTH, columns, indent, wrap

Block = list[str]
Links = Literal["end", "inline"]
Element = Any  # lxml ships no types

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr b bdi bdo br cite code del dfn em i img ins kbd mark q s samp small "
        "span strong sub sup time u var wbr ruby rt rp strike tt data",
    )
)


def text_of(html: str, words: Words, width: int = WIDTH, links: Links = "end") -> str:
    """Return the HTML that mail_body made as lines of at most `width` columns.

    links  where the address of a link stands that is more than its own address: numbered below the text, or
           in angle brackets behind it (RFC 3986, appendix C)
    Only what cannot be broken is longer than a line: an address, a line of code.
    """
    if not html.strip():
        return ""
    reading = _Reading(words, links)
    blocks = reading.blocks(parse(html), width)
    if reading.links:
        blocks.append([f"[{number}] {link}" for number, link in enumerate(reading.links, 1)])
    return defuse.plain("\n\n".join("\n".join(block) for block in blocks if block))


def underlined(title: str, sign: str, width: int = WIDTH) -> list[str]:
    """Return a heading as its wrapped lines and a line below them."""
    lines = wrap(title, width)
    return [*lines, sign * max((columns(line) for line in lines), default=0)] if lines else []


class _Reading:
    """One walk through a fragment; it numbers the links as it meets them."""

    def __init__(self, words: Words, where: Links) -> None:
        self.words = words
        self.where = where
        self.links: list[str] = []  # those that stand at the end

    def blocks(self, element: Element, width: int) -> list[Block]:
        """Return what an element holds as blocks, which blank lines will part."""
        found: list[Block] = []
        run = _spaced(element.text)
        for child in element:
            if _is_inline(child):
                run += self.inline(child)
            else:
                found += [_paragraph(run, width)]
                found += _BLOCKS.get(child.tag, _Reading.blocks)(self, child, width)
                run = ""
            run += _spaced(child.tail)
        found += [_paragraph(run, width)]
        return [block for block in found if block]

    def inline(self, element: Element) -> str:
        """Return an inline element as text, in which a line feed is a forced break."""
        if element.tag == "br":
            return "\n"
        if element.tag == "img":
            alt = _spaced(element.get("alt")).strip()
            return f"[{self.words.picture.format(alt=alt)}]" if alt else ""
        text = _spaced(element.text)
        for child in element:
            text += self.inline(child) + _spaced(child.tail)
        if element.tag == "a":
            return self.link(text, element.get("href", ""))
        if element.tag == "code":
            return f"`{text}`"
        if element.tag == "sup" and text.strip().isdecimal():
            return text.strip().translate(_SUPERSCRIPT)
        return text

    def link(self, text: str, href: str) -> str:
        """Return a link's text with its address or number, or the address alone where that is its text."""
        bare = href.removeprefix("mailto:").removeprefix("tel:")
        shown = text.strip()
        if not shown or not href:
            return text
        if shown in (href, bare) or f"http://{shown}" == href or f"https://{shown}" == href:
            return bare
        if shown.isdecimal() and "#fn" in href:
            return shown  # a note's sign; the note stands below
        if self.where == "inline":
            return f"{text.rstrip()} <{href}>"
        if href not in self.links:
            self.links.append(href)
        return f"{text.rstrip()} [{self.links.index(href) + 1}]"

    def heading(self, element: Element, width: int) -> list[Block]:
        return [underlined(" ".join(self.inline_content(element).split()), "-", width)]

    def inline_content(self, element: Element) -> str:
        text = _spaced(element.text)
        for child in element:
            text += self.inline(child) + _spaced(child.tail)
        return text

    def unordered(self, element: Element, width: int) -> list[Block]:
        return self.items(element, width, lambda number: "- ")

    def ordered(self, element: Element, width: int) -> list[Block]:
        start = int(element.get("start")) if re.fullmatch(r"\d{1,6}", element.get("start", "")) else 1
        return self.items(element, width, lambda number: f"{start + number}. ")

    def items(self, element: Element, width: int, sign: Callable[[int], str]) -> list[Block]:
        entries = []
        for number, child in enumerate(child for child in element if child.tag == "li"):
            bullet = sign(number)
            blocks = self.blocks(child, width - len(bullet))
            entries.append(indent(_joined(blocks, tight=_is_tight(child)), bullet, " " * len(bullet)))
        if all(_is_tight(child) for child in element):
            return [[line for entry in entries for line in entry]]
        return entries

    def quotation(self, element: Element, width: int) -> list[Block]:
        return [indent(_joined(self.blocks(element, width - 2)), "> ", "> ")]

    def code(self, element: Element, width: int) -> list[Block]:
        lines = element.text_content().strip("\n").split("\n")
        return [[f"    {line}".rstrip() for line in lines]]

    def table(self, element: Element, width: int) -> list[Block]:
        rows = [[self.cell(cell) for cell in row if cell.tag in ("td", "th")] for row in element.iter("tr")]
        head = element.find(".//thead") is not None
        captions = [block for caption in element.iter("caption") for block in self.blocks(caption, width)]
        return [*captions, table_lines(rows, head, width)]

    def cell(self, element: Element) -> Cell:
        endless = 100_000  # a cell is wrapped when the widths of its table are known
        lines = [line for block in self.blocks(element, endless) for line in block]
        return [line for line in lines if line]

    def rule(self, element: Element, width: int) -> list[Block]:
        return [["* * *"]]

    def definitions(self, element: Element, width: int) -> list[Block]:
        lines: list[str] = []
        for child in element:
            inner = _joined(self.blocks(child, width - 4))
            lines += inner if child.tag == "dt" else indent(inner, "    ", "    ")
        return [lines]

    def recording(self, element: Element, width: int) -> list[Block]:
        """The link in the place of a video, a recording or an embedded page."""
        return [_paragraph(self.link(_spaced(element.text_content()), element.get("href", "")), width)]

    def notes(self, element: Element, width: int) -> list[Block]:
        """A <div>: the notes at the foot of a post stand below a short rule."""
        rule = [["-" * 12]] if element.get("class") == "notes" else []
        return rule + self.blocks(element, width)


_BLOCKS: dict[str, Callable[[_Reading, Element, int], list[Block]]] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _Reading.heading),
    "ul": _Reading.unordered,
    "ol": _Reading.ordered,
    "blockquote": _Reading.quotation,
    "pre": _Reading.code,
    "table": _Reading.table,
    "hr": _Reading.rule,
    "dl": _Reading.definitions,
    "div": _Reading.notes,
    "a": _Reading.recording,
}


def _spaced(text: str | None) -> str:
    return re.sub(r"[ \t\r\n\f]+", " ", text or "")


def _is_inline(element: Element) -> bool:
    return element.get("class") != MEDIA_CLASS and all(part.tag in _INLINE for part in element.iter())


def _paragraph(text: str, width: int) -> Block:
    return [line for part in text.split("\n") for line in wrap(part, width)]


def _is_tight(item: Element) -> bool:
    return not any(child.tag in ("p", "pre", "blockquote", "table", "div") for child in item)


def _joined(blocks: list[Block], tight: bool = False) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if lines and not tight:
            lines.append("")
        lines += block
    return lines
