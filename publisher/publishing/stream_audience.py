"""Who gets the next edition of a stream: their topics, what they lack, and what other newsletters have sent to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.models import Post
from publisher.core.newsletter_models import Choice
from publisher.newsletters.select import is_for
from publisher.newsletters.streams import NewsletterStream

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

    def lacking(self, gone: frozenset[str]) -> tuple[Post, ...]:
        """Return the posts that any of them lacks, newest first."""
        owed = frozenset[str]().union(*(each.catch_up.owed - each.catch_up.had for each in self.choices)) - gone
        found = (post for post in self.earlier if post.id in owed)
        return tuple(sorted(found, key=lambda post: (post.published, post.id), reverse=True))


def audience_of(
    config: Config,
    store: Store | None,
    stream: NewsletterStream,
    new: Sequence[Post],
    posts: Iterable[Post],
    now: datetime,
) -> StreamAudience:
    """Return the subscribers of a stream who may be mailed at `now`.

    new    the new posts of the edition
    posts  the posts that the newsletter may have, in any order
    """
    if store is None:
        return StreamAudience(())
    name, frequency = stream.newsletter.name, stream.frequency
    choices = store.subscribers.choices(name, now, frequency=frequency)
    owed = frozenset[str]().union(*(each.catch_up.owed for each in choices))
    earlier = tuple(post for post in posts if post.id in owed and is_for(post, stream.newsletter)) if owed else ()
    if not config.subscribers.each_post_once or len(config.newsletters) == 1:
        return StreamAudience(choices, earlier)
    once = tuple(sorted({post.id for post in (*new, *earlier)}))
    return StreamAudience(store.subscribers.choices(name, now, frequency=frequency, once=once), earlier, once)
