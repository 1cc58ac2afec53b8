"""A post as a row of the index, and back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from publisher.core.models import Author, Enclosure, Image, Post, Problem, Severity, Tag
from publisher.posts.entry import Entry
from publisher.posts.scan import Stamp


class Row(NamedTuple):
    """The part of an entry that choosing needs; the whole Post is loaded only for what is shown."""

    source: str
    published: float
    updated: float
    expires: float | None
    in_feeds: int
    id: str
    permalink: str
    digest: str
    tags: str
    authors: str


# Made once: json.dumps with these settings would make an encoder for every post.
_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def to_row(item: tuple[str, Stamp, str, Entry]) -> tuple[Any, ...]:
    source, stamp, digest, entry = item
    post = entry.post
    problems = json.dumps([flat_problem(p) for p in entry.problems]) if entry.problems else ""
    if post is None:
        return (source, *stamp, 0, None, None, None, 0, "", "", digest, "", "", "", problems, "")
    return (
        source,
        *stamp,
        1,
        post.published.timestamp(),
        post.updated.timestamp(),
        post.expires.timestamp() if post.expires else None,
        post.in_feeds,
        post.id,
        post.permalink,
        digest,
        "\n".join([f"{tag.slug}\t{tag.name}" for tag in post.tags]),
        "\n".join([author.name for author in post.authors]),
        _encode(_flat_post(post)),
        problems,
        dump(list(entry.measured)),
    )


def dump(items: list[Any]) -> str:
    return json.dumps(items) if items else ""


def flat_problem(problem: Problem) -> list[Any]:
    return [problem.path, problem.line, problem.message, problem.hint, problem.severity.value]


def problem_of(item: list[Any]) -> Problem:
    path, line, message, hint, severity = item
    return Problem(path, line, message, hint, Severity(severity))


def _flat_post(post: Post) -> list[Any]:
    """What the other columns do not hold; what most posts do not have stands in a table at the end, or is not there."""
    rest = {
        "expires": post.expires.isoformat() if post.expires else None,
        "excerpt": post.excerpt,
        "separator": post.excerpt_separator,
        "image": [post.image.url, post.image.alt, post.image.caption] if post.image else None,
        "enclosures": [[e.url, e.media_type, e.length, e.duration] for e in post.enclosures],
        "not_in_newsletters": not post.in_newsletters,
        "files": post.files,
    }
    return [
        post.title,
        post.url,
        post.published.isoformat(),
        post.updated.isoformat() if post.updated is not post.published else "",
        post.language,
        [[author.name, author.email, author.url] for author in post.authors],
        {key: value for key, value in rest.items() if value},
    ]


def post_of(source: str, post_id: str, permalink: str, digest: str, tags: str, in_feeds: int, text: str) -> Post:
    title, url, published, updated, language, authors, rest = json.loads(text)
    image, expires = rest.get("image"), rest.get("expires")
    return Post(
        source=source,
        id=post_id,
        title=title,
        permalink=permalink,
        url=url,
        published=datetime.fromisoformat(published),
        updated=datetime.fromisoformat(updated or published),
        digest=digest,
        expires=datetime.fromisoformat(expires) if expires else None,
        language=language,
        excerpt=rest.get("excerpt", ""),
        excerpt_separator=rest.get("separator", ""),
        authors=tuple(Author(*author) for author in authors),
        tags=tuple(tags_of(tags)),
        image=Image(*image) if image else None,
        enclosures=tuple(Enclosure(*enclosure) for enclosure in rest.get("enclosures", ())),
        in_feeds=bool(in_feeds),
        in_newsletters="not_in_newsletters" not in rest,
        files=tuple((site, project) for site, project in rest.get("files", ())),
    )


def tags_of(text: str) -> list[Tag]:
    """Return the tags that a row holds as lines of text."""
    lines = [line.partition("\t") for line in text.split("\n")] if text else []
    return [Tag(name, slug) for slug, _, name in lines]
