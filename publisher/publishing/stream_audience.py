"""Who gets the next edition of a stream: their topics, what they lack, and what other newsletters have sent to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.models import Post
from publisher.core.newsletter_models import Choice
from publisher.newsletters.select import has_tag, is_for
from publisher.newsletters.streams import NewsletterStream
from publisher.newsletters.variants import topic_set

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class StreamAudience:
    """The subscribers of a stream at a moment.

    choices  what they have chosen, have got in advance, and lack
    earlier  the posts that any of them lacks, or did when they were last asked
    once     the ids of the posts that are left out for those to whom other newsletters have sent them
    """

    choices: Sequence[Choice]
    earlier: tuple[Post, ...] = ()
    once: tuple[str, ...] = ()

    @property
    def ahead(self) -> frozenset[str]:
        """The ids of the posts that all of them have got already, at another frequency."""
        had = [each.catch_up.had for each in self.choices]
        return had[0].intersection(*had[1:]) if had else frozenset()

    def lacking(self, gone: frozenset[str]) -> tuple[Post, ...]:
        """Return the posts that any of them lacks and has not excluded by topics, newest first.

        gone: ids of posts that they will have got by then.
        """
        owed = {
            post
            for each in self.choices
            for post in self.earlier
            if post.id in each.catch_up.owed - each.catch_up.had - gone and has_tag(post, topic_set(each.topics))
        }
        return tuple(sorted(owed, key=lambda post: (post.published, post.id), reverse=True))


def audience_of(store: Store | None, stream: NewsletterStream, posts: Iterable[Post], now: datetime) -> StreamAudience:
    """Return the subscribers of a stream who may be mailed at `now`.

    posts: those that the newsletter may have, in any order.
    """
    choices = store.subscribers.choices(stream.newsletter.name, now, frequency=stream.frequency) if store else ()
    owed = frozenset[str]().union(*(each.catch_up.owed for each in choices))
    earlier = tuple(post for post in posts if post.id in owed and is_for(post, stream.newsletter)) if owed else ()
    return StreamAudience(choices, earlier)


def with_sent(
    config: Config,
    store: Store,
    stream: NewsletterStream,
    audience: StreamAudience,
    new: Iterable[Post],
    now: datetime,
) -> StreamAudience:
    """Return the audience with what other newsletters have sent to them, if that is left out.

    new: the new posts of the edition.
    """
    if not config.subscribers.each_post_once or len(config.newsletters) == 1:
        return audience
    once = tuple(sorted({post.id for post in (*new, *audience.earlier)}))
    choices = store.subscribers.choices(stream.newsletter.name, now, frequency=stream.frequency, once=once)
    return replace(audience, choices=choices, once=once)
