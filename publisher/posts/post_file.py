"""The data types of post files: the settings for reading a file, its front matter, and the result of parsing it.

The archive needs these types even if no file has changed, so this module imports nothing that reads files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from datetime import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from publisher.config import AuthorConfig, Config, SourceConfig, Tool
from publisher.core.errors import PostError
from publisher.core.frozen import dataclass
from publisher.core.models import Author, Post, Problem, Severity
from publisher.posts.adopted_entries import OldEntries
from publisher.posts.chosen_paths import written_folders
from publisher.posts.published import PublishedIds, authority_of
from publisher.posts.scan import Scan, Stamp

if TYPE_CHECKING:
    from publisher.posts.blog_tools.author_data import AuthorData
    from publisher.posts.blog_tools.defaults import Defaults

# A value of front matter: text, null, or a list or table of values.
Tree = str | None | list["Tree"] | dict[str, "Tree"]


@dataclass(frozen=True, slots=True)
class PostSettings:
    """The settings on which a Post depends besides its file: a part of the configuration, and facts about other files.

    published_id  returns the id under which the post of a source path was published; "" if it was not
    was_published_before  returns whether that post was published before escapes and spaces in permalinks were
                          understood
    tool          the tool that the posts were written for, or ""
    defaults      returns the defaults that the tool's files set for posts
    people        returns the people whom posts may name by an id
    authors       the people in publisher.toml
    inherited     a text that changes when the tool's files do
    morning       the time of day at which a post is published if its date is only a day
    needs_date    whether a file without a date is an error
    sources       the sources whose items are posts too
    old           the entries of the old feed, whose ids, addresses and times posts keep
    languages     the languages of the site, including its own; () if they are not set
    written       the folders of the project in which no file is looked for by its name
    translated    sources of posts whose file names contain a language, judging by the files next to them
    shows_drafts  whether drafts are read as posts, so that one can be shown
    own_names     sources of posts that need a name of their own, since another file has the same name except for
                  punctuation
    """

    folder: str
    pattern: str
    site_url: str
    zone: ZoneInfo
    language: str
    author: Author | None
    authority: str
    root: Path
    static: str
    places: tuple[tuple[str, str], ...]
    has_pages: bool
    fix_encoding: bool
    tool: Tool = ""
    defaults: Callable[[], Defaults] | None = field(default=None, repr=False, compare=False)
    people: Callable[[], AuthorData] | None = field(default=None, repr=False, compare=False)
    authors: tuple[AuthorConfig, ...] = ()
    inherited: str = ""
    morning: time = time(9, 0)
    needs_date: bool = True
    sources: tuple[SourceConfig, ...] = ()
    old: OldEntries = field(default_factory=OldEntries)
    languages: tuple[str, ...] = ()
    published_id: Callable[[str], str] = field(default=lambda _: "", repr=False, compare=False)
    was_published_before: Callable[[str], bool] = field(default=lambda _: False, repr=False, compare=False)
    written: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    translated: frozenset[str] = field(default=frozenset(), repr=False)
    own_names: frozenset[str] = field(default=frozenset(), repr=False)
    shows_drafts: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, config: Config) -> PostSettings:
        """Return the settings from the configuration."""
        author = config.site.author
        return cls(
            folder=config.posts.folder,
            pattern=config.posts.permalink,
            site_url=config.site_url,
            zone=config.posts_zone,
            language=config.site.language,
            author=Author(author.name, author.email, author.url) if author.name else None,
            authority=authority_of(config),
            root=config.root,
            static=config.pages.static,
            places=config.pages.places,
            has_pages=config.pages.enabled,
            fix_encoding=config.posts.fix_encoding,
            tool=config.posts.tool,
            defaults=_defaults(config) if config.posts.tool else None,
            people=_people(config) if config.posts.tool or config.authors else None,
            authors=config.authors,
            morning=time.fromisoformat(config.posts.time),
            sources=config.sources,
            old=OldEntries.of(config.root),
            languages=config.site.all_languages,
            written=written_folders(config),
            published_id=_published_id(config),
            was_published_before=_was_published_before(config),
        )

    def for_posts(self, found: Scan) -> PostSettings:
        """Return the settings as they are for the posts that a walk has found; add the problems of the tool's files."""
        if self.defaults is None or self.people is None:
            return self
        defaults, people = self.defaults(), self.people()
        problems = [*defaults.problems(found.found), *people.problems()]
        found.problems.extend(problems)
        found.unread.extend(problem for problem in problems if problem.severity is Severity.ERROR)
        return replace(self, inherited=f"{defaults.key(found.found)} {people.key()}")


def _published_id(config: Config) -> Callable[[str], str]:
    """Return a function that finds the published id of a source, and reads the published ids only if it is called."""
    record = cache(PublishedIds(config).ids)
    return lambda source: record().get(source, "")


def _was_published_before(config: Config) -> Callable[[str], bool]:
    record = cache(PublishedIds(config).with_old_rules)
    return lambda source: source in record()


def _defaults(config: Config) -> Callable[[], Defaults]:
    """Return a function that finds the defaults of the project's tool; it imports the code for that when called."""

    @cache
    def found() -> Defaults:
        """Return the defaults of the blog tool."""
        from publisher.posts.blog_tools.defaults import Defaults  # not at the top: only projects of some tools need it

        return Defaults(config.root, config.posts.folder, config.posts.tool, config.site.language)

    return found


def _people(config: Config) -> Callable[[], AuthorData]:
    """Return a function that finds the project's people; it imports the code for that when called."""

    @cache
    def found() -> AuthorData:
        """Return the authors that the blog tool knows."""
        # Not at the top: only projects of some tools need it.
        from publisher.posts.blog_tools.author_data import AuthorData

        return AuthorData(config.root, config.posts.folder, config.posts.tool, config.authors)

    return found


class Twice(NamedTuple):
    """A key that is written twice. Its second value replaces the first. key: with its table, as in build.list."""

    key: str
    first_line: int
    second_line: int


class Unread(NamedTuple):
    """A part of a YAML value that is not part of the text, although it looks like it.

    key   the key, with its table
    what  the part that is not read, from its first character on: a comment (#), a tag (!) or an anchor (&)
    fix   the line with the value in quotes, which is then read as it is written; "" if there is no such line
    """

    key: str
    line: int
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The front matter of a post file, and the beginning of its body.

    fields     the values by key; every scalar is text, or None for null
    lines      the line in the file, from 1, of every top-level key
    body       the text after the front matter, as far as it was read
    body_line  the line in the file on which the body begins
    twice      the keys that are written twice
    unread     the parts of values that YAML does not read as text
    """

    fields: dict[str, Tree]
    lines: dict[str, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1
    twice: tuple[Twice, ...] = ()
    unread: tuple[Unread, ...] = ()

    def moved(self, lines: int) -> Head:
        """Return the head of the same text with more lines above it."""
        if not lines:
            return self
        return replace(
            self,
            lines={key: line + lines for key, line in self.lines.items()},
            body_line=self.body_line + lines,
            twice=tuple(Twice(key, first + lines, second + lines) for key, first, second in self.twice),
            unread=tuple(each._replace(line=each.line + lines) for each in self.unread),
        )


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The result of parsing a post file.

    post      the post; None for a draft or a file with an error
    problems  the errors and warnings about the file
    measured  the project's files on whose sizes the post depends, as (path, bytes), with -1 for a missing file
    unfit     the error of a permalink that is ignored, so that the post has another address
    is_last_version  whether the post comes from the last readable version, because the file has an error
    left_draft  when the post stopped being a draft, as a timestamp; 0 if it was not one, or if that is not known
    """

    post: Post | None
    problems: tuple[Problem, ...] = ()
    measured: tuple[tuple[str, int], ...] = ()
    unfit: Problem | None = None
    is_last_version: bool = False
    left_draft: float = 0.0


# What the index stores about one file of the posts folder: its path in the folder, stamp, digest and content.
Entry = tuple[str, Stamp, str, ParsedFile]


def problem_of(error: PostError | OSError, path: str) -> Problem:
    """Return the Problem for an error because of which a post is left out. path: the file, relative to the project."""
    if isinstance(error, PostError):
        return Problem(path, error.line, error.message, error.hint)
    return Problem(path, 0, f"cannot be read: {error.strerror}")
