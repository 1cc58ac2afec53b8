"""The picture that represents an item: the feed's own choice, or else the first large one in its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

from publisher.core.frozen import dataclass
from publisher.core.models import Image, bare_url
from publisher.posts.media_types import PICTURES, ending_of
from publisher.posts.sources.item_text import absolute_web

# A picture in the text narrower than the first is not what a post is about, and one that the feed names is not worth
# showing if it is narrower than the second.
_LEAST_WIDTH, _LEAST_NAMED = 200, 100
_MOST_TEXT = 1000

# Addresses of pictures that show the author, a smiley, a counter or a button.
_OTHER_PICTURE = re.compile(
    r"gravatar\.com/|/avatars?[/.?_-]|[/_-]avatar\b|/profile_images/|/emojis?/|/smil(?:ies|eys?)/|twemoji|/s\.w\.org/images/core"
    r"|[/_.-](?:1x1|pixel|spacer|blank|transparent|clear|dot|favicon|feed-icon|feedicon|rss-icon)\b[^/]{0,40}$"
    r"|//img\.shields\.io/|//badge[s.]|/badge\.svg|feedburner\.com/~|/share[_-]?(?:button|icon)|//(?:pixel|stats?|counter)\."
    r"|[?&]action=.{0,20}pixel|/tracker/|paypal(?:objects)?\.com/.{0,40}/btn",
    re.IGNORECASE,
)
# Sizes in addresses: photo-150x150.jpg (WordPress), ?w=150, /s72-c/ and =s72-c (Blogger).
_SIZE_IN_URL = re.compile(
    r"[-_](\d{2,4})x\d{2,4}(?:[-_]\w{1,20})?\.[a-z]{3,4}(?:\?|$)|[?&](?:w|width)=(\d{1,4})\b|[/=][sw](\d{2,4})(?:-[a-z0-9-]{1,20})?(?:/|$)",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"<img\b((?:\s[a-z:-]+(?:=\"[^\"]*\")?)*)\s*/?>")
_POSTER = re.compile(r'<video\b[^<>]*?\sposter="([^"]*)"')
_ATTRIBUTE = re.compile(r'\s([a-z:-]+)="([^"]*)"')
_CANDIDATE_WIDTH = re.compile(r"\s(\d{1,5})w\b")
_RESIZED = re.compile(r"-\d{2,4}x\d{2,4}(?=\.[a-z]{3,4}$)|-scaled(?=\.[a-z]{3,4}$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedPictures:
    """The places in an item where its feed may name pictures.

    media, thumbnails  the attributes of <media:content> and <media:thumbnail>
    enclosures         the attributes of its enclosures, whose URL is `href`
    own                the picture of the item itself, such as an episode's
    words, caption     the alternative text and the caption of the only <media:content>, or of `own`
    html               its clean text
    """

    media: tuple[Mapping[str, Any], ...] = ()
    thumbnails: tuple[Mapping[str, Any], ...] = ()
    enclosures: tuple[Mapping[str, Any], ...] = ()
    own: str = ""
    html: str = ""
    words: str = ""
    caption: str = ""


def picture_of(pictures: NamedPictures, base: str, title: str) -> Image | None:
    """Return the picture that represents an item; None if it has none.

    base   the URL to which the references of the feed are relative
    title  the item's title, which describes the picture if nothing else does
    Pictures that the feed names come first: <media:content>, <media:thumbnail>, an enclosure, the item's own picture. A
    small one of these counts only if the text has no large picture.
    """
    shown = list(_shown(pictures.html))
    named = [(absolute_web(base, url), width) for url, width in _named(pictures)]
    named = [(url, width) for url, width in named if url and _may_stand(url)]
    large = next((url for url, width in named if not width or width >= _LEAST_WIDTH), "")
    first = next((url for url, width, _ in shown if not width or width >= _LEAST_WIDTH), "")
    small = next((url for url, width in named if width >= _LEAST_NAMED), "")
    chosen = large or first or small or _poster(pictures.html)
    if not chosen:
        return None
    is_described = len(pictures.media) <= 1 and bool(named) and chosen == named[0][0]
    words, caption = (pictures.words, pictures.caption) if is_described else ("", "")
    return Image(chosen, words[:_MOST_TEXT] or _alt(chosen, shown) or title, caption[:_MOST_TEXT])


def _named(pictures: NamedPictures) -> Iterator[tuple[str, int]]:
    """Yield (reference, width in pixels or 0) of each picture that the feed names, the best first."""
    for each in _by_size([each for each in pictures.media if _is_picture(each, "url")]):
        yield str(each["url"]), _width(str(each["url"]), each)
    for each in _by_size([each for each in pictures.thumbnails if each.get("url")]):
        yield str(each["url"]), _width(str(each["url"]), each)
    for each in pictures.enclosures:
        if _is_picture(each, "href"):
            yield str(each["href"]), _width(str(each["href"]), each)
    if pictures.own:
        yield pictures.own, _width(pictures.own, {})


def _by_size(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sort pictures with the default one first. If all of them have a width, they are one picture in several sizes."""
    widths = [_number(each.get("width")) for each in found]
    order = [-width for width in widths] if all(widths) else [0] * len(found)
    defaults = [str(each.get("isdefault", "")).lower() != "true" for each in found]
    ranked = sorted(zip(defaults, order, range(len(found)), strict=True))
    return [found[number] for _, _, number in ranked]


def _is_picture(each: Mapping[str, Any], key: str) -> bool:
    kind, url = str(each.get("medium") or each.get("type") or ""), str(each.get(key) or "")
    if kind:
        return bool(url) and kind.startswith("image")
    return ending_of(bare_url(url)) in PICTURES


def _may_stand(url: str) -> bool:
    """Return whether a picture may represent an item, judging by its address. Emails do not show SVG."""
    return _OTHER_PICTURE.search(url) is None and ending_of(bare_url(url)) not in (".svg", ".ico")


def _width(url: str, attributes: Mapping[str, Any]) -> int:
    found = _SIZE_IN_URL.search(url)
    return _number(attributes.get("width")) or (int(found[1] or found[2] or found[3]) if found else 0)


def _number(value: object) -> int:
    text = str(value or "").strip().removesuffix("px")
    return int(text) if re.fullmatch(r"\d{1,5}", text, re.ASCII) else 0


def _shown(html: str) -> Iterator[tuple[str, int, str]]:
    """Yield (URL, width in pixels or 0, alternative text) of the pictures in a clean text that may represent it."""
    for image in _IMAGE.finditer(html):
        attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(image[1])}
        url = absolute_web("", attributes.get("src", ""))
        if url and _may_stand(url):
            widths = [int(width) for width in _CANDIDATE_WIDTH.findall(attributes.get("srcset", ""))]
            width = _number(attributes.get("width")) or max(widths, default=0) or _width(url, {})
            yield url, width or _if_low(attributes), " ".join(attributes.get("alt", "").split())[:_MOST_TEXT]


def _if_low(attributes: Mapping[str, str]) -> int:
    """Return the height in place of the width if a picture is too low to be more than a dot or a line; else 0."""
    height = _number(attributes.get("height"))
    return height if 0 < height < _LEAST_NAMED // 2 else 0


def _poster(html: str) -> str:
    found = _POSTER.search(html) if "<video" in html else None
    return absolute_web("", unescape(found[1])) if found else ""


def _alt(chosen: str, shown: Iterable[tuple[str, int, str]]) -> str:
    """Return the alternative text of the same picture in the item's text; "" if it isn't there."""
    name = _file_of(chosen)
    return next((alt for url, _, alt in shown if alt and _file_of(url) == name), "")


def _file_of(url: str) -> str:
    """Return the part of a picture's address that is the same for all sizes of the picture."""
    return _RESIZED.sub("", bare_url(url).partition("//")[2])
