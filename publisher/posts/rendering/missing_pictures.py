"""Pictures that are left out, because they have no address or their file doesn't exist.

Their alt text stays as words. Elements that only a picture needs are removed with it: the sources of a <picture>, an
empty paragraph.
"""

from __future__ import annotations

import re

from publisher.core import patterns

_IMAGE = patterns.compile(r"<img\b[^<>]*>")
_WITHOUT_ADDRESS = patterns.compile(r'<(?:img(?![^<>]* src=")|source(?![^<>]* src(?:set)?="))')
_ALT = patterns.compile(r' alt="([^"]*)"')
_SOURCE = patterns.compile(r' src="')
# The first URL of a srcset. The sanitiser has escaped the commas in it.
_CANDIDATE = patterns.compile(r' srcset="([^"\s,]+)')
_PICTURE = patterns.compile(r"<picture\b[^<>]*>((?:[^<]++|<(?!/?picture\b))*+)</picture>")
_LOST_SOURCE = patterns.compile(r'<source(?![^<>]* src(?:set)?=")[^<>]*>\s*')
_CAPTION = patterns.compile(r"(?:</a>|</p>|\s)*<figcaption>\s*+([^<]*)</figcaption>")
_LONGEST_CAPTION = 2_000

# In place of a picture without words. No body otherwise contains control characters.
_NOTHING = "\x1a"
_ONLY_NOTHING = patterns.compile(rf"<(p|figure)>\s*+{_NOTHING}[\s{_NOTHING}]*+</\1>\n?")
_LINKED_NOTHING = patterns.compile(rf'(<a [^<>]*?\bhref="([^"]*)"[^<>]*>)\s*+{_NOTHING}[\s{_NOTHING}]*+</a>')


def alt_as_words(clean: str) -> str:
    """Return sanitised HTML in which the alt text of a picture without an address replaces the picture.

    A link with no other content shows its address. In a <picture>, another source takes the place of a missing one.
    """
    if "<img" not in clean or not _WITHOUT_ADDRESS.search(clean):
        return clean
    if "<picture" in clean:
        clean = _PICTURE.sub(_of_what_is_there, clean)
    html = _IMAGE.sub(_or_words, clean)
    if _NOTHING not in html:
        return html
    html = _LINKED_NOTHING.sub(r"\1\2</a>", html)
    return _ONLY_NOTHING.sub("", html).replace(_NOTHING, "")


def _of_what_is_there(picture: re.Match[str]) -> str:
    """Return a <picture> without the sources that lack an address; if none has one, return its content alone."""
    inside = _LOST_SOURCE.sub("", picture[1])
    image, candidate = _IMAGE.search(inside), _CANDIDATE.search(inside)
    if image and not _SOURCE.search(image[0]) and candidate:
        inside = f'{inside[: image.start()]}<img src="{candidate[1]}"{inside[image.start() + 4 :]}'
    elif not candidate:
        return inside
    return f"<picture>{inside}</picture>"


def _or_words(image: re.Match[str]) -> str:
    if _SOURCE.search(image[0]):
        return image[0]
    candidate = _CANDIDATE.search(image[0])
    if candidate:
        return f'<img src="{candidate[1]}"{image[0][4:]}'
    alt = _ALT.search(image[0])
    words = alt[1].strip() if alt else ""
    caption = _CAPTION.match(image.string, image.end(), image.end() + _LONGEST_CAPTION)
    return _NOTHING if not words or (caption and caption[1].strip() == words) else words
