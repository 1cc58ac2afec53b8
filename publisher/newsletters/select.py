"""Selects the posts of an edition. The functions are pure: the ledger and the current time are arguments.

The choice depends on the ledger of posts that were already sent, not on a period of time. So a post that is added late
with an old date is still sent once, and no post is sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from publisher.config import NewsletterConfig
from publisher.core.models import Post, require_aware
from publisher.posts.slugs import topic_slug

# What a first edition takes if the newsletter does not say: so many of the newest posts, and none that is older.
USUAL_FIRST, LONG_AGO = 5, timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Selection:
    """The posts of the next edition, and the posts that are left out of it.

    posts        newest first, as the email shows them; empty if there is no edition now
    passed_over  the ids of posts that this newsletter must never send; always empty after the first edition
    waiting      the number of new posts left for a later edition: too few so far, or more than the maximum
    needed       the number of new posts that an edition needs
    too_old      the number of posts that are left out of a first edition because they are from long ago
    """

    posts: tuple[Post, ...]
    passed_over: tuple[str, ...]
    waiting: int
    needed: int
    too_old: int = 0


def select_posts(
    posts: Sequence[Post],
    newsletter: NewsletterConfig,
    handled: Collection[str],
    is_first: bool,
    now: datetime,
    zone: tzinfo,
) -> Selection:
    """Select the posts of the newsletter's next edition, and the posts that a first edition passes over for ever.

    posts      every post of the project, in any order
    handled    the ids of posts in the ledger of this newsletter, which were sent or passed over
    is_first   whether the newsletter has no edition yet
    zone       the newsletter's time zone, in which the day of the setting `since` begins

    If there are more new posts than `maximum`, the oldest go first, so that no post waits for ever; within the edition
    the newest post comes first. A first edition starts from the newest `first` posts, or from the day `since`; if the
    newsletter sets neither, it takes no post from long ago. It passes over every other post that is public now,
    whatever its tags.

    A post whose file cannot be read (Post.is_last_version) waits until it can: nobody is sent a text that its author
    was changing.
    """
    require_aware("now", now)
    public = sorted((post for post in posts if post.is_public(now)), key=_age)
    new = [post for post in public if post.in_newsletters and post.id not in handled]
    new = [post for post in new if has_tag(post, newsletter.tags)]
    needed = min(newsletter.minimum, newsletter.maximum)
    too_old = 0
    if is_first and newsletter.since:
        day = date.fromisoformat(newsletter.since)
        new = [post for post in new if post.published.astimezone(zone).date() >= day]
    elif is_first:
        first = newsletter.first or USUAL_FIRST
        recent = new if newsletter.first else [post for post in new if post.published > now - LONG_AGO]
        too_old = len(new) - len(recent)
        new = recent[-first:]
        needed = min(needed, first)  # otherwise a newsletter whose `first` is below its `minimum` would never start
    passed_over = _passed_over(public, new, handled) if is_first else ()
    new = [post for post in new if not post.is_last_version]
    if len(new) < needed or not new:
        return Selection((), (), len(new), needed, too_old)
    taken = new[: newsletter.maximum]
    return Selection(tuple(reversed(taken)), passed_over, len(new) - len(taken), needed)


def has_tag(post: Post, wanted: Collection[str]) -> bool:
    """Return whether a post has any of the wanted tags; True if no tags are wanted.

    Tags are compared by their slugs, so case, spacing and Unicode form do not matter; `wanted` may contain slugs too.
    """
    if not wanted:
        return True
    slugs = {topic_slug(tag) for tag in wanted}
    return any(tag.slug in slugs for tag in post.tags)


def _age(post: Post) -> tuple[datetime, str]:
    return (post.published, post.id)


def _passed_over(public: list[Post], new: list[Post], handled: Collection[str]) -> tuple[str, ...]:
    kept = {post.id for post in new}
    return tuple(post.id for post in public if post.id not in kept and post.id not in handled)
