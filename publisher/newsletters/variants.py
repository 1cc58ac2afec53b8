"""Which of an edition's posts each subscriber gets: one variant for all topics, one for each selection. Pure.

Topics are tags. Two selections that differ only in order, case, spacing or Unicode form are the same, and get the same
letter, however many subscribers made them.
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
    """What one audience of an edition gets.

    topics   slugs of tags, sorted; empty for all topics
    posts    the edition's posts that have any of the topics, in the edition's order; if empty, there is no letter
    choices  the selections of topics that lead here, as subscribers made them
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
        """How many active subscribers made one of these selections."""
        return sum(choice.subscribers for choice in self.choices)


def all_topics(posts: Sequence[Post]) -> Variant:
    """Return the variant with every post of an edition, without knowing who gets it."""
    return Variant((), tuple(posts))


def variants_of(posts: Sequence[Post], choices: Iterable[Choice]) -> tuple[Variant, ...]:
    """Return the variants of an edition of `posts` for these selections: all topics first, then sorted by topics.

    The variant for all topics is always there, even if no one has it: the web version shows it. A selection that
    matches every post belongs to it too. A variant without posts is also returned, so that no selection is lost.
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
    """Return topics in one spelling, equal for equal selections: the slugs of the tags, sorted."""
    return tuple(sorted({topic_slug(topic) for topic in topics if topic.strip()}))


def variant_key(topics: Sequence[str]) -> str:
    """Return the name of a set of slugs, such as "ai,ml"; "" stands for all topics.

    A name longer than MAX_KEY is cut off and ends in a hash of the whole; slugs contain neither commas nor "#".
    """
    key = ",".join(topics)
    if len(key) <= MAX_KEY:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
    return f"{key[: MAX_KEY - len(digest) - 1]}#{digest}"
