"""The subscribers who get the next edition of a stream: their topics, and the posts that they lack or already have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.frozen import dataclass
from publisher.core.models import Post
from publisher.core.newsletter_models import Choice
from publisher.newsletters.select import has_tag, in_its_language, is_for
from publisher.newsletters.streams import NewsletterStream
from publisher.newsletters.variants import topic_set
from publisher.publishing.recipients import local, outside_of, segment_of

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class StreamAudience:
    """The subscribers of a stream at a moment.

    choices  their topics, with the posts that they have received in advance or lack
    earlier  the posts that any of them lacks now, or lacked when this was last looked up
    once     the ids of the posts that are not sent again to subscribers who got them from other newsletters
    segment  the condition that they meet; "" for all subscribers of the stream
    outside  how many subscribers of the stream outside the segment may get email
    at       the moment; None without a database
    """

    choices: Sequence[Choice]
    earlier: tuple[Post, ...] = ()
    once: tuple[str, ...] = ()
    segment: str = ""
    outside: int = 0
    at: datetime | None = None

    @property
    def ahead(self) -> frozenset[str]:
        """The ids of the posts that all of them have already received, at another frequency."""
        had = [each.catch_up.had for each in self.choices]
        return had[0].intersection(*had[1:]) if had else frozenset()

    def lacking(self, gone: frozenset[str]) -> tuple[Post, ...]:
        """Return the posts that any of them lacks and has not excluded by topics, newest first.

        gone: ids of posts that they will have received by then.
        """
        owed = {
            post
            for each in self.choices
            for post in self.earlier
            if post.id in each.catch_up.owed - each.catch_up.had - gone and has_tag(post, topic_set(each.topics))
        }
        return tuple(sorted(owed, key=lambda post: (post.published, post.id), reverse=True))


def audience_of(
    config: Config, store: Store | None, stream: NewsletterStream, posts: Iterable[Post], now: datetime, only: str = ""
) -> StreamAudience:
    """Return the subscribers of a stream who may get email at `now`.

    posts  all posts, in any order
    only   a segment that they must be in, besides the newsletter's own
    Raises SegmentError if there is no such segment.
    """
    if store is None:
        return StreamAudience(())
    segment, at = segment_of(config, store, stream.newsletter, only), local(config, stream.newsletter, now)
    choices = store.subscribers.choices(stream.newsletter.name, at, segment, frequency=stream.frequency)
    owed = frozenset[str]().union(*(each.catch_up.owed for each in choices))
    late = in_its_language((post for post in posts if post.id in owed), stream.newsletter, config) if owed else ()
    earlier = tuple(post for post in late if is_for(post, stream.newsletter))
    outside = outside_of(store, stream.newsletter, segment, choices, at, stream.frequency)
    return StreamAudience(choices, earlier, segment=segment, outside=outside, at=now)


def with_sent(
    config: Config,
    store: Store,
    stream: NewsletterStream,
    audience: StreamAudience,
    new: Iterable[Post],
    now: datetime,
) -> StreamAudience:
    """Add to an audience the posts that other newsletters have sent to its subscribers, if such posts are left out.

    new: the new posts of the edition.
    """
    if not config.subscribers.each_post_once or len(config.newsletters) == 1:
        return audience
    once = tuple(sorted({post.id for post in (*new, *audience.earlier)}))
    name, at = stream.newsletter.name, local(config, stream.newsletter, now)
    choices = store.subscribers.choices(name, at, audience.segment, frequency=stream.frequency, once=once)
    return replace(audience, choices=choices, once=once)
