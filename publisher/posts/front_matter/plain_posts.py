"""The fast path from a plain file to its row in the index.

Most posts have a title, a date, tags and an author on plain lines, and nothing to warn their writer about. Their rows
are made here with a few look-ups, and without a Post, which few of them need afterwards. All other files take the slow
path, through posts.front_matter.metadata, and so does every file about which anything is uncertain here. A test
compares both paths for front matter of all kinds.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from publisher.posts.front_matter.bylines import authors_in
from publisher.posts.front_matter.dates import parse_date
from publisher.posts.front_matter.field_names import FrontMatter, keys_of
from publisher.posts.front_matter.metadata import tags_of
from publisher.posts.front_matter.parsing import NULLS, SimpleLine, front_of, list_words, simple_lines
from publisher.posts.front_matter.post_address import is_plain_pattern
from publisher.posts.front_matter.preamble import may_be_second
from publisher.posts.index_rows import AuthorColumns, Row, author_columns, tag_column, usual_row
from publisher.posts.permalinks import file_date, is_surely_free, name_of, permalink, tag_uri
from publisher.posts.post_file import PostSettings, Tree
from publisher.posts.scan import Stamp
from publisher.posts.slugs import is_slug
from publisher.posts.text.encoding import CLEAN_BYTES, is_suspect
from publisher.posts.text.excerpt import decoded, is_visible, plain_line, says_more
from publisher.posts.text.typography import typeset

# The bytes of front matter without control characters, not even those that a text may have.
_USUAL_BYTES = CLEAN_BYTES.translate(None, b"\t\r")


class _NotPlainError(Exception):
    """The file must take the slow path."""


class PlainPosts:
    """The fast path for the posts of one project."""

    def __init__(self, settings: PostSettings) -> None:
        self._settings = settings
        # In other projects, a post depends on more than its own file.
        self._are_usual = (
            not (settings.tool or settings.languages or settings.people or settings.old.text)
            and settings.needs_date
            and is_plain_pattern(settings.pattern)
        )
        self._site_authors = author_columns((settings.author,) if settings.author else ())

    def takes(self, source: str) -> bool:
        """Return whether a file may take the fast path, judging by its path in the posts folder."""
        is_usual = self._are_usual and source.endswith(".md") and "_drafts/" not in source
        return is_usual and source not in self._settings.translated

    def row(self, data: bytes, source: str, stamp: Stamp, digest: str) -> Row | None:
        """Return the row of a file for the index; None if the file must take the slow path.

        data    the beginning of the file, or all of it
        source  its path in the posts folder, for which `takes` is true
        digest  the digest for the post
        """
        front = front_of(data)
        if not front or b"\0" in data or front.translate(None, _USUAL_BYTES) or may_be_second(data, len(front) + 1):
            return None
        try:
            text = front.decode()
            lines = simple_lines(text)
            keys = _plain_keys(tuple([line[0] for line in lines]))
            return None if keys is None or is_suspect(text) else self._row(lines, keys, source, stamp, digest)
        except (_NotPlainError, ValueError):  # a ValueError means bytes that are not UTF-8, or an invalid date
            return None

    def _row(self, lines: list[SimpleLine], keys: _PlainKeys, source: str, stamp: Stamp, digest: str) -> Row:
        settings = self._settings
        if keys.draft >= 0 and lines[keys.draft][1] != "false":
            raise _NotPlainError
        folder, name = name_of(source)
        published = self._date(_text(lines[keys.date]))
        civil = published.astimezone(settings.zone).date()
        day, rest = file_date(name) or (civil, name)
        path = permalink(settings.pattern, folder=folder, day=civil, slug=rest, language=settings.language)
        if not is_slug(rest) or "%" in folder or not is_surely_free(path):
            raise _NotPlainError
        title = _title(_text(lines[keys.title]))
        return usual_row(
            source,
            stamp,
            digest,
            post_id=tag_uri(settings.authority, day, folder, rest),
            title=title,
            permalink=path,
            url=settings.site_url + path,
            published=published,
            language=settings.language,
            excerpt=_excerpt(lines[keys.excerpt], title) if keys.excerpt >= 0 else "",
            authors=(keys.author >= 0 and _authors(lines[keys.author])) or self._site_authors,
            tags=_tags(lines[keys.tags]) if keys.tags >= 0 else "",
        )

    def _date(self, value: str) -> datetime:
        if not value or value.startswith(("0001", "9999")):
            raise _NotPlainError
        return parse_date(value, self._settings.zone, morning=self._settings.morning)


class _PlainKeys(NamedTuple):
    """The index of the line of each field in plain front matter; -1 for a field that it does not have."""

    title: int
    date: int
    tags: int
    author: int
    excerpt: int
    draft: int


# The fields of plain front matter, and the only spelling for those of which some spellings have a meaning of their own.
_FIELDS = {"title": "", "published": "date", "tags": "", "authors": "", "excerpt": "", "draft": "draft"}

# Keys that the slow path looks up by their own names.
_LOOKED_AT = frozenset(("password", "permalink", "path"))


@lru_cache(maxsize=1024)
def _plain_keys(keys: tuple[str, ...]) -> _PlainKeys | None:
    """Return the lines of these keys' fields; None if front matter with such keys always needs the slow path."""
    known = keys_of(keys)
    if known.near or known.hiding or known.twice or not _LOOKED_AT.isdisjoint(known.written):
        return None
    if len(set(keys)) < len(keys):
        return None
    found = dict.fromkeys(_FIELDS, -1)
    for field, places in known.places.items():
        # In plain front matter no value is a table, so nothing is below a key.
        direct = [(key, spelling) for key, below, spelling in places if not below]
        if not direct:
            continue
        (key, spelling), *others = direct
        if others or _FIELDS.get(field) not in ("", spelling):
            return None
        found[field] = keys.index(key)
    return _PlainKeys(*found.values()) if min(found["title"], found["published"]) >= 0 else None


def _text(line: SimpleLine) -> str:
    """Return the value of a line, which must not be a list."""
    _, plain, quoted, items = line
    plain = plain.rstrip(" ")
    if items or plain in NULLS:
        raise _NotPlainError
    return plain or quoted


def _title(value: str) -> str:
    if "<" in value or "&" in value:
        raise _NotPlainError
    title = typeset(" ".join(value.split()))
    if not is_visible(title):
        raise _NotPlainError
    return title


def _excerpt(line: SimpleLine, title: str) -> str:
    value = _text(line)
    if "<" in value:
        raise _NotPlainError
    excerpt = typeset(plain_line(" ".join(value.split()))) if value else ""
    return excerpt if says_more(excerpt, title) else ""


@lru_cache(maxsize=1024)
def _authors(line: SimpleLine) -> AuthorColumns | None:
    """Return the authors that a line names; None if it names none. Cached because a blog has few authors."""
    value = _text(line)
    authors = authors_in(decoded(value)) if value else ()
    return author_columns(authors) if authors else None


@lru_cache(maxsize=4096)
def _tags(line: SimpleLine) -> str:
    """Return the tags that a line names. Cached because the posts of a blog share a few combinations of tags."""
    key, _, _, items = line
    tags: Tree = [*list_words(items)] if items else _text(line)
    if items and not tags:
        raise _NotPlainError
    return tag_column(tags_of(tuple(FrontMatter({key: tags}, {}).tags())) if tags else ())
