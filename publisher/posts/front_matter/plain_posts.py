"""The short way from a plain file to its Post.

Most posts have a title, a date, tags and an author on plain lines, and nothing that their writer must be warned about.
Their Post is made here with a few look-ups. All other files take the long way, through posts.front_matter.metadata, and
so does every file about which anything here is not certain. A test compares both ways for front matter of all kinds.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from publisher.core.models import Author, Post, Tag
from publisher.posts.front_matter.bylines import authors_in
from publisher.posts.front_matter.dates import parse_date
from publisher.posts.front_matter.field_names import FrontMatter, keys_of
from publisher.posts.front_matter.metadata import tags_of
from publisher.posts.front_matter.parsing import simple_yaml
from publisher.posts.front_matter.post_address import is_plain_pattern
from publisher.posts.permalinks import file_date, is_surely_free, name_of, permalink, tag_uri
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.slugs import is_slug
from publisher.posts.text.encoding import is_surely_clean, is_suspect
from publisher.posts.text.excerpt import decoded, is_visible, plain_line, says_more
from publisher.posts.text.typography import typeset


class _NotPlainError(Exception):
    """The file must take the long way."""


class PlainPosts:
    """The short way for the posts of one project."""

    def __init__(self, settings: PostSettings) -> None:
        self._settings = settings
        # In other projects, a post depends on more than its own file.
        self._is_usual = (
            not (settings.tool or settings.languages or settings.people or settings.old.text)
            and settings.needs_date
            and is_plain_pattern(settings.pattern)
        )
        self._site_authors = (settings.author,) if settings.author else ()

    def post(self, front: str, source: str, digest: str) -> Post | None:
        """Return the post of a file; None if it must take the long way.

        front   the front matter with its fences, which are three hyphens and nothing else
        source  the path of the file in the posts folder
        digest  the digest that the post gets
        """
        if not self._is_usual or not source.endswith(".md") or "_drafts/" in source:
            return None
        if source in self._settings.translated or not is_surely_clean(front) or is_suspect(front):
            return None
        simple = simple_yaml(front[4:-4])
        keys = _plain_keys(tuple(simple[0])) if simple else None
        if simple is None or keys is None:
            return None
        try:
            return self._post(simple[0], keys, source, digest)
        except (_NotPlainError, ValueError):  # a ValueError is a date that is not valid
            return None

    def _post(self, fields: dict[str, Tree], keys: _PlainKeys, source: str, digest: str) -> Post:
        settings = self._settings
        if keys.draft and fields[keys.draft] != "false":
            raise _NotPlainError
        folder, name = name_of(source)
        published = self._date(fields[keys.date])
        civil = published.astimezone(settings.zone).date()
        day, rest = file_date(name) or (civil, name)
        where = {"folder": folder, "slug": rest, "language": settings.language}
        path = permalink(settings.pattern, day=civil, **where)
        if not is_slug(rest) or "%" in folder or not is_surely_free(path):
            raise _NotPlainError
        title = _title(fields[keys.title])
        return Post(
            source=source,
            id=tag_uri(settings.authority, day, folder, rest),
            title=title,
            permalink=path,
            url=settings.site_url + path,
            published=published,
            updated=published,
            digest=digest,
            language=settings.language,
            excerpt=_excerpt(fields[keys.excerpt], title) if keys.excerpt else "",
            authors=(_authors(fields[keys.author]) if keys.author else ()) or self._site_authors,
            tags=_tags(keys.tags, fields[keys.tags]) if keys.tags else (),
        )

    def _date(self, value: Tree) -> datetime:
        if not isinstance(value, str) or not value or value.startswith(("0001", "9999")):
            raise _NotPlainError
        return parse_date(value, self._settings.zone, morning=self._settings.morning)


class _PlainKeys(NamedTuple):
    """The keys of plain front matter, as they are written; "" for a field that it does not have."""

    title: str
    date: str
    tags: str
    author: str
    excerpt: str
    draft: str


# The fields of plain front matter, and the only spelling for those of which some spellings have a meaning of their own.
_FIELDS = {"title": "", "published": "date", "tags": "", "authors": "", "excerpt": "", "draft": "draft"}

# Keys that the long way looks up by their own names.
_LOOKED_AT = frozenset(("password", "permalink", "path"))


@lru_cache(maxsize=1024)
def _plain_keys(keys: tuple[str, ...]) -> _PlainKeys | None:
    """Return the keys of plain front matter; None if they need the long way, whatever their values are."""
    known = keys_of(keys)
    if known.near or known.hiding or known.twice or not _LOOKED_AT.isdisjoint(known.written):
        return None
    found = dict.fromkeys(_FIELDS, "")
    for field, places in known.places.items():
        # In plain front matter no value is a table, so nothing is below a key.
        direct = [(key, spelling) for key, below, spelling in places if not below]
        if not direct:
            continue
        (key, spelling), *others = direct
        if others or _FIELDS.get(field) not in ("", spelling):
            return None
        found[field] = key
    return _PlainKeys(*found.values()) if found["title"] and found["published"] else None


def _title(value: Tree) -> str:
    if not isinstance(value, str) or "<" in value or "&" in value:
        raise _NotPlainError
    title = typeset(" ".join(value.split()))
    if not is_visible(title):
        raise _NotPlainError
    return title


def _excerpt(value: Tree, title: str) -> str:
    if value is not None and (not isinstance(value, str) or "<" in value):
        raise _NotPlainError
    excerpt = typeset(plain_line(" ".join(value.split()))) if value else ""
    return excerpt if says_more(excerpt, title) else ""


def _authors(value: Tree) -> tuple[Author, ...]:
    if value is not None and not isinstance(value, str):
        raise _NotPlainError
    return authors_in(decoded(value)) if value else ()


def _tags(key: str, value: Tree) -> tuple[Tag, ...]:
    if isinstance(value, list):
        return _tags_in(key, tuple(map(str, value)))
    return _tags_in(key, str(value)) if value else ()


@lru_cache(maxsize=4096)
def _tags_in(key: str, value: str | tuple[str, ...]) -> tuple[Tag, ...]:
    """Return the tags in a value. Cached because the posts of a blog share a few combinations of tags."""
    tags: Tree = [*value] if isinstance(value, tuple) else value
    return tags_of(tuple(FrontMatter({key: tags}, {}).tags()))
