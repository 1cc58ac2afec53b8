"""Converts the HTML of a post or an intro to readable plain text: wrapped, with its links listed at the end.

The conversion works on lxml's tree; docs/decisions/0005-letters.md explains why no library is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from itertools import repeat
from typing import Literal

from lxml import html as lxml_html

from publisher.core.characters import lowered, raised
from publisher.newsletters.letter.email_html import MEDIA_CLASS
from publisher.newsletters.letter.email_strings import Words
from publisher.newsletters.letter.html_tree import Element, parse_fragment
from publisher.newsletters.letter.safe_text import without_marks
from publisher.newsletters.letter.text_lines import WIDTH, columns, indent, pad, underlined, wrap

Block = list[str]
Cell = list[str]  # the lines of a cell, not wrapped yet
LinkPlacement = Literal["end", "inline"]

_GAP = "  "
_WIDEST = 20  # columns or rows that one cell may span
_SHORT = 40  # characters
_NARROWEST = 11  # prose in fewer columns cannot be read

_STRIKE = "~~"
_STRUCK = frozenset({"del", "s", "strike"})
_INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr b bdi bdo br cite code del dfn em i img ins kbd mark q s samp small "
        "span strong sub sup time u var wbr ruby rt rp strike tt data",
    )
)


def text_of(html: str, words: Words, width: int = WIDTH, links: LinkPlacement = "end") -> str:
    """Convert HTML from mail_body to plain text in lines of at most `width` columns.

    links  where the URLs of links are shown: "end" numbers them and lists them below the text, "inline" puts each in
           angle brackets after the link's text (RFC 3986, appendix C). A URL that is the link's text is not repeated

    Lines are longer only if they cannot be broken, such as a URL or a line of code.
    """
    if not html.strip():
        return ""
    walk = _PlainText(words, links)
    blocks = walk.blocks(parse_fragment(html), width)
    if walk.links:
        blocks.append([f"[{number}] {link}" for link, number in walk.links.items()])
    return without_marks("\n\n".join("\n".join(block) for block in blocks if block))


class _PlainText:
    """Converts one fragment, and numbers the links in it."""

    def __init__(self, words: Words, where: LinkPlacement) -> None:
        self.words = words
        self.where = where
        self.links: dict[str, int] = {}  # to be listed at the end, with their numbers

    def blocks(self, element: Element, width: int) -> list[Block]:
        """Return the contents of an element as blocks, to be separated by blank lines."""
        found: list[Block] = []
        run = _spaced(element.text)
        for child in element:
            if _is_inline(child):
                run += self.inline(child)
            else:
                found += [_paragraph(run, width)]
                found += _BLOCKS.get(child.tag, _PlainText.blocks)(self, child, width)
                run = ""
            run += _spaced(child.tail)
        found += [_paragraph(run, width)]
        return [block for block in found if block]

    def inline(self, element: Element) -> str:
        """Return the text of an inline element; a line feed in it is a forced line break."""
        if element.tag == "br":
            return "\n"
        if element.tag == "img":
            alt = _spaced(element.get("alt")).strip()
            return f"[{self.words.picture.format(alt=alt)}]" if alt else ""
        text = self.inline_content(element)
        if element.tag == "a":
            return self.link(text, element.get("href", ""))
        if element.tag == "code":
            return f"`{text}`"
        return _meant(element, text)

    def link(self, text: str, href: str) -> str:
        """Return a link's text with its URL or number; only the URL if the text is the same."""
        bare = href.removeprefix("mailto:").removeprefix("tel:")
        shown = text.strip()
        if not shown or not href:
            return text
        if shown in (href, bare) or f"http://{shown}" == href or f"https://{shown}" == href:
            return bare
        if shown.isdecimal() and "#fn" in href:
            return shown  # the number of a footnote, which follows below
        if self.where == "inline":
            return f"{text.rstrip()} <{href}>"
        number = self.links.setdefault(href, len(self.links) + 1)
        return f"{text.rstrip()} [{number}]"

    def heading(self, element: Element, width: int) -> list[Block]:
        """Return a heading, underlined."""
        return [underlined(" ".join(self.inline_content(element).split()), "-", width)]

    def inline_content(self, element: Element) -> str:
        """Return the text inside an element, with the marks of emphasis, links and pictures."""
        text = _spaced(element.text)
        for child in element:
            text += self.inline(child) + _spaced(child.tail)
        return text

    def unordered(self, element: Element, width: int) -> list[Block]:
        """Return a list with a hyphen before each item."""
        return self.items(element, width, repeat("- "))

    def ordered(self, element: Element, width: int) -> list[Block]:
        """Return a list with the numbers that the HTML gives its items."""
        return self.items(element, width, iter(_item_signs(element)))

    def items(self, element: Element, width: int, signs: Iterator[str]) -> list[Block]:
        """Return the items of a list, indented after their markers."""
        entries = []
        parts = _parts(element, ("li",))
        for child in parts:
            bullet = next(signs) if child.tag == "li" else "  "
            blocks = self.blocks(child, width - len(bullet))
            entries.append(indent(_joined(blocks, tight=_is_tight(child)), bullet, " " * len(bullet)))
        if all(_is_tight(child) for child in parts):
            return [[line for entry in entries for line in entry]]
        return entries

    def quotation(self, element: Element, width: int) -> list[Block]:
        """Return a quotation with ">" before each line."""
        return [indent(_joined(self.blocks(element, width - 2)), "> ", "> ")]

    def code(self, element: Element, width: int) -> list[Block]:
        """Return code as it is, indented by four spaces."""
        lines = element.text_content().strip("\n").split("\n")
        return [[f"    {line}".rstrip() for line in lines]]

    def table(self, element: Element, width: int) -> list[Block]:
        """Return a table below its captions, aligned or as a list of its cells."""
        rows = self.rows(element)
        head = element.find("thead/tr") is not None and len(rows) > 1
        captions = [block for caption in element.findall("caption") for block in self.blocks(caption, width)]
        return [*captions, _table_lines(rows, head, width)]

    def rows(self, table: Element) -> list[list[Cell]]:
        """Return the cells of a table by rows. A short text that spans rows is repeated in each."""
        rows: list[list[Cell]] = []
        above: dict[int, tuple[int, Cell]] = {}  # column -> into how many rows a cell above extends, and its text
        for row in _own_rows(table):
            cells: list[Cell] = []
            following = {column: (left - 1, cell) for column, (left, cell) in above.items() if left > 1}
            for element in row:
                if element.tag in ("td", "th"):
                    while len(cells) in above:
                        cells.append(above.pop(len(cells))[1])
                    cell, high = self.cell(element), _span(element, "rowspan")
                    for number in range(_span(element, "colspan")):
                        text = [] if number else cell
                        if high > 1:
                            following[len(cells)] = high - 1, text if len("".join(text)) <= _SHORT else []
                        cells.append(text)
            last = max(above, default=-1)
            cells += [above[column][1] if column in above else [] for column in range(len(cells), last + 1)]
            above = following
            rows.append(cells)
        return rows

    def cell(self, element: Element) -> Cell:
        """Return the lines of a cell."""
        endless = 100_000  # a cell is wrapped later, when the column widths of its table are known
        lines = [line for block in self.blocks(element, endless) for line in block]
        return [line for line in lines if line]

    def struck(self, element: Element, width: int) -> list[Block]:
        """Return the blocks of struck-out text, each between marks."""
        blocks = self.blocks(element, width - 2 * len(_STRIKE))
        return [
            [_STRIKE + block[0], *block[1:-1], block[-1] + _STRIKE] if len(block) > 1 else [_struck(block[0])]
            for block in blocks
        ]

    def rule(self, element: Element, width: int) -> list[Block]:
        """Return a line that separates two parts."""
        return [["* * *"]]

    def definitions(self, element: Element, width: int) -> list[Block]:
        """Return terms, with each definition indented below its term."""
        lines: list[str] = []
        for child in _parts(element, ("dt", "dd", "div")):
            if child.find("dt") is not None:  # HTML allows a <div> around a term and its definition
                lines += self.definitions(child, width)[0]
                continue
            inner = _joined(self.blocks(child, width - 4))
            lines += inner if child.tag == "dt" else indent(inner, "    ", "    ")
        return [lines]

    def recording(self, element: Element, width: int) -> list[Block]:
        """Return the link that replaces a video, a recording or an embedded page; or a link around several blocks."""
        blocks = [] if element.get("class") == MEDIA_CLASS else self.blocks(element, width)
        if blocks:
            blocks[-1][-1:] = wrap(self.link(blocks[-1][-1], element.get("href", "")), width)
            return blocks
        return [_paragraph(self.link(_spaced(element.text_content()), element.get("href", "")), width)]

    def notes(self, element: Element, width: int) -> list[Block]:
        """Return the blocks of a <div>; a short line is put above a post's footnotes."""
        rule = [["-" * 12]] if element.get("class") == "notes" else []
        return rule + self.blocks(element, width)


_BLOCKS: dict[str, Callable[[_PlainText, Element, int], list[Block]]] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _PlainText.heading),
    "ul": _PlainText.unordered,
    "ol": _PlainText.ordered,
    "blockquote": _PlainText.quotation,
    "pre": _PlainText.code,
    "table": _PlainText.table,
    "hr": _PlainText.rule,
    "dl": _PlainText.definitions,
    "div": _PlainText.notes,
    **dict.fromkeys(_STRUCK, _PlainText.struck),
    "a": _PlainText.recording,
}


def _item_signs(element: Element) -> Iterator[str]:
    """Yield the number of each item of an ordered list, or its letter, as a browser shows it."""
    shown = _COUNTS.get(element.get("type", ""), str)
    number = _whole(element.get("start"), 1)
    for child in element:
        if child.tag == "li":
            number = _whole(child.get("value"), number)
            yield f"{shown(number)}. "
            number += 1


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text, re.ASCII) else default


def _letters(number: int) -> str:
    """Return a number in letters: c for 3, ab for 28; below 1 it stays a number."""
    if number < 1:
        return str(number)
    text = ""
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("a") + digit) + text
    return text


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, sign in _ROMAN:
        text += sign * (number // value)
        number %= value
    return text


_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_COUNTS: dict[str, Callable[[int], str]] = {
    "a": _letters,
    "A": lambda number: _letters(number).upper(),
    "i": _roman,
    "I": lambda number: _roman(number).upper(),
}


def _meant(element: Element, text: str) -> str:
    """Return the text of an inline element, with characters for the meaning of its tag, such as quotation marks."""
    if element.tag in _STRUCK:
        return _struck(text)
    if element.tag == "q":
        return f"‘{text}’" if next(element.iterancestors("q"), None) is not None else f"“{text}”"
    if element.tag == "rt":  # the reading of the character before; <rp> contains its brackets, if the writer wrote them
        before = element.getprevious()
        return text if before is not None and before.tag == "rp" else f"({text})"
    if element.tag in ("sup", "sub"):
        return (raised if element.tag == "sup" else lowered)(text, element.tail or "")
    return text


def _struck(text: str) -> str:
    """Return text as struck out in Markdown's form, with the spaces outside the marks."""
    inside = text.strip()
    return text.replace(inside, f"{_STRIKE}{inside}{_STRIKE}", 1) if inside else text


def _spaced(text: str | None) -> str:
    return re.sub(r"[ \t\r\n\f]+", " ", text or "")


def _is_inline(element: Element) -> bool:
    return element.get("class") != MEDIA_CLASS and all(part.tag in _INLINE for part in element.iter())


def _paragraph(text: str, width: int) -> Block:
    return [line for part in text.split("\n") for line in wrap(part, width)]


def _own_rows(table: Element) -> list[Element]:
    """Return the rows of a table, without the rows of tables in its cells, which belong to the cells."""
    return [row for part in table for row in ([part] if part.tag == "tr" else part) if row.tag == "tr"]


def _span(cell: Element, direction: str) -> int:
    return min(max(_whole(cell.get(direction), 1), 1), _WIDEST)


def _parts(element: Element, own: Collection[str]) -> list[Element]:
    """Return an element's children with one of these tags, with each run of other content between them as a <div>."""
    parts: list[Element] = []
    stray: Element = None
    for text, child in [(element.text, None), *((child.tail, child) for child in element)]:
        is_own = child is None or child.tag in own
        if child is not None and is_own:
            parts.append(child)
        if is_own:
            stray = None
        if stray is None and (not is_own or (text or "").strip()):
            stray = lxml_html.Element("div")
            parts.append(stray)
        if is_own and stray is not None:
            stray.text = text
        elif not is_own:
            stray.append(child)  # together with the text after it
    return parts


def _is_tight(item: Element) -> bool:
    return not any(child.tag in ("p", "pre", "blockquote", "table", "div") for child in item)


def _joined(blocks: list[Block], tight: bool = False) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if lines and not tight:
            lines.append("")
        lines += block
    return lines


def _table_lines(rows: list[list[Cell]], has_head: bool, width: int = WIDTH) -> list[str]:
    """Return the lines of a table: as a grid if it fits into `width` columns, or else as one list of fields per row."""
    count = max((len(row) for row in rows), default=0)
    if not count:
        return []
    rows = [row + [[] for _ in range(count - len(row))] for row in rows]
    room = width - len(_GAP) * (count - 1)
    widths = _widths(rows, count, room)
    if widths is None:
        return _records(rows, has_head, width)
    return _grid(rows, widths, has_head)


def _widths(rows: list[list[Cell]], count: int, room: int) -> list[int] | None:
    widths = [max([1, *(columns(line) for row in rows for line in row[number])]) for number in range(count)]
    if sum(widths) > room and count * _NARROWEST > room:
        return None
    while sum(widths) > room:
        widest = widths.index(max(widths))
        if widths[widest] <= _NARROWEST:
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
    """Return whether a column's script may be broken anywhere, so that no word is too long for the column."""
    text = "".join(line for row in rows for line in row[number])
    return columns(text) > 1.5 * len(text)


def _grid(rows: list[list[Cell]], widths: list[int], has_head: bool) -> list[str]:
    found: list[str] = []
    laid = [[_cell_lines(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    spaced = any(len(cell) > 1 for row in laid[int(has_head) :] for cell in row)
    for number, row in enumerate(laid):
        for level in range(max(1, *(len(cell) for cell in row))):
            parts = [cell[level] if level < len(cell) else "" for cell in row]
            padded = [pad(part, width) for part, width in zip(parts, widths, strict=True)]
            found.append(_GAP.join(padded).rstrip())
        if has_head and number == 0:
            found.append(_GAP.join("-" * width for width in widths))
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
            found += _field(name, cell, width)
    empty = [name for number, name in enumerate(head) if name and not any(row[number] for row in rows[1:])]
    return [*found, "", *(line for name in empty for line in wrap(f"{name}:", width))] if empty else found


def _field(name: str, cell: Cell, width: int) -> list[str]:
    label = f"{name}: " if name else ""
    if len(cell) > 1:
        lines = [line for part in cell for line in indent(wrap(part, width - 4), "  - ", "    ")]
        return [label.rstrip(), *lines] if label else lines
    text = " ".join(cell)
    return indent(wrap(label + text, width - 2), "", "  ") if text else []


def _cell_lines(cell: Cell, width: int) -> list[str]:
    return [line for part in cell for line in wrap(part, width)]
