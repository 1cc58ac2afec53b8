"""The result of rendering a body, as the child process returns it."""

from __future__ import annotations

from typing import NamedTuple

from publisher.core.models import Picture, Problem


class LocalLink(NamedTuple):
    """A link without a domain.

    url      absolute URL
    written  the link as written in the post
    line     line of the file
    """

    url: str
    written: str
    line: int


class RenderedBody(NamedTuple):
    """The result of rendering a body. The first six fields are those of RenderedPost.

    lost   the URLs, without query and escapes, of the pictures in the front matter that are known to be missing
    links  the sources of the posts that it links to
    local  the links that were written without a domain; only if the body was inspected
    """

    html: str
    excerpt: str
    words: int
    problems: tuple[Problem, ...]
    assets: tuple[tuple[str, str], ...]
    maths: dict[str, str]
    pictures: dict[str, Picture]
    lost: list[str]
    links: list[str]
    local: list[LocalLink]

    @classmethod
    def plain(cls, html: str, excerpt: str, words: int) -> RenderedBody:
        """Return a body that is only text."""
        return cls(html, excerpt, words, (), (), {}, {}, [], [], [])

    @property
    def is_plain(self) -> bool:
        """Whether the body is only text, so that it depends on no file but its post's."""
        return not any(self[3:])
