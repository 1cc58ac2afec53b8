"""One post file: the settings that it is read with, what its front matter says, and what it turned out to be.

The archive needs these types even when no file changed, so this module imports nothing that reads files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.config import Config
from publisher.core.errors import PostError
from publisher.core.models import Author, Post, Problem
from publisher.posts.published import authority_of

# A value of front matter: text, null, or a list or table of values.
Tree = str | None | list["Tree"] | dict[str, "Tree"]


@dataclass(frozen=True, slots=True)
class PostSettings:
    """The part of the configuration on which a Post depends, ready to use."""

    folder: str
    pattern: str
    site_url: str
    zone: ZoneInfo
    language: str
    author: Author | None
    authority: str
    root: Path
    static: str
    fix_encoding: bool

    @classmethod
    def of(cls, config: Config) -> PostSettings:
        """Pick the settings out of the configuration."""
        author = config.site.author
        return cls(
            folder=config.posts.folder,
            pattern=config.posts.permalink,
            site_url=config.site_url,
            zone=config.zone,
            language=config.site.language,
            author=Author(author.name, author.email, author.url) if author.name else None,
            authority=authority_of(config),
            root=config.root,
            static=config.pages.static,
            fix_encoding=config.posts.fix_encoding,
        )


@dataclass(frozen=True, slots=True)
class Head:
    """The front matter of a post file, and where its body begins.

    fields     the values by key; every scalar is text (None where YAML says null)
    lines      the line in the file, from 1, of every top-level key
    body       the text after the front matter, as much of it as was read
    body_line  the line in the file on which the body begins
    """

    fields: dict[str, Tree]
    lines: dict[str, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file turned out to be: a post, or none (a draft, or a file with an error); and its problems.

    measured  files of the project on whose size the post depends: (path, bytes), with -1 for a file that is missing
    """

    post: Post | None
    problems: tuple[Problem, ...] = ()
    measured: tuple[tuple[str, int], ...] = ()


def problem_of(error: PostError | OSError, path: str) -> Problem:
    """Return the error that leaves a post out, for the file at `path` in the project."""
    if isinstance(error, PostError):
        return Problem(path, error.line, error.message, error.hint)
    return Problem(path, 0, f"cannot be read: {error.strerror}")
