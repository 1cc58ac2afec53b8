"""The parts that all pages of a build share: the site, the words, and making keys and links."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from functools import lru_cache, partial
from itertools import islice
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from publisher import __version__
from publisher.config import Config, Person
from publisher.config.palette import Looks
from publisher.core.frozen import dataclass
from publisher.core.i18n import civil_date, direction, own_name
from publisher.core.models import Post, Tag
from publisher.core.templates import Templates
from publisher.posts.permalinks import page_file
from publisher.site.pages.look import Card, Icon, card_of, icons_of, look_of, stylesheet_path
from publisher.site.pages.menu import NO_MENU, Menu, menu_of
from publisher.site.pages.signup import SignUpForm, form_words
from publisher.site.pages.words import words_for

SEPARATOR = "\x1f"

# How many parts of a long page are in memory at once.
_PARTS = 10_000
# A permalink such as "/a/b/". Nearly all look like that, and this saves time when ten thousand are planned.
_PLAIN_PERMALINK = re.compile(r"(?:/[^/.\\][^/\\]*)+/").fullmatch
_FORMATS = {
    "application/rss+xml": "RSS",
    "application/atom+xml": "Atom",
    "application/feed+json": "JSON Feed",
}
_SAFE_IN_PATH = "/._~-!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A link to a feed, for visitors and for autodiscovery. `url` is absolute."""

    title: str
    url: str
    media_type: str

    @property
    def label(self) -> str:
        """The name of its format, for places that show several formats of a feed side by side."""
        return _FORMATS.get(self.media_type, self.title)


@dataclass(frozen=True, slots=True)
class SiteView:
    """The site, which templates use as `site`. `base` is the path of its root: "/" or "/blog/".

    languages  the languages of the site with the URLs of their first pages, if there are several
    folder     the folder of the pages in this language, such as fr/; "" for the usual language
    """

    title: str
    url: str
    base: str
    description: str
    language: str
    image: str
    feeds: tuple[FeedLink, ...]
    has_tags: bool
    has_editions: bool
    form: SignUpForm | None = None
    icons: tuple[Icon, ...] = ()
    menu: Menu = NO_MENU
    author: Person | None = None
    languages: tuple[tuple[str, str], ...] = ()
    folder: str = ""

    @property
    def direction(self) -> str:
        """The direction in which the site's language is written: "ltr" or "rtl"."""
        return direction(self.language)

    def near(self, url: str, up: str) -> str:
        """Return a URL on this site relative to a page whose `page.root` is `up`; return any other URL unchanged."""
        prefix = f"{self.url}/"
        return up + url.removeprefix(prefix) if url.startswith(prefix) else url


@dataclass(frozen=True, slots=True)
class Page:
    """The page being made, which templates use as `page`.

    root     the relative path from the page to the root of the site, such as "../../"; templates put it in front of
             paths from the root, so that the site works under any URL, on a preview server and from disk
    alternates  the same page in other languages, and in its own, as (language, absolute URL)
    section  the menu entry that the page belongs to: "archive", "tags", "editions", "subscribe" or "feeds", or
             the permalink of a standalone page; "" for none
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
    alternates: tuple[tuple[str, str], ...] = ()

    @property
    def direction(self) -> str:
        """The direction in which the page's language is written: "ltr" or "rtl"."""
        return direction(self.language)

    @property
    def translations(self) -> list[tuple[str, str, str]]:
        """The same page in other languages, as (language, its own name, absolute URL)."""
        return [(tag, own_name(tag), url) for tag, url in self.alternates if tag != self.language]


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame around every page of a build. `digest` changes whenever something that every page shows changes.

    say        the words of the sign-up form
    spoken     the words in the languages of posts, as found by words_in()
    card       returns the picture for link previews of a page with this title and language; None if the site has its
               own picture
    site_card  the picture for pages without their own; None if the site has its own picture
    """

    site: SiteView
    words: SimpleNamespace
    say: SimpleNamespace
    looks: Looks
    templates: Templates
    stylesheet: str
    digest: str
    card: Callable[[str, str], Card] | None
    site_card: Card | None
    spoken: dict[str, SimpleNamespace] = field(default_factory=dict, repr=False)

    def key(self, *parts: str) -> str:
        """Return the key of a page with these contents inside the frame."""
        return _hash(self.digest, *parts)

    def render(self, template: str, page: Page, **context: Any) -> bytes:
        """Render the template templates/pages/<template> for a page."""
        return self.templates.render(f"pages/{template}", **self._given(page), **context).encode("utf-8", "replace")

    def render_long(self, template: str, page: Page, **context: Any) -> bytes:
        """Render a page that may have a line for each post. The pieces are joined in groups, to save memory."""
        parts = self.templates.parts(f"pages/{template}", **self._given(page), **context)
        return b"".join("".join(some).encode("utf-8", "replace") for some in in_groups(parts, _PARTS))

    def _given(self, page: Page) -> dict[str, Any]:
        """Return the variables that every template gets."""
        return {
            "site": self.site,
            "words": self.words,
            "say": self.say,
            "looks": self.looks,
            "stylesheet": self.stylesheet,
            "page": page,
        }

    def words_in(self, language: str) -> SimpleNamespace:
        """Return the words in the language of a post, or in the site's language if there is no catalog for it."""
        if language not in self.spoken:
            found = words_for(language, self.templates)
            there = found.language.partition("-")[0].lower() == language.partition("-")[0].lower()
            self.spoken[language] = found if there else self.words
        return self.spoken[language]

    def page(self, path: str, title: str, **facts: Any) -> Page:
        """Return the Page for an output path, in the language of the site. `facts` are further fields of the Page."""
        return Page(
            title=title,
            url=f"{self.site.url}/{href(path.removesuffix('index.html'))}",
            root=root(path),
            language=self.site.language,
            image=facts.pop("image", self.site.image),
            **facts,
        )


def make_frame(
    config: Config,
    templates: Templates,
    feeds: Sequence[FeedLink],
    *,
    has_tags: bool,
    has_editions: bool,
    form: SignUpForm | None = None,
    standalone: Sequence[Post] = (),
    languages: Sequence[str] = (),
    language: str = "",
) -> Frame:
    """Return the frame for all pages of a build. This reads the stylesheets and hashes what every page depends on.

    standalone  the standalone pages, for the menu
    languages   the languages of the posts, if there are several
    language    the language of the pages, if it is not the site's usual one
    """
    homes = tuple((each, f"{config.site_url}/{_folder(config, each)}") for each in languages)
    folder = _folder(config, language) if language else ""
    config = replace(config, site=replace(config.site, language=language)) if language else config
    url, looks = config.site_url, look_of(config)
    card = partial(card_of, config, looks) if config.pages.cards and not config.site.image else None
    site_card = card(config.site.title, config.site.language) if card else None
    image = site_card.path if site_card else config.site.image
    words, say = words_for(config.site.language, templates), form_words(config.site.language, templates)
    has = {"archive": True, "tags": has_tags, "editions": has_editions, "subscribe": bool(form), "feeds": bool(feeds)}
    site = SiteView(
        title=config.site.title,
        url=url,
        base=urlsplit(url).path.rstrip("/") + "/",
        description=config.site.description,
        language=config.site.language,
        image=urljoin(f"{url}/", image.removeprefix("/")) if image else "",
        feeds=tuple(feeds),
        has_tags=has_tags,
        has_editions=has_editions,
        form=form,
        icons=icons_of(config),
        author=_author(config),
        menu=menu_of(config, words, [name for name, there in has.items() if there], standalone, folder),
        languages=homes,
        folder=folder,
    )
    digest = _hash(__version__, templates.digest("pages", "web", "locale"), repr(site), repr(looks))
    return Frame(site, words, say, looks, templates, stylesheet_path(templates, looks), digest, card, site_card)


def _folder(config: Config, language: str) -> str:
    return href(config.site.language_folder(language))


def _author(config: Config) -> Person | None:
    """Return the site's author if they have more than a name to show; the picture's URL is absolute."""
    author = config.site.author
    image = urljoin(f"{config.site_url}/", author.image.removeprefix("/")) if author.image else ""
    return replace(author, image=image) if author.name and (image or author.about) else None


def in_groups(parts: Iterator[str], size: int) -> Iterator[list[str]]:
    """Yield the strings in lists of this size; the last one may be shorter."""
    while group := list(islice(parts, size)):
        yield group


def root(path: str) -> str:
    """Return the relative path from an output path to the root of the site, such as "./" or "../../"."""
    return "../" * path.count("/") or "./"


@lru_cache(maxsize=4096)
def href(path: str) -> str:
    """Return an output path as a quoted link, without a trailing "index.html"."""
    short = path.removesuffix("index.html") if path.endswith("/index.html") or path == "index.html" else path
    return quote(short, safe=_SAFE_IN_PATH)


def output_path(permalink: str) -> str:
    """Return the output path for a permalink. It is always inside the output folder."""
    if _PLAIN_PERMALINK(permalink):
        return f"{permalink[1:]}index.html"
    parts = [part for part in permalink.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return page_file("/".join(parts) + "/" * (permalink.endswith("/") and bool(parts)))


def tag_path(tag: Tag) -> str:
    """Return the output path of a tag's first page."""
    return f"tags/{tag.slug}/index.html"


# Babel takes 11 us to format a date, and a post's date appears on several pages: its own, lists and the archive.
day_in_words = lru_cache(maxsize=65_536)(civil_date)


def _hash(*parts: str) -> str:
    return hashlib.blake2b(SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
