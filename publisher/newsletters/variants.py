"""Divides an edition into variants: one with all posts, and one for each selection of topics that subscribers made.

Topics are tags. Two selections that differ only in order, case, spacing or Unicode form count as the same selection,
and share one letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from publisher.core.frozen import dataclass
from publisher.core.models import Post
from publisher.core.newsletter_models import IN_STEP, Choice
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
    others   a hash of its posts if they also depend on what the subscribers have already received, so that some are
             left out or earlier ones added; "" if they depend only on the topics
    """

    topics: tuple[str, ...]
    posts: tuple[Post, ...]
    choices: tuple[Choice, ...] = ()
    others: str = ""

    @property
    def key(self) -> str:
        """The variant's name in the database."""
        return variant_key((*self.topics, f"~{self.others}") if self.others else self.topics)

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


def variants_of(
    posts: Sequence[Post], choices: Iterable[Choice], earlier: Iterable[Post] = (), *, repeats: bool = False
) -> tuple[Variant, ...]:
    """Return the variants of an edition with `posts`: the one for all topics first, then the others by their topics.

    The variant for all topics is always included, because the web version shows it. A selection that matches every
    post gets that variant too. Variants without posts are also returned, so that no selection is lost.

    earlier  posts that earlier editions contained, in case some subscribers lack them
    repeats  whether `posts` are such posts, so that subscribers who do not lack them get nothing
    """
    audiences: dict[tuple[tuple[str, ...], str], list[Choice]] = {((), ""): []}
    taken: dict[tuple[tuple[str, ...], str], tuple[Post, ...]] = {((), ""): tuple(posts)}
    known = {post.id: post for post in earlier}
    for choice in choices:
        topics, others = topic_set(choice.topics), ""
        whole = _for(choice, () if repeats else posts, known)
        matching = tuple(post for post in whole if has_tag(post, topics))
        if repeats or choice.catch_up != IN_STEP or choice.sent:
            others = _hash_of(matching)
        if [post.id for post in matching] == [post.id for post in posts]:
            topics, others = (), ""
        taken[topics, others] = matching
        audiences.setdefault((topics, others), []).append(choice)
    return tuple(
        Variant(topics, taken[topics, others], tuple(audiences[topics, others]), others)
        for topics, others in sorted(taken)
    )


def _for(choice: Choice, posts: Sequence[Post], earlier: Mapping[str, Post]) -> Sequence[Post]:
    """Return the posts for some subscribers, before selecting by topic; newest first if any are added."""
    had = choice.catch_up.had | choice.sent
    left = [post for post in posts if had.isdisjoint((post.id, *post.also_ids))] if had else posts
    added = [earlier[each] for each in choice.catch_up.owed - had if each in earlier]
    ids = {post.id for post in left}
    added = [post for post in added if post.id not in ids]
    return sorted([*left, *added], key=lambda post: (post.published, post.id), reverse=True) if added else left


def _hash_of(posts: Iterable[Post]) -> str:
    text = "\n".join(post.id for post in posts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()


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
