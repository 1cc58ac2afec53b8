"""What the index keeps of a file, and the settings on which that depends. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.config import Config
from publisher.core.models import Author, Post, Problem
from publisher.posts.published import authority_of


@dataclass(frozen=True, slots=True)
class Settings:
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
    def of(cls, config: Config) -> Settings:
        """Pick the settings out of the configuration."""
        person = config.site.author
        return cls(
            folder=config.posts.folder,
            pattern=config.posts.permalink,
            site_url=config.site_url,
            zone=config.zone,
            language=config.site.language,
            author=Author(person.name, person.email, person.url) if person.name else None,
            authority=authority_of(config),
            root=config.root,
            static=config.pages.static,
            fix_encoding=config.posts.fix_encoding,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What one file turned out to be: a post, a draft (both None), or an error; with warnings.

    measured  files of the project on whose size the post depends: (path, bytes), -1 for one that is not there
    """

    post: Post | None
    problems: tuple[Problem, ...] = ()
    measured: tuple[tuple[str, int], ...] = ()
