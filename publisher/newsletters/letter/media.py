"""Recordings and embedded pages in a letter: a linked picture where there is one, otherwise a plain link."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html

from publisher.newsletters.letter.sanitise import address
from publisher.newsletters.letter.strings import Words

REPLACED = frozenset({"video", "audio", "iframe", "embed", "object"})
MEDIA_CLASS = "media"
PICTURE_WIDTH = 504  # pixels: the column less the padding of the link around it

_YOUTUBE = re.compile(r"//(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{6,})")
_VIMEO = re.compile(r"//player\.vimeo\.com/video/(\d+)")


def replace_media(element: Any, old: dict[str, str], page: str, words: Words) -> None:
    """Put a link in the place of a recording or frame; without an address of its own it leads to `page`."""
    source = _source(element, old, page)
    target, picture = _watchable(source) if element.tag == "iframe" else (source, old.get("poster", ""))
    if not target.lower().startswith(("http://", "https://")):
        target = page
    link = lxml_html.Element("a")
    link.set("class", MEDIA_CLASS)
    link.set("href", address(target))
    label = f"▶\ufe0e {_label(element.tag, source, target, words)}"
    if picture:
        image = lxml_html.Element("img")
        image.set("src", address(urljoin(page, picture)))
        image.set("alt", "")  # the words stand below it, where they are read without pictures too
        image.set("width", str(PICTURE_WIDTH))
        link.append(image)
        image.tail = label
    else:
        link.text = label
    link.tail = element.tail
    element.getparent().replace(element, link)


def _source(element: Any, old: dict[str, str], page: str) -> str:
    source = old.get("src") or old.get("data") or ""
    if not source:
        nested = element.find(".//source")
        source = (nested.get("src") or "") if nested is not None else ""
    return urljoin(page, source) if source else ""


def _watchable(source: str) -> tuple[str, str]:
    """The page where an embedded video can be watched, and its picture where the host has one."""
    if found := _YOUTUBE.search(source):
        return (
            f"https://www.youtube.com/watch?v={found[1]}",
            f"https://i.ytimg.com/vi/{found[1]}/hqdefault.jpg",
        )
    if found := _VIMEO.search(source):
        return f"https://vimeo.com/{found[1]}", ""
    return source, ""


def _label(tag: str, source: str, target: str, words: Words) -> str:
    if tag == "audio":
        return words.play
    if tag == "video" or target != source:
        return words.watch
    return words.embedded.format(host=urlsplit(target).hostname or "")
