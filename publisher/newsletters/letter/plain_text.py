"""The HTML of a post or an intro as plain text that is pleasant to read: wrapped, with its links at its end.

Written here, on lxml's tree; docs/decisions/0005-letters.md says why no library does it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

from publisher.newsletters.letter.email_html import MEDIA_CLASS
from publisher.newsletters.letter.email_strings import Words
from publisher.newsletters.letter.html_tree import Element, parse_fragment
from publisher.newsletters.letter.safe_text import without_marks

WIDTH = 72

# A line may break beside any of these, but not before a closing sign nor after an opening one.
_WIDE = "[\u2e80-\u2fff\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_OPENING = "[「『（【《〈〔［｛“‘(]"
_CLOSING = "[、。，．！？：；）」』】》〉〕］｝”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ・…)]"
_STOP = "、。，．！？：；"
_PIECE = re.compile(
    f"{_OPENING}*{_WIDE}{_CLOSING}*|(?:(?!{_OPENING}*{_WIDE})[^{_STOP}])+(?:[{_STOP}]{_CLOSING}*)?|[{_STOP}]+"
)


def columns(text: str) -> int:
    """Return how many columns a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, width: int = WIDTH) -> list[str]:
    """Break text into lines of at most `width` columns; a piece that has no place to break stays whole."""
    lines, line, used = [], "", 0
    for word in re.split(r"[ \t\n]+", text.strip()):
        space = " " if line else ""
        for piece in _PIECE.findall(word):
            needed = columns(piece)
            if line and used + len(space) + needed > width:
                lines.append(line)
                line, used, space = "", 0, ""
            line += space + piece
            used += len(space) + needed
            space = ""
    return [*lines, line] if line else lines


def indent(lines: list[str], first: str, rest: str) -> list[str]:
    """Return lines with `first` before the first and `rest` before the others; none ends in spaces."""
    return [((rest if number else first) + line).rstrip() for number, line in enumerate(lines)]


def pad(text: str, width: int) -> str:
    """Return text filled with spaces to a width in columns."""
    return text + " " * max(0, width - columns(text))


Cell = list[str]  # the lines of a cell, not wrapped yet

GAP = "  "
NARROWEST = 11  # columns of text below which prose cannot be read


def table_lines(rows: list[list[Cell]], has_head: bool, width: int = WIDTH) -> list[str]:
    """Return a table of at most `width` columns where its words allow it; every cell's text is in it."""
    count = max((len(row) for row in rows), default=0)
    if not count:
        return []
    rows = [row + [[] for _ in range(count - len(row))] for row in rows]
    room = width - len(GAP) * (count - 1)
    widths = _widths(rows, count, room)
    if widths is None:
        return _records(rows, has_head, width)
    return _grid(rows, widths, has_head)


def _widths(rows: list[list[Cell]], count: int, room: int) -> list[int] | None:
    widths = [max([1, *(columns(line) for row in rows for line in row[number])]) for number in range(count)]
    if sum(widths) > room and count * NARROWEST > room:
        return None
    while sum(widths) > room:
        widest = widths.index(max(widths))
        if widths[widest] <= NARROWEST:
            return None
        widths[widest] -= 1
    longest_words = [
        max([0, *(columns(word) for row in rows for line in row[number] for word in line.split())])
        for number in range(count)
    ]
    fits = all(
        word <= given or _breaks_anywhere(rows, number)
        for number, (word, given) in enumerate(zip(longest_words, widths, strict=True))
    )
    return widths if fits else None


def _breaks_anywhere(rows: list[list[Cell]], number: int) -> bool:
    """Whether a column holds a script that breaks anywhere, so that no word is too long for it."""
    text = "".join(line for row in rows for line in row[number])
    return columns(text) > 1.5 * len(text)


def _grid(rows: list[list[Cell]], widths: list[int], has_head: bool) -> list[str]:
    found: list[str] = []
    laid = [[_lines(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    spaced = any(len(cell) > 1 for row in laid[int(has_head) :] for cell in row)
    for number, row in enumerate(laid):
        for level in range(max(1, *(len(cell) for cell in row))):
            parts = [cell[level] if level < len(cell) else "" for cell in row]
            padded = [pad(part, width) for part, width in zip(parts, widths, strict=True)]
            found.append(GAP.join(padded).rstrip())
        if has_head and number == 0:
            found.append(GAP.join("-" * width for width in widths))
        elif spaced and number < len(laid) - 1:
            found.append("")
    return found


def _records(rows: list[list[Cell]], has_head: bool, width: int) -> list[str]:
    head = [" ".join(cell) for cell in rows[0]] if has_head else []
    found: list[str] = []
    for row in rows[int(has_head) :]:
        if found:
            found.append("")
        for number, cell in enumerate(row):
            name = head[number] if number < len(head) else ""
            found += _record(name, cell, width)
    return found


def _record(name: str, cell: Cell, width: int) -> list[str]:
    label = f"{name}: " if name else ""
    if len(cell) > 1:
        lines = [line for part in cell for line in indent(wrap(part, width - 4), "  - ", "    ")]
        return [label.rstrip(), *lines] if label else lines
    text = " ".join(cell)
    return indent(wrap(label + text, width - 2), "", "  ") if text else []


def _lines(cell: Cell, width: int) -> list[str]:
    return [line for part in cell for line in wrap(part, width)]


Block = list[str]
Links = Literal["end", "inline"]

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
    blocks = reading.blocks(parse_fragment(html), width)
    if reading.links:
        blocks.append([f"[{number}] {link}" for number, link in enumerate(reading.links, 1)])
    return without_marks("\n\n".join("\n".join(block) for block in blocks if block))


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
