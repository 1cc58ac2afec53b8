"""Who gets which of an edition's posts: one variant for all topics, and one for each choice of topics. Pure.

Topics are tags. Two choices that differ only in order, case, spacing or Unicode form are one, and so are their
letters, however many subscribers made them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from publisher.core.models import Post
from publisher.core.newsletter_models import Choice
from publisher.newsletters.select import has_tag
from publisher.posts.slugs import topic_slug

MOST_KEY = 255  # characters; what the record's columns hold
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """What one audience of an edition gets.

    topics   slugs of tags, sorted; none is all
    posts    those of the edition with any of the topics, in the edition's order; none means no letter
    choices  the choices of topics that come to this, as subscribers hold them
    """

    topics: tuple[str, ...]
    posts: tuple[Post, ...]
    choices: tuple[Choice, ...] = ()

    @property
    def key(self) -> str:
        """The variant's name in the record."""
        return variant_key(self.topics)

    @property
    def subscribers(self) -> int:
        """How many active subscribers hold one of the choices."""
        return sum(choice.subscribers for choice in self.choices)


def all_topics(posts: Sequence[Post]) -> Variant:
    """Return the variant that holds every post of an edition, of which nobody is known to be a reader."""
    return Variant((), tuple(posts))


def variants_of(posts: Sequence[Post], choices: Iterable[Choice]) -> tuple[Variant, ...]:
    """Return the variants of an edition of `posts` for these choices: all topics first, then by topics.

    The one for all topics is always there, also where nobody chose it: the web copy shows it. Whoever's topics
    take every post belongs to it as well. A variant without posts is returned too, so that no choice is lost.
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
    """Return topics in the one spelling that is equal for equal choices: the slugs of tags, sorted."""
    return tuple(sorted({topic_slug(topic) for topic in topics if topic.strip()}))


def variant_key(topics: Sequence[str]) -> str:
    """Return the name of a set of slugs: "ai,ml", and "" for all topics.

    A name longer than MOST_KEY keeps its beginning and a hash of all of it; no slug holds a comma or a #.
    """
    key = ",".join(topics)
    if len(key) <= MOST_KEY:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
    return f"{key[: MOST_KEY - len(digest) - 1]}#{digest}"
