"""The authors in front matter: names, "Name <email>", tables, and the short ids of people whom the project knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from publisher.core import patterns
from publisher.core.models import Author
from publisher.posts.front_matter.field_names import FrontMatter, first_text
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.text.excerpt import decoded, plain_line
from publisher.posts.urls import is_web_url

# A separator between names. The part after a comma may belong to the same name, as in O'Brien, Jr. and Acme, Inc.
_BETWEEN_NAMES = patterns.compile(
    r";|,(?!\s*(?:Jr|Sr|II|III|IV|Ph\.?D|M\.?D|Esq|Inc|Ltd|LLC|LLP|PLC|Corp|Co|GmbH|AG|S\.?A|B\.?V)\.?\s*(?:[,;<]|$))",
    re.IGNORECASE,
)
_EMAIL = patterns.compile(r"[^\s<>@]+@[^\s<>@]+")
_UNQUOTED = patterns.compile(r"[\s<>\"\\]")
# Text that is written like an id rather than a name.
_ID = patterns.compile(r"[a-z0-9][a-z0-9_.-]{0,60}")
# A handle after a name: Ada Lovelace <ada>
_HANDLE = patterns.compile(r"<([\w.-]{1,60})>$")


class Bylines:
    """The authors of one post, as its project knows them.

    picture_url  returns the absolute URL of a picture, given its reference in front matter
    warn         takes a warning: its message and its hint
    known        the authors read so far whom the project knows
    """

    def __init__(
        self, settings: PostSettings, picture_url: Callable[[str], str], warn: Callable[[str, str], None]
    ) -> None:
        self._site_author, self._picture_url, self._warn = settings.author, picture_url, warn
        self._people = settings.people() if settings.people else None
        self.known: list[Author] = []

    def read(self, value: Tree) -> tuple[Author, ...]:
        """Return the authors in a value of front matter; without any, the author of the site."""
        if isinstance(value, str):
            value = decoded(value)
            if self._people is None:
                authors = authors_in(value)
            else:
                parts = [value] if self._people.find(value.strip()) else _BETWEEN_NAMES.split(value)
                authors = tuple(filter(None, map(self._author, parts)))
        else:
            authors = tuple(filter(None, map(self._author, value if isinstance(value, list) else [value])))
        return authors or ((self._site_author,) if self._site_author else ())

    def _author(self, item: Tree) -> Author | None:
        if isinstance(item, dict):
            table = FrontMatter(item, {})
            known = self._by_id(first_text(table, "key", "id"))
            author = author_in({"name": known.name, **item} if known else item)
            return self._with_face(author, table, known or Author("")) if author else None
        if not isinstance(item, str):
            return None
        text = item.strip()
        handle = _HANDLE.search(text)
        if found := self._by_id(text) or (self._by_id(handle[1]) if handle else None):
            return found
        if self._people and self._people.is_there and _ID.fullmatch(text):
            what = f"{text!r} is not listed in {self._people.named}, so it is shown as a name"
            self._warn(what, "add the person there, or to [[authors]] in publisher.toml; or write the name")
        return author_in(item)

    def _by_id(self, name: str) -> Author | None:
        """Return the person with this id, if the project knows one."""
        person = self._people.find(name) if self._people and name else None
        if person is None:
            return None
        fields = cast("dict[str, Tree]", person)
        table = FrontMatter(fields, {})
        shown = first_text(table, "name", "displayname", "fullname", "title") or name
        author = author_in({**fields, "name": shown}) or Author(shown)
        found = self._with_face(author, table, Author(""), is_rooted=True)
        self.known.append(found)
        return found

    def _with_face(self, author: Author, table: FrontMatter, known: Author, *, is_rooted: bool = False) -> Author:
        """Return an author with the picture and the description given in a table.

        known      what else is known about the author
        is_rooted  whether a path without a leading slash is relative to the root of the site
        """
        picture = first_text(table, "image", "imageurl", "avatar", "picture", "photo", "profileimage")
        if is_rooted and picture and not picture.startswith("/") and not is_web_url(picture):
            picture = f"/{picture}"
        image = self._picture_url(picture) if picture else ""
        about = plain_line(first_text(table, "about", "bio", "description"))
        email, url = author.email or known.email, author.url or known.url
        return Author(author.name, email, url, image or known.image, about or known.about)


@lru_cache(maxsize=1024)
def authors_in(text: str) -> tuple[Author, ...]:
    """Return the authors in a text, which commas and semicolons separate."""
    return tuple(author for author in map(author_in, _BETWEEN_NAMES.split(text)) if author)


def author_in(item: Tree) -> Author | None:
    """Return the author in a front matter value (a name, "Name <email>" or a table); None if there is no name.

    A handle, as in "Ada Lovelace <ada>", is not part of the name.
    """
    if isinstance(item, dict):
        table = FrontMatter(item, {})
        name = first_text(table, "name", "title", "displayname")
        email = first_text(table, "email", "mail")
        url = first_text(table, "url", "website", "uri", "web", "homepage")
        url = url if is_web_url(url) and not _UNQUOTED.search(url) else ""
        name = plain_line(name) or email
        return Author(name, email if _EMAIL.fullmatch(email) else "", url) if name else None
    if not isinstance(item, str) or not item.strip():
        return None
    text = " ".join(item.split())
    name, opened, email = text.removesuffix(">").rpartition("<")
    if opened and text.endswith(">") and "@" in email[1:-1] and not _UNQUOTED.search(email):
        return Author(name.rstrip().strip('"') or email, email)
    if name.strip() and _HANDLE.search(text):
        text = name.rstrip()
    return Author(plain_line(text))
