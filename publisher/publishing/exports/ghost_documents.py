"""Converts texts in the formats of Ghost's editors, Lexical and Mobiledoc, to HTML, if an export has no other form.

Each format is a tree in JSON. Unknown parts are counted, and the rest is shown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from publisher.posts.rendering.commonmark import settled_html
from publisher.publishing.exports.element_parts import web_url
from publisher.publishing.exports.ghost_cards import card, text_of

Values = Mapping[str, Any]

# No one writes a text that is nested more deeply. At most this many parts of one text are read.
_DEEPEST = 60
_LONGEST_MARKDOWN = 100_000
_MOST_NODES = 200_000

# Lexical's text formats, each a bit, and their elements.
_FORMATS = (
    (1, "strong"),
    (2, "em"),
    (4, "s"),
    (8, "u"),
    (16, "code"),
    (32, "sub"),
    (64, "sup"),
    (128, "mark"),
)
_TEXTS = frozenset(("text", "extended-text", "tk"))
_BLOCKS = {"paragraph": "p", "quote": "blockquote", "extended-quote": "blockquote", "aside": "blockquote"}
# Mobiledoc's inline elements, and its sections.
_MARKUPS = frozenset(("a", "b", "code", "em", "i", "s", "strong", "sub", "sup", "u", "del", "mark"))
_SECTIONS = {"p": "p", "h1": "h1", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h5", "h6": "h6"}
_SECTIONS |= {"blockquote": "blockquote", "aside": "blockquote", "pull-quote": "blockquote"}


class DocumentReader:
    """A reader of one text.

    left  the parts that could not be shown, with the number of each
    """

    def __init__(self) -> None:
        self.left: Counter[str] = Counter()
        self._nodes = 0

    def html(self, lexical: object, mobiledoc: object) -> str:
        """Return the HTML of the first of the two formats that has a text; "" if neither has."""
        for written, read in ((lexical, self._lexical), (mobiledoc, self._mobiledoc)):
            values = _parsed(written)
            if values and (found := read(values).strip()):
                return found
        return ""

    def _lexical(self, values: Values) -> str:
        root = values.get("root")
        return "\n".join(self._nodes_of(root, 0)) if isinstance(root, dict) else ""

    def _nodes_of(self, node: Values, depth: int) -> Iterator[str]:
        children = node.get("children")
        for child in children if isinstance(children, list) else ():
            self._nodes += 1
            if isinstance(child, dict) and self._nodes <= _MOST_NODES and (shown := self._node(child, depth + 1)):
                yield shown

    def _node(self, node: Values, depth: int) -> str:
        kind = text_of(node, "type")
        if depth > _DEEPEST:
            self.left["parts that are nested too deeply"] += 1
            return ""
        if kind in _TEXTS:
            return _words(node)
        if kind in ("linebreak", "tab"):
            return "<br>" if kind == "linebreak" else "\t"
        if not isinstance(node.get("children"), list):
            return self._card(kind, node) or ""
        return self._container(kind, node, self._nodes_of(node, depth))

    def _container(self, kind: str, node: Values, inside: Iterator[str]) -> str:
        if kind in ("link", "autolink", "at-link"):
            return _link(node.get("url"), "".join(inside))
        if kind == "list":
            return _list(
                "ol" if node.get("listType") == "number" or node.get("tag") == "ol" else "ul", inside, node.get("start")
            )
        if kind in ("heading", "extended-heading"):
            return _element(text_of(node, "tag") if text_of(node, "tag") in _SECTIONS else "h2", "".join(inside))
        if kind == "listitem":
            return f"<li>{''.join(inside)}</li>"
        if kind in _TABLE:
            return f"<{_TABLE[kind]}>{''.join(inside)}</{_TABLE[kind]}>"
        return _element(_BLOCKS.get(kind, ""), "".join(inside))

    def _card(self, kind: str, values: Values) -> str | None:
        """Return the HTML of a card, with a mark if it is for members only; unknown cards are counted."""
        if kind == "markdown":
            text = text_of(values, "markdown")
            made = settled_html(text)[0].html if len(text) <= _LONGEST_MARKDOWN else None
        else:
            made = card(kind, values)
        if made is None and kind and kind not in _NOTHING:
            self.left[f"cards of the kind {' '.join(kind.split())[:40]}"] += 1
        seen = values.get("visibility")
        return _for_whom(made, seen) if made and isinstance(seen, dict) else made

    def _mobiledoc(self, values: Values) -> str:
        sections = values.get("sections")
        sections = sections[:_MOST_NODES] if isinstance(sections, list) else []
        made = (self._section(each, values) for each in sections if isinstance(each, list) and len(each) > 1)
        return "\n".join(filter(None, made))

    def _section(self, section: Sequence[Any], values: Values) -> str:
        kind, first = section[0], section[1]
        if kind == 1:
            inside = self._markers(section[2] if len(section) > 2 else (), values)
            return _element(_SECTIONS.get(first, "p") if isinstance(first, str) else "p", inside)
        if kind == 2:
            return self._card("image", {"src": first}) or ""
        if kind == 3:
            items = section[2] if len(section) > 2 and isinstance(section[2], list) else ()
            return _list("ol" if first == "ol" else "ul", (f"<li>{self._markers(item, values)}</li>" for item in items))
        one = _at(values.get("cards"), first) if kind == 10 else None
        if isinstance(one, list) and len(one) > 1 and isinstance(one[0], str) and isinstance(one[1], dict):
            return self._card("markdown" if one[0] == "card-markdown" else one[0], one[1]) or ""
        return ""

    def _markers(self, markers: object, values: Values) -> str:
        """Return words with the tags of the elements that begin and end there."""
        pieces: list[str] = []
        opened: list[str] = []
        for marker in markers[:_MOST_NODES] if isinstance(markers, list) else ():
            if not isinstance(marker, list) or len(marker) < 4:
                continue
            for number in marker[1] if isinstance(marker[1], list) else ():
                begin, name = _markup(_at(values.get("markups"), number))
                pieces.append(begin)
                opened.append(name)
            pieces.append(_marked(marker, values))
            for _ in range(min(len(opened), marker[2] if isinstance(marker[2], int) else 0)):
                name = opened.pop()
                pieces.append(f"</{name}>" if name else "")
        pieces += [f"</{name}>" for name in reversed(opened) if name]
        return "".join(pieces)


_TABLE = {"table": "table", "tablerow": "tr", "tablecell": "td"}
# Parts that show nothing.
_NOTHING = frozenset(("root", "zwj"))


def _for_whom(made: str, seen: Values) -> str:
    """Return a card with Ghost's mark if not everyone may read it; "" if it is for emails only."""
    web = seen.get("web")
    web = web if isinstance(web, dict) else {}
    if seen.get("showOnWeb") is False or (web and not web.get("nonMember") and not web.get("memberSegment")):
        return ""
    is_gated = web.get("nonMember") is False
    return f"<!--kg-gated-block:begin nonMember:false -->{made}<!--kg-gated-block:end-->" if is_gated else made


def _parsed(written: object) -> Values:
    try:
        found = json.loads(written) if isinstance(written, str) else written
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(node: Values) -> str:
    text = node.get("text")
    shown = escape(text, quote=False) if isinstance(text, str) else ""
    bits = node.get("format")
    for bit, name in _FORMATS:
        if shown and isinstance(bits, int) and bits & bit:
            shown = f"<{name}>{shown}</{name}>"
    return shown


def _link(url: object, inside: str) -> str:
    text = url.strip() if isinstance(url, str) else ""
    address = text if text.startswith(("mailto:", "tel:")) and len(text) < 500 else web_url(text)
    return f'<a href="{escape(address)}">{inside}</a>' if address and inside else inside


def _element(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>" if name and inside.strip() else inside.strip()


def _list(name: str, items: Iterator[str], start: object = None) -> str:
    begin = f' start="{start}"' if name == "ol" and isinstance(start, int) and 1 < start < 1_000_000 else ""
    inside = "".join(items)
    return f"<{name}{begin}>{inside}</{name}>" if inside else ""


def _at(values: object, number: object) -> object:
    is_there = isinstance(values, list) and isinstance(number, int) and 0 <= number < len(values)
    return values[number] if is_there and isinstance(values, list) and isinstance(number, int) else None


def _markup(markup: object) -> tuple[str, str]:
    """Return the tag that begins an element, and the element's name; both are "" for one that is unknown."""
    name = markup[0].lower() if isinstance(markup, list) and markup and isinstance(markup[0], str) else ""
    if name not in _MARKUPS or not isinstance(markup, list):
        return "", ""
    if name != "a":
        return f"<{name}>", name
    pairs = markup[1] if len(markup) > 1 and isinstance(markup[1], list) else []
    url = next((value for key, value in zip(pairs[::2], pairs[1::2], strict=False) if key == "href"), "")
    begin = _link(url, "\0").partition("\0")[0]
    return begin, "a" if begin else ""


def _marked(marker: Sequence[Any], values: Values) -> str:
    """Return the words of a marker, or what an atom shows: a line break, or its text."""
    if marker[0] == 0:
        return escape(marker[3], quote=False) if isinstance(marker[3], str) else ""
    atom = _at(values.get("atoms"), marker[3])
    if isinstance(atom, list) and len(atom) > 1:
        return "<br>" if atom[0] == "soft-return" else escape(atom[1], quote=False) if isinstance(atom[1], str) else ""
    return ""
