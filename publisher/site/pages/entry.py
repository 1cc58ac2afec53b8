"""A post as lists show it: its line in the index, under a tag, in the archive, beside its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from publisher.core.i18n import direction
from publisher.core.models import Image, Post
from publisher.site.pages.frame import SEPARATOR, day_in_words, href, output_path


@dataclass(frozen=True, slots=True)
class Entry:
    """One post seen from outside.

    path   its output file
    stamp  its publication in ISO 8601, and updated its last change
    link   what a bare link to it shows; changes with title and address
    face   what a list shows of it; changes with that, its date, image and written excerpt
    """

    post: Post
    path: str
    language: str
    stamp: str
    updated: str
    link: str
    face: str

    @property
    def title(self) -> str:
        return self.post.title

    @property
    def href(self) -> str:
        """Its address from the site's root, quoted; templates put `page.root` before it."""
        return href(self.path)

    @property
    def direction(self) -> str:
        return direction(self.language)

    @property
    def image(self) -> Image | None:
        return self.post.image

    @property
    def excerpt(self) -> str:
        """The excerpt from front matter, "" if there is none: a list of old posts renders no post."""
        return self.post.excerpt

    @property
    def year(self) -> int:
        return self.post.published.year

    def day(self, language: str, style: str = "long") -> str:
        """Return its day in words of a language."""
        return day_in_words(self.post.published.date(), language, style)


def make_entry(post: Post, site_language: str) -> Entry:
    """Look at a post from outside; hashes and joins only, since planning does this for every post."""
    language = post.language or site_language
    stamp = post.published.isoformat()
    updated = stamp if post.updated is post.published else post.updated.isoformat()
    link = f"{post.title}{SEPARATOR}{post.permalink}{SEPARATOR}{language}"
    image = f"{post.image.url}{SEPARATOR}{post.image.alt}" if post.image else ""
    face = SEPARATOR.join((link, stamp, post.excerpt, image))
    return Entry(post, output_path(post.permalink), language, stamp, updated, link, face)
