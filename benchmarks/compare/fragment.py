"""The HTML inside an entry: its URLs, and what should not be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import html as lxml_html

_ADDRESSES = ("href", "src", "poster", "cite", "data")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HIGHLIGHT = re.compile(r"\b(highlight|hljs|codehilite|chroma|shiki|token)\b")


def parse(markup: str) -> Any:
    """Parse a fragment, whatever it contains, and return it inside one element."""
    return lxml_html.fragment_fromstring(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", markup), "div")


def parse_page(text: str) -> Any:
    """Parse a whole page."""
    return lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))


def addresses(markup: str) -> list[str]:
    """Return every URL in the fragment except those in srcset."""
    return [value for element in _elements(markup) for name in _ADDRESSES if (value := element.get(name)) is not None]


def srcset_addresses(markup: str) -> list[str]:
    """Return the URLs in every srcset, read like a browser: a comma inside a URL is part of it."""
    return [url for element in _elements(markup) for url in _candidates(element.get("srcset", ""))]


def posters(markup: str) -> list[str]:
    """Return the URLs of the poster images of videos."""
    return [element.get("poster") for element in _elements(markup) if element.get("poster")]


def relative(urls: list[str]) -> list[str]:
    """Return the relative URLs, which mean nothing outside their page."""
    return [url for url in urls if not _ABSOLUTE.match(url)]


def active_parts(markup: str) -> list[str]:
    """Return the names of elements, attributes and URLs that could run scripts or change styles."""
    found = []
    for element in _elements(markup):
        if element.tag in ("script", "style", "object", "embed"):
            found.append(f"<{element.tag}>")
        found += [name for name in element.attrib if name.lower().startswith("on")]
        found += ["javascript:" for name in _ADDRESSES if _runs(element.get(name, ""))]
    return sorted(set(found))


def highlighting(markup: str) -> list[str]:
    """Return what a highlighter left in and around code; without its stylesheet, feed readers show or drop it."""
    found = []
    for element in _elements(markup):
        inside_code = any(parent.tag in ("pre", "code") for parent in element.iterancestors())
        if element.tag == "span" and inside_code:
            found.append("spans in the code")
        if element.tag in ("div", "figure", "pre", "table") and _HIGHLIGHT.search(element.get("class", "")):
            found.append(f'<{element.tag} class="{element.get("class")}">')
    return list(dict.fromkeys(found))


def heading_anchors(markup: str) -> list[str]:
    """Return the links of headings to themselves."""
    return [
        link.get("href", "")
        for element in _elements(markup)
        if element.tag in ("h1", "h2", "h3", "h4", "h5", "h6")
        for link in element.iter("a")
        if "#" in link.get("href", "")
    ]


def words(markup: str) -> str:
    """Return the text without markup, with white space collapsed."""
    return " ".join(str(parse(markup).text_content()).split())


def _elements(markup: str) -> Iterator[Any]:
    return (element for element in parse(markup).iter() if isinstance(element.tag, str))


def _runs(address: str) -> bool:
    return re.sub(r"[\s\x00-\x20]", "", address).lower().startswith("javascript:")


def _candidates(srcset: str) -> list[str]:
    found, rest = [], srcset.strip(" ,\n\t")
    while rest:
        url, _, rest = rest.partition(" ") if " " in rest else (rest, "", "")
        found.append(url.rstrip(","))
        if not url.endswith(","):
            rest = rest.partition(",")[2]
        rest = rest.strip(" ,\n\t")
    return found
