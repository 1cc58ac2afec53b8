"""Which newsletters and topics a command is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import require_known
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config

several: Callable[[Any], Any] = click.option(
    "-n",
    "--newsletter",
    "newsletters",
    multiple=True,
    metavar="NAME",
    help="The newsletter; may be given several times. Default: all.",
)


def chosen_newsletters(config: Config, names: Sequence[str]) -> list[str]:
    """Return the newsletters that were named, all if none was; raise PublisherError for an unknown one."""
    known = [newsletter.name for newsletter in config.newsletters]
    if not known:
        raise PublisherError(
            "the project has no newsletter to subscribe to",
            hint="add a [[newsletters]] table to publisher.toml",
        )
    require_known(config, names)
    return list(dict.fromkeys(names)) or known


def chosen_topics(topics: Iterable[str]) -> list[str]:
    """Return topics as slugs; raise PublisherError for one without a letter, digit or sign that a tag can have."""
    from publisher.posts.tagging import normal_form, topic_slug

    named = list(topics)
    if not all(map(normal_form, named)):
        raise PublisherError("--topic is empty", hint="name a tag, or leave --topic out for all posts")
    return [topic_slug(topic) for topic in named]


def strange_topics(config: Config, now: datetime, slugs: Sequence[str]) -> Iterator[str]:
    """Return a line for each topic that no post has, with the tag that was meant, perhaps."""
    import difflib

    from publisher.posts.archive import read_archive
    from publisher.site.build import code_key

    if not slugs:
        return
    posts = read_archive(config, now, code_key(), keep=False).posts
    tags = {tag.slug: tag.name for post in posts for tag in post.tags}
    for slug in dict.fromkeys(slugs):
        if slug not in tags:
            near = difflib.get_close_matches(slug, tags, n=1)
            yield f"no post has the topic {slug!r}" + (f" (did you mean {tags[near[0]]!r}?)" if near else " yet")
