"""The data types for posts. They are frozen, and all their times have a time zone.

Nothing here reads a file, a clock or a setting. The types for newsletters are in newsletter_models, a separate module
because a build with nothing to do doesn't need them, and defining them would take a twentieth of its time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from html import unescape
from urllib.parse import unquote

from publisher.core.errors import PublisherError, file_and_line
from publisher.core.file_names import in_folder
from publisher.core.frozen import dataclass


def require_aware(name: str, value: datetime | None) -> None:
    """Raise ValueError if a datetime has no time zone, since it would mean a different moment on each host."""
    if value is not None and value.utcoffset() is None:
        raise ValueError(f"{name} must have a time zone: {value!r}")


class Severity(StrEnum):
    """The severity of a Problem. A post with an error is skipped; a post with a warning is published."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a file of the project, described in one line.

    path  path of the file, relative to the project
    line  line number from 1; 0 means the whole file
    shows_last_version  whether the site meanwhile shows the last readable version of the post in this file
    """

    path: str
    line: int
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    shows_last_version: bool = False

    @property
    def what(self) -> str:
        """The problem, and what the site shows instead."""
        return f"{self.message}; the site shows its last readable version" if self.shows_last_version else self.message

    @property
    def where(self) -> str:
        """The place as "path:line", or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}{hint}"


def problem_at(error: PublisherError) -> Problem:
    """Return an error as a problem in its file, on its line if it names one."""
    return Problem(*file_and_line(error.where), error.message, error.hint)


@dataclass(frozen=True, slots=True)
class Author:
    """The person or organisation that wrote a post. image: the absolute URL of the author's picture."""

    name: str
    email: str = ""
    url: str = ""
    image: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """The picture of a post. url: the absolute URL."""

    url: str
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the project as pages and emails show it. All URLs are absolute.

    file           its path in the project
    width, height  the maximum size at which it is shown, in CSS pixels
    url            the picture itself
    sources        (width in pixels, URL) of each version that a browser may choose, narrowest first; () if there is no
                   choice
    email          URL of a picture for emails, in a format that every email program shows
    thumbnail      URL of a small picture for emails
    """

    file: str
    width: int
    height: int
    url: str
    sources: tuple[tuple[int, str], ...] = ()
    email: str = ""
    thumbnail: str = ""

    @property
    def fitting(self) -> str:
        """URL of the widest of `sources`, or of the picture itself: large enough for a column of text."""
        return self.sources[-1][1] if self.sources else self.url


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to a post, such as a podcast episode (RSS 2.0 <enclosure>).

    url       absolute URL
    length    size in bytes, 0 if unknown
    duration  length in seconds, 0 if unknown
    """

    url: str
    media_type: str
    length: int = 0
    duration: int = 0


@dataclass(frozen=True, slots=True)
class Episode:
    """The data that podcast directories show about a post with audio or video (Apple's and Podcasting 2.0's elements).

    season, number  0 if unknown
    kind            "full", "trailer", "bonus", or "" if unknown
    title           the title without the number; "" if it is the post's
    explicit        whether it has explicit content; None to follow the whole feed
    transcripts     (absolute URL, media type) of each transcript
    chapters        absolute URL of its chapters as JSON; "" if there are none
    """

    season: int = 0
    number: int = 0
    kind: str = ""
    title: str = ""
    explicit: bool | None = None
    transcripts: tuple[tuple[str, str], ...] = ()
    chapters: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of posts. The slug is readable, unique to the name, and never changes."""

    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Post:
    """The metadata of one Markdown file, or of one item of a source, whose body is not read until it is rendered.

    source     path relative to the posts folder, POSIX style; for an item, a path that no file can have
    id         permanent id: from front matter, or a tag: URI (RFC 4151)
    title      the title; for a post without one, its first words, for places that need a name
    permalink  site-relative path of the page, "/2024/07/06/hello/"; without a page here, the folder of the files that
               it shows
    url        absolute URL of the page, here or elsewhere
    external_url  absolute URL of the page elsewhere that a link post is about; "" for other posts
    excerpt    plain text from front matter; "" if it comes from the body (RenderedPost.excerpt)
    digest     hash that changes whenever the rendered post may change
    files      the picture and enclosures that may be files of the project, as (site path, project path)
    is_listed  whether pages that list posts, feeds and newsletters show it; its own page exists in any case
    has_title  whether the author gave it a title; feeds, pages and emails show a post without one as its text alone
    has_page   whether it is on a page; otherwise it is only sent by email, and no link leads to it
    is_last_version  whether this is the last readable version, because the file has an error now; it is never sent by
                     email
    canonical  absolute URL of the page elsewhere on which it was published; "" if that is the page here
    aliases    its earlier paths on this site, which now lead to its page
    redirect_to  absolute URL to which its own page redirects; "" for nearly all posts
    from_source  name of the source whose item it is; "" for a file
    from_title, from_url  title and page of that source; "" for a file
    translation_key  the key in its front matter that it shares with its translations; "" if there is none
    translations  the (language, URL) of the other posts that are the same text in another language
    also_from    names of the other sources that have the same post
    also_ids     the ids that those sources give it
    first_seen, changed_at  when the item was fetched for the first time, and when it last changed; None for a file
    is_backlog   whether the item came with the first fetch of its source, and so may be old
    is_old       whether it is a part of that backlog that appeared in the feed only later
    is_excerpt   whether its text is only the beginning of the text on its page
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
    external_url: str = ""
    language: str = ""
    excerpt: str = ""
    excerpt_separator: str = ""
    authors: tuple[Author, ...] = ()
    tags: tuple[Tag, ...] = ()
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    in_feeds: bool = True
    in_newsletters: bool = True
    files: tuple[tuple[str, str], ...] = ()
    is_last_version: bool = False
    is_listed: bool = True
    has_title: bool = True
    has_page: bool = True
    canonical: str = ""
    aliases: tuple[str, ...] = ()
    redirect_to: str = ""
    from_source: str = ""
    from_title: str = ""
    from_url: str = ""
    translation_key: str = ""
    translations: tuple[tuple[str, str], ...] = ()
    also_from: tuple[str, ...] = ()
    also_ids: tuple[str, ...] = ()
    first_seen: datetime | None = None
    changed_at: datetime | None = None
    is_backlog: bool = False
    is_old: bool = False
    is_excerpt: bool = False

    def __post_init__(self) -> None:
        require_aware("published", self.published)
        require_aware("updated", self.updated)
        require_aware("expires", self.expires)

    @property
    def is_elsewhere(self) -> bool:
        """Whether its page is elsewhere, so that all links lead there, and this site has none."""
        return bool(self.canonical) and self.url == self.canonical

    def where(self, folder: str) -> str:
        """Return the name of the post for messages: its file in the posts folder `folder`, or an item of its source."""
        return f"source {self.from_source}, item {self.title!r}" if self.from_source else in_folder(folder, self.source)

    def is_public(self, now: datetime) -> bool:
        """Return whether the post is public at the moment `now`."""
        return self.published <= now and (self.expires is None or now < self.expires)


# A piece of code: the dotted name of its type, such as Name.Function, and its text.
Token = tuple[str, str]

# Takes code and its language; returns its tokens, or None if it should be shown without colours.
Lex = Callable[[str, str], list[Token] | None]

# Writes tokens as HTML.
Paint = Callable[[Iterable[Token]], str]

# Takes the language of a listing and its code, as they are in the HTML of a body; returns the code as HTML with
# colours, or None if it is to be shown without them.
Colour = Callable[[str, str], str | None]


_SOURCE = re.compile(r' src="([^"]*)"')


def bare_url(url: str) -> str:
    """Return a URL without query, fragment and escapes, to compare URLs of files."""
    return unquote(url.partition("#")[0].partition("?")[0])


@dataclass(frozen=True, slots=True)
class RenderedPost:
    """A post with its body as HTML.

    html     sanitised, with absolute URLs; code blocks are <pre><code class="language-x"> without highlighting
    excerpt  one paragraph of plain text, empty only if the post is empty
    words    number of words in the body; in scripts without spaces, a character counts as half a word
    assets   files of the project that the body shows, as (site-relative path, path relative to the project)
    pictures  the pictures among the assets, by URL without query and escapes (see `picture`)
    lex      finds the tokens of the body's code within the limits for this post; None if there are no such limits
    colour   returns code with the colours that it got when the post was rendered; None if it got no colours
    maths    the MathML of each formula, by the code element with its TeX in `html`
    """

    post: Post
    html: str
    excerpt: str
    words: int
    problems: tuple[Problem, ...] = ()
    assets: tuple[tuple[str, str], ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    lex: Lex | None = field(default=None, compare=False, repr=False)
    colour: Colour | None = field(default=None, compare=False, repr=False)
    maths: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def picture(self, url: str) -> Picture | None:
        """Return the picture at an absolute URL; None if it does not belong to the project, or can't be read."""
        return self.pictures.get(bare_url(url)) if self.pictures else None

    def shows(self, url: str) -> bool:
        """Return whether the body shows the picture at an absolute URL, or the same file of the project."""
        if "<img" not in self.html:
            return False
        shown = {bare_url(unescape(source)) for source in _SOURCE.findall(self.html)}
        wanted = self.picture(url)
        same = wanted and any((found := self.picture(each)) and found.file == wanted.file for each in shown)
        return bool(same) or bare_url(url) in shown

    @property
    def minutes(self) -> int:
        """The reading time in whole minutes, at least 1, at 220 words a minute."""
        return max(1, round(self.words / 220))


@dataclass(frozen=True, slots=True)
class Output:
    """A file to be written to public/.

    path  path relative to the output folder, in POSIX style, without a leading slash
    key   hash of everything that `make` depends on; if the key is unchanged, so is the file
    make  function that returns the content
    source  the source of the post that `make` renders; "" if there is none, or there are several
    """

    path: str
    key: str
    make: Callable[[], bytes]
    source: str = ""


class UnreadablePostError(PublisherError):
    """Raised if the body of a planned post cannot be rendered, although its front matter is valid."""

    def __init__(self, source: str, problem: Problem) -> None:
        hint = problem.hint or "fix it; until then `publisher build` skips it"
        super().__init__(problem.message, where=problem.where, hint=hint)
        self.source, self.problem = source, problem
