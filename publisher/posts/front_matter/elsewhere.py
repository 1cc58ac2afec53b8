"""The pages of other sites that front matter names: the page that a post is about, and the page on which it appeared.

The first makes it a link post, whose own page is here. The second is the post's own page, so links to it lead there,
and there is none here unless the author wants one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.front_matter.field_names import FrontMatter, first_text, fold
from publisher.posts.front_matter.switches import FALSE, TRUE, is_switched, word_of
from publisher.posts.post_file import Tree
from publisher.posts.urls import absolute, is_web_url

_MARKDOWN_LINK = patterns.compile(r"(?:\[[^\[\]]*+\]\(\s*+<?([^<>()\s]++)>?[^()]*+\)|<([^<>]++)>)")
_ODD = "is not the URL of a page elsewhere, and is ignored"
_WHOLE = "write it with https:// at the beginning"

# Takes a line, a message and a hint.
Warn = Callable[[int, str, str], None]


class Canonical(NamedTuple):
    """Where a post was published. url: "" if that is here. is_elsewhere: whether it has no page here."""

    url: str = ""
    is_elsewhere: bool = False


def is_elsewhere(value: str, site_url: str) -> bool:
    """Return whether a value is the URL of a page of another site."""
    return is_web_url(value) and value != site_url and not value.startswith(f"{site_url}/")


def external_url(meta: FrontMatter, site_url: str, warn: Warn) -> str:
    """Return the URL of the page elsewhere that the post is about; "" if it is not a link post."""
    for field in ("external_url", "permalink"):
        for key, value, line in meta.all(field):
            url = linked(value)
            if field == "permalink" and (fold(key) == "permalink" or " " in url):
                continue
            if is_elsewhere(url, site_url):
                return absolute(url.replace(" ", "%20"), "")
            if field == "external_url" and re.search("[.:/]", url) and not re.match(r"/(?!/)|https?:", url):
                warn(line, f"{key}: {shortened(url)!r} {_ODD}", _WHOLE)
    return ""


def canonical(meta: FrontMatter, site_url: str, warn: Warn) -> Canonical:
    """Return where the post was published, according to `canonical`, or a `permalink` that is a whole URL.

    It has a page here as well with `republish: true`, or if the key of the URL belongs to tools whose posts have both.
    """
    for field in ("canonical", "permalink"):
        for key, value, line in meta.all(field):
            url = linked(value)
            if field == "permalink" and (fold(key) != "permalink" or " " in url):
                continue
            if is_elsewhere(url, site_url):
                return Canonical(absolute(url.replace(" ", "%20"), ""), not _republishes(meta, key, warn))
            if field == "canonical" and url and not re.match(r"/(?!/)|https?:", url):
                warn(line, f"{key}: {shortened(url)!r} {_ODD}", _WHOLE)
    return Canonical()


def _republishes(meta: FrontMatter, key: str, warn: Warn) -> bool:
    value, line = meta.find("republish")
    word = word_of(value)
    if value and word not in TRUE | FALSE:
        warn(line, "republish is ignored: it is neither true nor false", "write true or false")
    return word in TRUE if word in TRUE | FALSE else fold(key) == "canonicalurl"


def linked(value: Tree) -> str:
    """Return the URL in the value of a field, where it may be in angle brackets, a Markdown link, a list or a table."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = first_text(FrontMatter(value, {}), "url", "href", "link")
    if not isinstance(value, str) or is_switched(value):
        return ""
    found = _MARKDOWN_LINK.fullmatch(value.strip())
    return (found[1] or found[2]) if found else value.strip()


def shortened(text: str) -> str:
    """Return a value in the short form that messages show."""
    return text if len(text) <= 40 else f"{text[:39]}…"
