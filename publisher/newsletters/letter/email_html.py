"""Adapts a post's HTML for email clients, before any CSS is inlined.

Elements that email clients remove without a trace (video, frames, forms, details) become a link, a linked picture or
plain text. Elements that they show badly (wide pictures and tables) get attributes that limit their width. All
attributes that are not listed here are removed, so that a post cannot use the email's own classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import islice
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from publisher.core.frozen import dataclass
from publisher.core.models import Lex, Picture
from publisher.newsletters.letter.code_colours import coloured
from publisher.newsletters.letter.email_strings import Words
from publisher.newsletters.letter.html_tree import Element, inner_html, parse_fragment
from publisher.newsletters.letter.safe_text import safe_url, without_marks
from publisher.posts.rendering.code_tokens import lexed
from publisher.posts.rendering.frames import page_of_frame

COLUMN = 536  # pixels: the email's 600, less 32 on each side
TABLE_COLUMN = 105  # pixels that a column of a table needs to be readable; a wider table scrolls
NARROW_TABLE = 3  # columns that fit on a phone
DEEPEST = 60  # levels of nesting
_ALONE = 50  # a picture in a paragraph of more elements is not alone in it

_KEPT = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
    "ol": {"start", "type"},
    "li": {"value"},
}
_DROPPED = {"script", "style", "link", "meta", "title", "template", "svg", "math"}
# libxml2 does not know that <source> and <track> are empty, and puts what follows into them.
_UNWRAPPED = {
    *("picture", "source", "track", "form", "label", "fieldset", "button", "select", "option", "textarea", "font")
}
_RENAMED = dict.fromkeys(
    (
        "section",
        "article",
        "aside",
        "main",
        "header",
        "footer",
        "nav",
        "figure",
        "details",
        "address",
        "hgroup",
        "center",
    ),
    "div",
) | {"figcaption": "p", "summary": "p", "legend": "p"}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SAFE_LINK = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)


_MEDIA_TAGS = frozenset({"video", "audio", "iframe", "embed", "object"})
MEDIA_CLASS = "media"
PICTURE_WIDTH = 504  # pixels: the column less the padding of the link around the picture

_WIDTH = re.compile(r"(\d{1,5})(?:\.\d{0,9})?(%|px)?", re.ASCII)
_YOUTUBE_PAGE = re.compile(r"https://www\.youtube\.com/watch\?v=([\w-]{6,})")


@dataclass(frozen=True, slots=True)
class BodyPlace:
    """The place of a post's body in the letter.

    page     the URL of the post's page, to which links lead in place of content that an email cannot show
    heading  the level that the body's highest heading gets
    words    the phrases of the letter's language
    rtl      whether the body is written from right to left
    lex      finds the tokens of code
    picture  finds a picture of the project by its absolute URL
    """

    page: str
    heading: int
    words: Words
    rtl: bool = False
    lex: Lex = lexed
    picture: Callable[[str], Picture | None] = lambda url: None


def mail_body(html: str, place: BodyPlace) -> str:
    """Return a post's HTML adapted for email: without marks, ids, scripts, frames or classes of its own."""
    root = parse_fragment(html)
    for element in list(root.iter(etree.Comment, etree.ProcessingInstruction)):
        element.drop_tree()
    _flatten(root)
    _rank_headings(root, place.heading)
    for element in list(root.iterdescendants()):
        _rewrite(element, place)
    for element in root.iter():
        element.text = without_marks(element.text or "") or None
        element.tail = without_marks(element.tail or "") or None
    return inner_html(root).strip()


def _flatten(root: Element) -> None:
    """Unwrap elements nested deeper than DEEPEST, because email clients and Python's own stack have limits."""
    depth = {root: 0}
    for element in list(root.iterdescendants()):
        parent = element.getparent()
        depth[element] = depth[parent] + 1
        if depth[element] > DEEPEST:
            element.drop_tag()


def _rank_headings(root: Element, top: int) -> None:
    """Renumber the headings without gaps from level `top`, whichever level the post starts at."""
    ranks = {tag: rank for rank, tag in enumerate(t for t in _HEADINGS if root.find(f".//{t}") is not None)}
    for element in list(root.iter(*_HEADINGS)):
        element.tag = f"h{min(6, top + ranks[element.tag])}"
        for anchor in list(element.iter("a")):
            if not anchor.text_content().strip() and anchor.find(".//img") is None:
                anchor.drop_tree()  # the "link to this heading" of the site's pages


def _rewrite(element: Element, place: BodyPlace) -> None:
    if element.getparent() is None:
        return
    tag, old = element.tag, dict(element.attrib)
    if tag in _DROPPED:
        element.drop_tree()
        return
    if tag in _UNWRAPPED:
        element.drop_tag()
        return
    if tag in _MEDIA_TAGS:
        _replace_media(element, old, place)
        return
    element.attrib.clear()
    for name in sorted(_KEPT.get(tag, set()) | {"lang", "dir"}):
        if name in old:
            element.set(name, without_marks(old[name]))
    if tag in _SPECIAL:
        _SPECIAL[tag](element, old, place)
    element.tag = _RENAMED.get(element.tag, element.tag)


def _link(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    href = safe_url(urljoin(place.page, old.get("href", "")))
    is_back = "#fnref" in href and not any(map(str.isalnum, element.text_content()))
    if "footnote-backref" in old.get("class", "") or is_back:
        element.drop_tree()  # the link from a footnote back to the text does not work in an email
    elif not _SAFE_LINK.match(href) or not old.get("href"):
        element.drop_tag()
    else:
        element.set("href", href)


def _picture(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    alt = without_marks(old.get("alt", ""))
    source = urljoin(place.page, old.get("src", ""))
    if not source.lower().startswith(("http://", "https://")):  # Gmail and Outlook do not show data: pictures
        element.tag, element.text = "a", place.words.picture.format(alt=alt or place.page)
        element.attrib.clear()
        element.set("href", safe_url(place.page))
        return
    found = place.picture(source)
    element.set("src", safe_url(found.email if found else source))
    element.set("alt", alt)
    most = _room(element)
    width = _width(old.get("width", ""), most)
    if 0 < width <= most:
        element.set("width", str(width))
        return
    for name in ("width", "height"):
        element.attrib.pop(name, None)
    if found:
        # Outlook for Windows obeys this attribute and no style, so it is the picture's own width if that is smaller.
        element.set("width", str(min(width or found.width, most)))
    elif width or _stands_alone(element):
        # Outlook ignores max-width, so it needs the attribute; the style of this class overrides it elsewhere.
        element.set("width", str(COLUMN))
        element.set("class", "free")


def _width(written: str, most: int) -> int:
    """Return a width in pixels, given in pixels or as a percentage of the column; 0 if there is none."""
    found = _WIDTH.fullmatch(written.strip())
    if not found:
        return 0
    return max(1, int(found[1]) * most // 100) if found[2] == "%" else int(found[1])


def _room(element: Element) -> int:
    """Return how wide a picture can be: as wide as the column or, in a table row, its cell's share of the column."""
    cell = next(element.iterancestors("td", "th"), None)
    row = cell.getparent() if cell is not None else None
    return COLUMN // max(1, len(row)) if row is not None else COLUMN


def _stands_alone(element: Element) -> bool:
    parent = element.getparent()
    if parent.tag == "a":
        element, parent = parent, parent.getparent()
    if parent.tag not in ("p", "div", "figure") or (parent.text or "").strip():
        return False
    children = list(islice(parent, _ALONE + 1))  # len(parent) would count all of them for each picture
    return len(children) <= _ALONE and not any((child.tail or "").strip() for child in children)


def _code(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    """Highlight a block of code."""
    inner_code = element.find("code")
    names = f"{old.get('class', '')} {inner_code.get('class', '') if inner_code is not None else ''}"
    language = re.search(r"language-([\w+#.-]+)", names)
    for line_break in element.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    code = element.text_content().replace("\r\n", "\n").strip("\n")
    for child in list(element):
        element.remove(child)
    element.text = None
    target = etree.SubElement(element, "code")
    if language and language[1].lower() == "math":
        target.set("class", "tex")  # its lines may be broken anywhere
    last = None
    for css_class, text in coloured(code, language[1].lower() if language else "", place.lex):
        if css_class:
            last = etree.SubElement(target, "span")
            last.set("class", css_class)
            last.text = text
        elif last is None:
            target.text = text
        else:
            last.tail = text
    element.set("class", "code")


def _table(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    """Put a table in a frame that scrolls, so that a wide table does not make the email wider than the screen."""
    for name in ("border", "cellpadding", "cellspacing"):
        element.set(name, "0")
    columns = max((len(row) for row in element.iter("tr")), default=0)
    if columns > NARROW_TABLE:
        element.set("style", f"min-width:{columns * TABLE_COLUMN}px")
    frame = lxml_html.Element("div")
    frame.set("class", "scroll")
    frame.tail, element.tail = element.tail, None
    element.getparent().replace(element, frame)
    frame.append(element)


def _cell(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    start = "right" if place.rtl else "left"
    if element.tag == "th":
        row = element.getparent()
        in_head = row is not None and row.getparent() is not None and row.getparent().tag == "thead"
        element.set("scope", "col" if in_head else "row")
    found = re.search(r"text-align:\s*(left|right|center)", old.get("style", ""))
    element.set("align", found[1] if found else element.get("align", start))


def _ordered(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    """Number the items of a list that counts down, because Outlook would count up."""
    if "reversed" not in old:
        return
    items = [child for child in element if child.tag == "li"]
    start = old.get("start", "")
    number = int(start) if re.fullmatch(r"-?\d{1,6}", start, re.ASCII) else len(items)
    for item in items:
        value = item.get("value", "")
        number = int(value) if re.fullmatch(r"-?\d{1,6}", value, re.ASCII) else number
        item.set("value", str(number))
        number -= 1


def _checkbox(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    element.tail = ("☑ " if "checked" in old else "☐ ") * (old.get("type") == "checkbox") + (
        element.tail or ""
    ).lstrip()
    for item in element.iterancestors("li"):
        item.set("class", "task")
        break
    element.drop_tree()


def _classed(element: Element, old: dict[str, str], place: BodyPlace, *, classes: dict[str, str]) -> None:
    """Replace the classes of footnotes and alerts from Markdown with the email's own class names."""
    names = old.get("class", "").split()
    kept = next((ours for theirs, ours in classes.items() if theirs in names), "")
    if kept:
        element.set("class", kept)


_blocks = partial(_classed, classes={"footnotes": "notes", "markdown-alert": "alert"})
_SPECIAL: dict[str, Callable[[Element, dict[str, str], BodyPlace], None]] = {
    "a": _link,
    "img": _picture,
    "pre": _code,
    "table": _table,
    "ol": _ordered,
    "td": _cell,
    "th": _cell,
    "input": _checkbox,
    "section": _blocks,
    "div": _blocks,
    "sup": partial(_classed, classes={"footnote-ref": "note-ref"}),
    "p": partial(_classed, classes={"markdown-alert-title": "alert-title"}),
    "figcaption": lambda element, old, place: element.set("class", "caption"),
    "summary": lambda element, old, place: element.set("class", "alert-title"),
}


def _replace_media(element: Element, old: dict[str, str], place: BodyPlace) -> None:
    """Replace a recording or an embedded page with a link to its own URL, or to the post's page if it has none."""
    page = place.page
    source = _source(element, old, page)
    target, picture = _watchable(source) if element.tag == "iframe" else (source, old.get("poster", ""))
    if not target.lower().startswith(("http://", "https://")):
        target = page
    link = lxml_html.Element("a")
    link.set("class", MEDIA_CLASS)
    link.set("href", safe_url(target))
    title = " ".join(without_marks(old.get("title", "")).split())
    label = f"▶\ufe0e {_label(element.tag, title, source, target, place.words)}"
    if picture:
        image = lxml_html.Element("img")
        url = urljoin(page, picture)
        found = place.picture(url)
        image.set("src", safe_url(found.email if found else url))
        image.set("alt", title)
        if not title:
            image.set("role", "presentation")  # the label below it can be read without pictures too
        image.set("width", str(min(PICTURE_WIDTH, found.width) if found else PICTURE_WIDTH))
        link.append(image)
        image.tail = label
    else:
        link.text = label
    link.tail = element.tail
    element.getparent().replace(element, link)


def _source(element: Element, old: dict[str, str], page: str) -> str:
    source = old.get("src") or old.get("data") or ""
    if not source:
        nested = element.find(".//source")
        source = (nested.get("src") or "") if nested is not None else ""
    return urljoin(page, source) if source else ""


def _watchable(source: str) -> tuple[str, str]:
    """Return the page where an embedded video can be watched, and the URL of its preview picture or ""."""
    page = page_of_frame(source)
    film = _YOUTUBE_PAGE.match(page)
    return page, f"https://i.ytimg.com/vi/{film[1]}/hqdefault.jpg" if film else ""


def _label(tag: str, title: str, source: str, target: str, words: Words) -> str:
    if title:
        return title
    if tag == "audio":
        return words.play
    if tag == "video" or target != source:
        return words.watch
    return words.embedded.format(host=urlsplit(target).hostname or "")
