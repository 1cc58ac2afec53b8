"""Divides an edition into variants: one with all posts, and one for each selection of topics that subscribers made.

Topics are tags. Two selections that differ only in order, case, spacing or Unicode form count as the same selection,
and share one letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from publisher.core.models import Post
from publisher.core.newsletter_models import Choice
from publisher.newsletters.select import has_tag
from publisher.posts.slugs import topic_slug

MAX_KEY = 255  # characters; the width of the database's columns
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """The version of an edition for subscribers with the same topics.

    topics   the slugs of tags, sorted; empty for all topics
    posts    the edition's posts that have any of the topics, in the edition's order; if empty, there is no letter
    choices  the selections of topics, as subscribers made them, that get this variant
    """

    topics: tuple[str, ...]
    posts: tuple[Post, ...]
    choices: tuple[Choice, ...] = ()

    @property
    def key(self) -> str:
        """The variant's name in the database."""
        return variant_key(self.topics)

    @property
    def subscribers(self) -> int:
        """The number of active subscribers who made one of these selections."""
        return sum(choice.subscribers for choice in self.choices)


def all_topics(posts: Sequence[Post]) -> Variant:
    """Return the variant with every post of an edition, without any subscribers' selections."""
    return Variant((), tuple(posts))


def everyone(choices: Iterable[Choice]) -> Variant:
    """Return the only variant of an email without posts, which all subscribers get, whatever their topics."""
    return Variant((), (), tuple(choices))


def variants_of(posts: Sequence[Post], choices: Iterable[Choice]) -> tuple[Variant, ...]:
    """Return the variants of an edition with `posts`: the one for all topics first, then the others by their topics.

    The variant for all topics is always included, because the web version shows it. A selection that matches every
    post gets that variant too. Variants without posts are also returned, so that no selection is lost.
    """
    audiences: dict[tuple[str, ...], list[Choice]] = {(): []}
    for choice in choices:
        audiences.setdefault(topic_set(choice.topics), []).append(choice)
    taken: dict[tuple[str, ...], tuple[Post, ...]] = {(): tuple(posts)}
    for topics in audiences:
        taken[topics] = tuple(post for post in posts if has_tag(post, topics))
        if topics and len(taken[topics]) == len(posts):
            del taken[topics]
            audiences[()] += audiences[topics]
    return tuple(Variant(topics, taken[topics], tuple(audiences[topics])) for topics in sorted(taken))


def topic_set(topics: Iterable[str]) -> tuple[str, ...]:
    """Return the slugs of topics, sorted, so that equal selections give equal results."""
    return tuple(sorted({topic_slug(topic) for topic in topics if topic.strip()}))


def variant_key(topics: Sequence[str]) -> str:
    """Return the key of a set of slugs, such as "ai,ml"; "" stands for all topics.

    A key longer than MAX_KEY is cut off and ends in a hash of the whole key. Slugs contain neither commas nor "#".
    """
    key = ",".join(topics)
    if len(key) <= MAX_KEY:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
    return f"{key[: MAX_KEY - len(digest) - 1]}#{digest}"
