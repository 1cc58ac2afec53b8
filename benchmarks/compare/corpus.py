"""The hostile corpus: one small project, one trap in each post, the same for every generator.

Front matter and file names depend on the generator; the words, dates, tags and files are the ones here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from benchmarks.compare.traps import TRAPS, Trap
from benchmarks.corpus import make_post

URL = "https://compare.example.org"
OTHER_URL = "https://moved.example.net"
TITLE = "Traps & Pitfalls"
DESCRIPTION = "Posts that break feeds."
AUTHOR = "Ada Okafor"
HUB = "https://hub.example.org/"

LIMIT = 30
MOST_BYTES = 500_000
AUDIO_BYTES = 12_345

_NEWEST = datetime(2024, 6, 28, 9, 30, tzinfo=UTC)
_FUTURE = datetime(2099, 1, 1, 9, 30, tzinfo=UTC)
_EDITED = datetime(2024, 7, 9, 16, 45, tzinfo=UTC)
_PLAIN_POSTS = 12
_BIG_POSTS = 30

# One trap each in a project of two posts, so that a broken feed does not spoil the other rows.
BREAKING = {
    "control": ("A title without harm", "Before \x08 after."),
    "cdata": ("A title with ]]> in it", "Before ]]> after, and `]]>` again."),
    "noncharacter": ("A title with a \ufffe in it", "Before \ufffe after."),
    "title": ("Use <head> & <3", "Nothing unusual here."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post, without the front matter of any generator.

    name          stem of its file
    slug          last part of its URL, which may change later
    image, audio  paths below the site's root, "" for none
    """

    name: str
    slug: str
    title: str
    body: str
    published: datetime
    summary: str = ""
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = (AUTHOR,)
    language: str = ""
    image: str = ""
    audio: str = ""
    updated: datetime | None = None
    draft: bool = False

    @property
    def mark(self) -> str:
        """The last word of the text: a feed that shows it shows the full text."""
        return f"endof{self.name}."

    @property
    def text(self) -> str:
        """The Markdown, with the mark at its end."""
        return f"{self.body.strip()}\n\nThe last word is {self.mark}\n"

    @property
    def hidden(self) -> bool:
        """Whether readers must not see it yet."""
        return self.draft or self.published >= _FUTURE


@dataclass(frozen=True, slots=True)
class Corpus:
    """One project: its posts, newest first, and its URL."""

    posts: tuple[Post, ...]
    url: str = URL

    def visible(self) -> tuple[Post, ...]:
        """Return the posts that readers may see."""
        return tuple(post for post in self.posts if not post.hidden)

    def post(self, name: str) -> Post:
        """Return the post with this name."""
        return next(post for post in self.posts if post.name == name)

    def newest_change(self) -> datetime:
        """Return when a visible post was last published or edited."""
        return max(post.updated or post.published for post in self.visible())


def whole_corpus(seed: int = 1) -> Corpus:
    """Return the project used by most rows: every trap, then ordinary posts beyond the limit of the feeds."""
    posts = [_trapped(number, trap) for number, trap in enumerate(TRAPS)]
    return Corpus((*posts, *_ordinary(len(posts), _PLAIN_POSTS, seed, copies=1)))


def breaking_corpus(kind: str) -> Corpus:
    """Return a project of two posts, one of which may break the feed (see BREAKING)."""
    title, body = BREAKING[kind]
    hostile = Post(name="hostile", slug="hostile", title=title, body=body, published=_NEWEST)
    return Corpus((hostile, *_ordinary(1, 1, seed=1, copies=1)))


def big_corpus(seed: int = 1) -> Corpus:
    """Return a project whose newest posts are too large for one feed."""
    return Corpus(tuple(_ordinary(0, _BIG_POSTS, seed, copies=8)))


def moved_corpus(corpus: Corpus) -> Corpus:
    """Return the project after the permalink of the post `plain` changed."""
    posts = (replace(post, slug="elsewhere") if post.name == "plain" else post for post in corpus.posts)
    return replace(corpus, posts=tuple(posts))


def media() -> dict[str, bytes]:
    """Return the project's static files by their paths below the site's root."""
    return {
        "media/picture.png": _png(),
        "media/cover.png": _png(),
        "media/episode.mp3": b"\xff\xfb\x90\x00" + bytes(AUDIO_BYTES - 4),
    }


def _trapped(number: int, trap: Trap) -> Post:
    day = _FUTURE if trap.future else _NEWEST - timedelta(days=number)
    return Post(
        name=trap.name,
        slug=trap.name,
        title=trap.title,
        body=trap.body,
        published=day,
        summary=trap.summary,
        tags=trap.tags,
        authors=trap.authors or (AUTHOR,),
        language=trap.language,
        image=trap.image,
        audio=trap.audio,
        updated=_EDITED if trap.edited else None,
        draft=trap.draft,
    )


def _ordinary(start: int, count: int, seed: int, copies: int) -> Iterator[Post]:
    for number in range(count):
        made = make_post(number, seed)
        body = made.text.split("---\n\n", 1)[1]
        name = f"ordinary{number:02d}"
        day = _NEWEST - timedelta(days=start + number)
        yield Post(name=name, slug=name, title=made.title, body=body * copies, published=day, tags=("plain",))


def _png() -> bytes:
    """Return an image with one pixel."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(4))),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
