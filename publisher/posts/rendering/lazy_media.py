"""Pictures and other media that a script would load later, as exporters of other tools write them.

No reader runs scripts. So the address in `data-src` or the like replaces a `src` that is missing or only a placeholder,
and if <noscript> repeats a picture, only one of the two stays.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from publisher.core import patterns

# In place of <noscript> and </noscript>, while a text is changed. No body otherwise contains control characters.
NOSCRIPT, END_NOSCRIPT = "\x1a", "\x1b"

# An attribute, and those in which its value may wait.
_SOURCES = {
    "src": (
        *("data-src", "data-original", "data-lazy-src", "data-lazy", "data-lazyload", "data-original-src", "data-url"),
        *("data-actualsrc", "data-litespeed-src", "data-cfsrc", "data-echo", "data-pagespeed-lazy-src", "data-ezsrc"),
        *("data-src-cmplz", "data-cmp-src", "data-cookieblock-src"),
    ),
    "srcset": ("data-srcset", "data-lazy-srcset", "data-original-set", "data-src-set", "data-original-srcset"),
    "sizes": ("data-sizes", "data-lazy-sizes"),
    "poster": ("data-poster", "data-lazy-poster"),
}
_MEDIA = patterns.compile(
    r"<(img|source|video|audio|iframe)(?=[\s/])"
    r"((?:[\s/]++|[^\s/<>=][^\s/<>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s<>\"'][^\s<>]*+|(?=>)))?+)*+)>",
    re.IGNORECASE,
)
_ATTRIBUTE = patterns.compile(r"([^\s/<>=][^\s/<>=]*+)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s<>\"'][^\s<>]*+))?")
# A value such as "true" or "auto" is not an address.
_ADDRESS = patterns.compile(r"^(?!\s*(?:data|about|javascript):).*[./\d]", re.IGNORECASE | re.DOTALL)
_LAZY = patterns.compile(r"(?:^|[\s_-])(?:b-)?(?:lazy|lozad|unveil|lazyload\w*)(?:$|[\s_-])", re.IGNORECASE)
_PLACEHOLDER = patterns.compile(
    r"(?:^|[/_.-])(?:place-?holder|blank|lazy|loading|loader|spacer|spinner|pixel|transparent|trans|empty|dummy|grey|gray|"
    r"clear|lqip|low|tiny|blur(?:red)?|1x1)(?:[_.-]?\w{0,20})?\.(?:gif|png|svg|jpe?g|webp)(?:$|[?#])|/svg\+xml",
    re.IGNORECASE,
)
_ALT = patterns.compile(r"\salt\s*=\s*[\"']?[^\s\"'>]", re.IGNORECASE)
_INSIDE = patterns.compile(f"{NOSCRIPT}([^{NOSCRIPT}{END_NOSCRIPT}]*+){END_NOSCRIPT}")
_SPACE = patterns.compile(r"(?:\s++|<br\s*+/?>|</?(?:span|a)\b[^<>]*+>)*+")
# How much HTML before and after <noscript> is searched for the picture that it repeats.
_NEAR = 1_000
# How many <noscript> of a text are compared with what is around them.
_MOST = 2_000


class _Media(NamedTuple):
    """A tag of a picture or another medium: its name, the tag with the address that readers need, and that address."""

    name: str
    text: str
    source: str


def is_lazy(written: str) -> bool:
    """Return whether a text may have media that only a script would load."""
    lower = written.lower()
    return "data-" in lower or "noscript" in lower


def loaded(html: str) -> str:
    """Return HTML in which no medium needs a script to load. <noscript> is written as NOSCRIPT and END_NOSCRIPT."""
    html = _MEDIA.sub(lambda tag: _media(tag).text, html)
    if NOSCRIPT in html:
        html = _without_twins(html).replace(NOSCRIPT, "").replace(END_NOSCRIPT, "")
    return html


def _media(tag: re.Match[str]) -> _Media:
    attributes: dict[str, str] = {}
    for found in _ATTRIBUTE.finditer(tag[2]):
        value = found[2] or ""
        quoted = value[:1] in ("'", '"')
        attributes.setdefault(found[1].lower(), value[1:-1] if quoted else value)
    added = {}
    for name, waiting in _SOURCES.items():
        value = next((attributes[key].strip() for key in waiting if _ADDRESS.search(attributes.get(key, ""))), "")
        if value and _is_placeholder(name, attributes):
            added[name] = value
    if "srcset" in added and tag[1].lower() == "img" and _is_placeholder("src", attributes):
        added.setdefault("src", added["srcset"].split()[0].rstrip(","))
    source = added.get("src", attributes.get("src", "")).strip()
    new = "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in added.items())
    # Of two attributes with the same name, HTML takes the first.
    return _Media(tag[1].lower(), f"<{tag[1]}{new}{tag[2]}>" if new else tag[0], source)


def _is_placeholder(name: str, attributes: dict[str, str]) -> bool:
    """Return whether an attribute may be replaced: it is missing, empty, or shows something else in the meantime."""
    value = attributes.get(name, "").strip()
    if not value or value == "#" or value.startswith(("data:", "about:", "javascript:")):
        return True
    first = value.split()[0]
    if _PLACEHOLDER.search(first) or _LAZY.search(attributes.get("class", "")):
        return True
    return name != "src" and name != "poster" and _is_placeholder("src", attributes)


def _without_twins(html: str) -> str:
    """Return HTML in which a medium that <noscript> repeats occurs only once."""
    drops: list[tuple[int, int]] = []
    for inside in islice(_INSIDE.finditer(html), _MOST):
        media = [(tag, _media(tag)) for tag in _MEDIA.finditer(inside[1])]
        sources = {medium.source for _, medium in media if medium.source}
        for tag, is_adjacent in _around(html, inside) if media else ():
            twin = _media(tag)
            is_twin = twin.source in sources or (is_adjacent and _waits(tag, twin))
            if is_twin and twin.name in {medium.name for _, medium in media}:
                has_words = _ALT.search(tag[0]) or not any(_ALT.search(medium.text) for _, medium in media)
                is_better = has_words and not _is_placeholder("src", {"src": twin.source})
                drops.append(inside.span() if is_better else tag.span())
                break
    pieces, last = [], 0
    for start, end in sorted(drops):
        if start >= last:
            pieces.append(html[last:start])
            last = end
    return "".join([*pieces, html[last:]])


def _around(html: str, inside: re.Match[str]) -> list[tuple[re.Match[str], bool]]:
    """Return the media before and after <noscript>, nearest first, and whether nothing is between the two."""
    before = list(_MEDIA.finditer(html, max(0, inside.start() - _NEAR), inside.start()))
    behind = list(_MEDIA.finditer(html, inside.end(), inside.end() + _NEAR))
    found = [(tag, bool(_SPACE.fullmatch(html, tag.end(), inside.start()))) for tag in reversed(before)]
    return found + [(tag, bool(_SPACE.fullmatch(html, inside.end(), tag.start()))) for tag in behind]


def _waits(tag: re.Match[str], medium: _Media) -> bool:
    """Return whether a medium was lazy: whether it had no address before, or still has only a placeholder."""
    return (
        medium.text != tag[0]
        or " data-" in tag[2]
        or not medium.source
        or _is_placeholder("src", {"src": medium.source})
    )
