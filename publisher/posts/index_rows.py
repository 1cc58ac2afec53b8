"""Conversion of posts and problems to the columns of the index, and back.

The fields that select and sort posts have their own columns; the rest of a post is in one column, as JSON and not in a
format that could run code from a file in the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from publisher.core.models import Author, Enclosure, Episode, Image, Post, Problem, Severity, Tag
from publisher.posts.post_file import Entry
from publisher.posts.scan import Stamp

_quoted = json.encoder.encode_basestring_ascii  # what json.dumps does with a text

# Made once, since json.dumps with these settings would make an encoder for every post.
_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


# The columns of an entry that depend on its file alone, in the order of the table.
Row = tuple[Any, ...]

# The names of authors, and what else is known about them, as two columns store them.
AuthorColumns = tuple[str, str]


def to_row(item: Entry) -> Row:
    """Return the row of an entry."""
    source, stamp, digest, parsed = item
    post = parsed.post
    problems = json.dumps([flat_problem(p) for p in parsed.problems]) if parsed.problems else ""
    if post is None:
        return (source, *stamp, 0, None, None, None, 0, "", "", digest, "", "", "", problems, "", 0, 0, "")
    published = post.published.timestamp()
    return (
        source,
        *stamp,
        1,
        published,
        published if post.updated is post.published else post.updated.timestamp(),
        post.expires.timestamp() if post.expires else None,
        post.in_feeds,
        post.id,
        post.url if post.is_elsewhere else post.permalink,
        digest,
        tag_column(post.tags),
        "\n".join([author.name for author in post.authors]),
        _encode(_flat_post(post)),
        problems,
        dump(list(parsed.measured)) if parsed.measured else "",
        parsed.is_last_version,
        parsed.left_draft,
        post.language,
    )


def usual_row(
    source: str,
    stamp: Stamp,
    digest: str,
    *,
    post_id: str,
    title: str,
    permalink: str,
    url: str,
    published: datetime,
    language: str,
    excerpt: str,
    tags: str,
    authors: AuthorColumns,
) -> Row:
    """Return the same row as to_row, for a file without problems whose post has only these fields.

    tags, authors  the results of tag_column and author_columns
    """
    moment = published.timestamp()
    texts = f'{_quoted(title)},{_quoted(url)},"{published.isoformat()}","",{_quoted(language)}'
    rest = f'{{"excerpt":{_quoted(excerpt)}}}' if excerpt else "{}"
    post = f"[{texts},{authors[1]},{rest}]"
    of_post = (1, moment, moment, None, True, post_id, permalink, digest, tags, authors[0], post)
    return (source, *stamp, *of_post, "", "", False, 0.0, language)


def tag_column(tags: Sequence[Tag]) -> str:
    """Return the column of a post's tags. tags_of is its inverse."""
    return "\n".join([f"{tag.slug}\t{tag.name}" for tag in tags])


def author_columns(authors: Sequence[Author]) -> AuthorColumns:
    """Return the column with the names of a post's authors, and the authors' part of the column `post`."""
    return "\n".join([author.name for author in authors]), _encode([_flat_author(author) for author in authors])


def _flat_post(post: Post) -> list[Any]:
    """Return the data that is not in other columns. Fields that most posts lack are in a table at the end."""
    return [
        post.title,
        post.url,
        post.published.isoformat(),
        post.updated.isoformat() if post.updated is not post.published else "",
        post.language,
        [_flat_author(author) for author in post.authors],
        {} if _rare_fields(post) == _DEFAULTS else _rest(post),
    ]


_RARE = (
    *("expires", "external_url", "excerpt", "excerpt_separator", "image", "enclosures", "episode", "in_newsletters"),
    *("files", "is_listed", "has_title", "has_page", "canonical", "aliases", "redirect_to", "translation_key"),
    "from_source",
)
_rare_fields = attrgetter(*_RARE)
_DEFAULTS = tuple({each.name: each.default for each in fields(Post)}[name] for name in _RARE)


def _rest(post: Post) -> dict[str, Any]:
    rest = {
        "expires": post.expires.isoformat() if post.expires else None,
        "external_url": post.external_url,
        "excerpt": post.excerpt,
        "separator": post.excerpt_separator,
        "image": [post.image.url, post.image.alt, post.image.caption] if post.image else None,
        "enclosures": [[e.url, e.media_type, e.length, e.duration] for e in post.enclosures],
        "episode": astuple(post.episode) if post.episode else None,
        "not_in_newsletters": not post.in_newsletters,
        "files": post.files,
        "not_listed": not post.is_listed,
        "no_title": not post.has_title,
        "no_page": not post.has_page,
        "canonical": post.canonical,
        "path": post.permalink if post.is_elsewhere else "",
        "aliases": post.aliases,
        "redirect_to": post.redirect_to,
        "translation_key": post.translation_key,
        "item": _flat_item(post) if post.from_source else None,
    }
    return {key: value for key, value in rest.items() if value}


def _flat_item(post: Post) -> list[Any]:
    is_part = [post.is_backlog, post.is_old, post.is_excerpt]
    return [post.from_source, str(post.first_seen), str(post.changed_at), *is_part]


def _flat_author(author: Author) -> list[str]:
    face = (author.image, author.about) if author.image or author.about else ()
    return [author.name, author.email, author.url, *face]


def sharing(rows: Iterable[tuple[Any, ...]], stamps: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of index.PostRow unchanged, except that equal texts are the same object.

    stamps  the sources of all posts, whose objects replace the equal ones in the rows
    """
    own, same = {source: source for source in stamps}, dict[Any, Any]().setdefault
    for source, at, updated, expires, in_feeds, post_id, link, digest, tags, authors, left, language in rows:
        texts = same(tags, tags), same(authors, authors), same(left, left), same(language, language)
        changed = at if updated == at else updated
        yield own.get(source, source), at, changed, expires, in_feeds, post_id, link, digest, *texts


def to_post(source: str, columns: Sequence[Any], other_digest: str | None, known_permalink: str | None) -> Post:
    """Return the post in these columns. The other arguments, if given, replace its digest and its permalink."""
    _, post_id, permalink, digest, tags, in_feeds, is_last_version, text = columns
    title, url, published, updated, language, authors, rest = json.loads(text)
    image, expires, episode = rest.get("image"), rest.get("expires"), rest.get("episode")
    appeared = datetime.fromisoformat(published)
    return Post(
        source=source,
        id=post_id,
        title=title,
        permalink=rest.get("path", known_permalink or permalink),
        url=url,
        published=appeared,
        updated=datetime.fromisoformat(updated) if updated else appeared,
        digest=digest if other_digest is None else other_digest,
        expires=datetime.fromisoformat(expires) if expires else None,
        external_url=rest.get("external_url", ""),
        language=language,
        excerpt=rest.get("excerpt", ""),
        excerpt_separator=rest.get("separator", ""),
        authors=tuple(Author(*author) for author in authors),
        tags=_same_tags(tags),
        image=Image(*image) if image else None,
        enclosures=tuple(Enclosure(*enclosure) for enclosure in rest.get("enclosures", ())),
        episode=_to_episode(*episode) if episode else None,
        in_feeds=bool(in_feeds),
        in_newsletters="not_in_newsletters" not in rest,
        files=tuple((site, project) for site, project in rest.get("files", ())),
        is_last_version=bool(is_last_version),
        is_listed="not_listed" not in rest,
        has_title="no_title" not in rest,
        has_page="no_page" not in rest,
        canonical=rest.get("canonical", ""),
        aliases=tuple(rest.get("aliases", ())),
        redirect_to=rest.get("redirect_to", ""),
        translation_key=rest.get("translation_key", ""),
        **(_to_item(*rest["item"]) if "item" in rest else {}),
    )


def _to_item(name: str, first_seen: str, changed_at: str, *is_part: bool) -> dict[str, Any]:
    seen, changed = map(datetime.fromisoformat, (first_seen, changed_at))
    parts = dict(zip(("is_backlog", "is_old", "is_excerpt"), is_part, strict=True))
    return {"from_source": name, "first_seen": seen, "changed_at": changed, **parts}


def _to_episode(season: int, number: int, kind: str, title: str, explicit: Any, files: Any, chapters: str) -> Episode:
    return Episode(
        season, number, kind, title, explicit, tuple((url, media_type) for url, media_type in files), chapters
    )


def tags_of(text: str) -> list[Tag]:
    """Return the tags in a row's `tags` column, which has a line "slug<TAB>name" for each tag."""
    lines = [line.partition("\t") for line in text.split("\n")] if text else []
    return [Tag(name, slug) for slug, _, name in lines]


@lru_cache(maxsize=4096)
def _same_tags(text: str) -> tuple[Tag, ...]:
    """Return the tags of a column. Posts with the same column share the tags in memory."""
    return tuple(tags_of(text))


def flat_problem(problem: Problem) -> list[Any]:
    """Return a problem as a list that JSON can hold."""
    rest = [True] if problem.shows_last_version else []
    return [problem.path, problem.line, problem.message, problem.hint, problem.severity.value, *rest]


def to_problem(item: list[Any]) -> Problem:
    """Return the problem in a list that flat_problem made."""
    path, line, message, hint, severity, *rest = item
    return Problem(path, line, message, hint, Severity(severity), *rest)


def dump(items: Sequence[Any]) -> str:
    """Return a list as JSON; "" if it is empty, so that partial indexes can leave it out."""
    return json.dumps(items) if items else ""


def noting(rows: Iterable[Row], stamps: dict[str, Stamp], found: Mapping[str, Stamp]) -> Iterator[Row]:
    """Yield the rows, and store their stamps in `stamps`.

    found  stamps that are in memory already, so that equal stamps are not kept twice
    """
    for row in rows:
        source, stamp = row[0], row[1:3]
        same = found.get(source)
        stamps[source] = same if same == stamp else stamp
        yield row
