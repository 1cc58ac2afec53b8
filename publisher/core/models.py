"""The nouns of posts: frozen, complete at birth, times aware. Nothing here reads a file, a clock or a setting.

The nouns of sending are in newsletter_models. The two are apart on purpose: a build with nothing to do needs only
these, and defining the other classes would take a twentieth of its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


def require_aware(name: str, value: datetime | None) -> None:
    """Raise ValueError when a datetime carries no zone: a naive time means another hour on another machine."""
    if value is not None and value.utcoffset() is None:
        raise ValueError(f"{name} must carry a time zone: {value!r}")


class Severity(StrEnum):
    """How bad a Problem is: an error leaves the post out, a warning publishes it all the same."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what a person wrote, said in one line.

    path is relative to the project; line counts from 1, 0 means the whole file.
    """

    path: str
    line: int
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"


@dataclass(frozen=True, slots=True)
class Author:
    """A person or an organisation that wrote a post."""

    name: str
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """The picture of a post; url is absolute."""

    url: str
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to a post, such as a podcast episode (RSS 2.0 <enclosure>).

    url is absolute; length is in bytes (0 where it is not known); duration in seconds (0 likewise).
    """

    url: str
    media_type: str
    length: int = 0
    duration: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """A subject that posts share. The slug is distinct for distinct names, readable, and stable for ever."""

    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Post:
    """The metadata of one Markdown file; its body is not read until it is rendered.

    source     path relative to the posts folder, POSIX style
    id         permanent: from front matter, or a tag: URI (RFC 4151)
    permalink  site-relative path of the page, "/2024/07/06/hello/"
    url        absolute address of the page
    excerpt    plain text from front matter, "" where the body gives it (RenderedPost.excerpt)
    digest     changes whenever the rendered post may change
    files      picture and enclosures that may be files of the project: (site path, project path)
    """

    source: str
    id: str
    title: str
    permalink: str
    url: str
    published: datetime
    updated: datetime
    digest: str
    expires: datetime | None = None
    language: str = ""
    excerpt: str = ""
    excerpt_separator: str = ""
    authors: tuple[Author, ...] = ()
    tags: tuple[Tag, ...] = ()
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    in_feeds: bool = True
    in_newsletters: bool = True
    files: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        require_aware("published", self.published)
        require_aware("updated", self.updated)
        require_aware("expires", self.expires)

    def is_public(self, now: datetime) -> bool:
        """Return whether readers may see the post at the moment `now`."""
        return self.published <= now and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class RenderedPost:
    """A post with its body as HTML.

    html     sanitised, every URL absolute; code blocks are <pre><code class="language-x"> without highlighting
    excerpt  plain text, one paragraph, never empty unless the post is
    words    how many words the body has (a character counts as half a word in scripts without spaces)
    assets   files of the project that the body shows: site-relative path -> path relative to the project
    """

    post: Post
    html: str
    excerpt: str
    words: int
    problems: tuple[Problem, ...] = ()
    assets: tuple[tuple[str, str], ...] = ()

    @property
    def minutes(self) -> int:
        """Reading time in whole minutes at 220 words a minute, at least 1."""
        return max(1, round(self.words / 220))


@dataclass(frozen=True, slots=True)
class Output:
    """One file of public/, not made yet.

    path  relative to the output folder, POSIX style, no leading slash
    key   hash of everything that `make` depends on: an equal key needs no making
    make  returns the bytes
    """

    path: str
    key: str
    make: Callable[[], bytes]
