"""What all pages of one build share: the site, the stylesheet, the words, and how keys and bytes are made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from publisher import __version__
from publisher.config import Config
from publisher.core.i18n import direction
from publisher.core.models import Tag
from publisher.core.templates import Templates, civil_date
from publisher.site.pages.words import words_for

SEPARATOR = "\x1f"
# "/a/b/": nearly every permalink there is, worth a way of its own when ten thousand are planned.
_PLAIN_PERMALINK = re.compile(r"(?:/[^/.\\][^/\\]*)+/").fullmatch
_FORMATS = {
    "application/rss+xml": "RSS",
    "application/atom+xml": "Atom",
    "application/feed+json": "JSON Feed",
}
_SAFE_IN_PATH = "/._~-!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that pages name for readers and for autodiscovery; url is absolute."""

    title: str
    url: str
    media_type: str

    @property
    def label(self) -> str:
        """Its format's name, for a reader who sees all feeds of one title side by side."""
        return _FORMATS.get(self.media_type, self.title)


@dataclass(frozen=True, slots=True)
class SiteView:
    """What templates know about the site, as `site`. base is the path it lives under: "/" or "/blog/"."""

    title: str
    url: str
    base: str
    description: str
    language: str
    image: str
    feeds: tuple[FeedLink, ...]
    has_tags: bool
    has_editions: bool

    @property
    def direction(self) -> str:
        return direction(self.language)

    def near(self, url: str, up: str) -> str:
        """Return an address on this site as seen from a page with `up` as its root; any other as it is."""
        prefix = f"{self.url}/"
        return up + url.removeprefix(prefix) if url.startswith(prefix) else url


@dataclass(frozen=True, slots=True)
class Page:
    """What templates know about the page being made, as `page`.

    root     what to put before a site-relative path to get there from this page ("../../"): so the site works
             under any address, on a preview server and from the disk.
    section  which entry of the site's menu it belongs to: "", "archive", "tags" or "editions"
    """

    title: str
    url: str
    root: str
    language: str
    description: str = ""
    image: str = ""
    image_alt: str = ""
    kind: str = "website"
    section: str = ""
    feeds: tuple[FeedLink, ...] = ()

    @property
    def direction(self) -> str:
        return direction(self.language)


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame around every page of one build. digest stands for all that every page shows."""

    site: SiteView
    words: SimpleNamespace
    templates: Templates
    stylesheet: str
    digest: str

    def key(self, *parts: str) -> str:
        """Return the key of a page that shows these parts besides the frame."""
        return _hash(self.digest, *parts)

    def render(self, template: str, page: Page, **context: Any) -> bytes:
        """Render templates/pages/<template> for a page."""
        text = self.templates.render(
            f"pages/{template}",
            site=self.site,
            words=self.words,
            stylesheet=self.stylesheet,
            page=page,
            **context,
        )
        return text.encode("utf-8", "replace")

    def page(self, path: str, title: str, **facts: Any) -> Page:
        """Describe a page in the site's own language at an output path."""
        return Page(
            title=title,
            url=f"{self.site.url}/{href(path.removesuffix('index.html'))}",
            root=root(path),
            language=self.site.language,
            image=facts.pop("image", self.site.image),
            **facts,
        )


def make_frame(
    config: Config, templates: Templates, feeds: Sequence[FeedLink], *, has_tags: bool, has_editions: bool
) -> Frame:
    """Read the stylesheets and hash, once, what every page depends on."""
    url = config.site_url
    site = SiteView(
        title=config.site.title,
        url=url,
        base=urlsplit(url).path.rstrip("/") + "/",
        description=config.site.description,
        language=config.site.language,
        image=urljoin(f"{url}/", config.site.image.removeprefix("/")) if config.site.image else "",
        feeds=tuple(feeds),
        has_tags=has_tags,
        has_editions=has_editions,
    )
    digest = _hash(__version__, templates.digest("pages", "web", "locale"), repr(site))
    return Frame(site, words_for(site.language, templates), templates, stylesheet_path(templates), digest)


def stylesheet(templates: Templates) -> str:
    """Return the site's whole stylesheet: the look of pages, of forms, then the colours of code."""
    return "".join(templates.source(f"pages/{name}.css") for name in ("site", "forms", "highlight"))


def stylesheet_path(templates: Templates) -> str:
    """Return the stylesheet's output path; its name changes with its content, to be cached for ever."""
    return f"assets/site.{_hash(stylesheet(templates))[:10]}.css"


def root(path: str) -> str:
    """Return the way from an output path up to the site's root: "./" or "../../"."""
    return "../" * path.count("/") or "./"


@lru_cache(maxsize=65_536)
def href(path: str) -> str:
    """Return an output path as it stands in a link, quoted; "index.html" at its end goes without saying."""
    short = path.removesuffix("index.html") if path.endswith("/index.html") or path == "index.html" else path
    return quote(short, safe=_SAFE_IN_PATH)


def output_path(permalink: str) -> str:
    """Return the file that serves a permalink, always inside the output folder."""
    if _PLAIN_PERMALINK(permalink):
        return f"{permalink[1:]}index.html"
    parts = [part for part in permalink.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if parts and parts[-1].endswith((".html", ".htm", ".xhtml")):
        return "/".join(parts)
    return "/".join([*parts, "index.html"])


def tag_path(tag: Tag) -> str:
    """Return the output path of a tag's first page."""
    return f"tags/{tag.slug}/index.html"


# Babel takes 11 us a date and every post's date stands on several pages: the post's, lists, the archive.
day_in_words = lru_cache(maxsize=65_536)(civil_date)


def _hash(*parts: str) -> str:
    return hashlib.blake2b(SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
