"""Selects the posts of an edition. The functions are pure: the ledger and the current time are arguments.

The choice depends on the ledger of posts that were already sent, not on a period of time. So a post that is added late
with an old date is still sent once, and no post is sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from publisher.config import OWN_POSTS, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import parse_duration
from publisher.core.models import Post, require_aware
from publisher.posts.slugs import topic_slug

# What a first edition takes if the newsletter does not say: so many of the newest posts, and none that is older.
USUAL_FIRST, LONG_AGO = 5, timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Selection:
    """The posts of the next edition, and the posts that are left out of it.

    posts        newest first, as the email shows them; empty if there is no edition now
    passed_over  the ids of posts that this newsletter must never send, because they were there before it began
    waiting      the number of new posts left for a later edition: too few so far, or more than the maximum
    needed       the number of new posts that an edition needs
    too_old      the number of posts that are left out of a first edition because they are from long ago
    resting      the number of new items that may still change
    """

    posts: tuple[Post, ...]
    passed_over: tuple[str, ...]
    waiting: int
    needed: int
    too_old: int = 0
    resting: int = 0


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

    The same holds for each source from which the newsletter has not taken anything yet, and there for what was in the
    feed when it was first fetched. No other item is left out because of a date. An item that may still change rests.

    A post whose file cannot be read (Post.is_last_version) waits until it can: nobody is sent a text that its author
    was changing.
    """
    require_aware("now", now)
    public = sorted((post for post in posts if post.is_public(now)), key=_age)
    beginning = _Beginning(newsletter, now, zone)
    own = [post for post in public if not post.from_source]
    new = [post for post in own if post.id not in handled and is_for(post, newsletter)]
    new = beginning.of(new) if is_first else new
    passed_over = _others(own, new) if is_first else []
    for items in _by_source(public, newsletter):
        wanted, before = _new_items(items, newsletter, handled, beginning)
        new += [post for post in wanted if post.id not in handled]
        passed_over += before
    new = sorted((post for post in new if not post.is_last_version), key=_age)
    rested = [post for post in new if not post.from_source or now >= settled_at(post, newsletter)]
    new, resting = rested, len(new) - len(rested)
    needed = min(newsletter.minimum, newsletter.maximum)
    if is_first and not newsletter.since:  # otherwise a newsletter whose `first` is below its `minimum` never starts
        needed = min(needed, beginning.count)
    if len(new) < needed or not new:
        return Selection((), (), len(new), needed, beginning.too_old, resting)
    taken = new[: newsletter.maximum]
    ids = tuple(post.id for post in passed_over if post.id not in handled)
    return Selection(tuple(reversed(taken)), ids, len(new) - len(taken), needed, resting=resting)


def is_for(post: Post, newsletter: NewsletterConfig) -> bool:
    """Return whether a newsletter may send a post: because of its source, its tags, and what its author wants."""
    if not post.in_newsletters or not has_tag(post, newsletter.tags):
        return False
    if not post.from_source:
        return not newsletter.sources or OWN_POSTS in newsletter.sources
    return not {post.from_source, *post.also_from}.isdisjoint(newsletter.sources)


def has_tag(post: Post, wanted: Collection[str]) -> bool:
    """Return whether a post has any of the wanted tags; True if no tags are wanted.

    Tags are compared by their slugs, so case, spacing and Unicode form do not matter; `wanted` may contain slugs too.
    """
    if not wanted:
        return True
    slugs = {topic_slug(tag) for tag in wanted}
    return any(tag.slug in slugs for tag in post.tags)


def settled_at(post: Post, newsletter: NewsletterConfig) -> datetime:
    """Return when an item of a source has rested enough: it was unchanged for a while, or keeps changing for too long.

    For other posts, which do not rest here, it is the time of publication.
    """
    if post.first_seen is None or post.changed_at is None:
        return post.published
    settled = post.changed_at + timedelta(minutes=newsletter.settle_minutes)
    return min(settled, post.first_seen + parse_duration(newsletter.max_settle))


class _Beginning:
    """What a newsletter takes when it begins, or begins with a source.

    count    how many posts at most
    too_old  how many posts were left out because they are from long ago
    """

    def __init__(self, newsletter: NewsletterConfig, now: datetime, zone: tzinfo) -> None:
        self._newsletter, self._now, self._zone = newsletter, now, zone
        self.count, self.too_old = newsletter.first or USUAL_FIRST, 0

    def of(self, posts: Sequence[Post], *, has_begun: bool = False) -> list[Post]:
        """Return those of the posts, oldest first, that are not from before the beginning.

        has_begun  whether the newsletter has begun with their source, so that time no longer makes any of them older
        """
        if self._newsletter.since:
            return [post for post in posts if self.is_since(post.published)]
        recent = list(posts)
        if not self._newsletter.first:
            recent = [post for post in posts if post.published > self._seen(post, has_begun=has_begun) - LONG_AGO]
            self.too_old += 0 if has_begun else len(posts) - len(recent)
        return recent[-self.count :]

    def is_since(self, moment: datetime) -> bool:
        """Return whether a moment is on the day `since` or later."""
        return moment.astimezone(self._zone).date() >= date.fromisoformat(self._newsletter.since)

    def is_recent(self, post: Post) -> bool:
        """Return whether an item that appeared after the first fetch is not from long before the newsletter."""
        seen = post.first_seen or post.published
        if self._newsletter.since:
            return self.is_since(max(seen, post.published))
        return seen > self._now - LONG_AGO

    def _seen(self, post: Post, *, has_begun: bool) -> datetime:
        return (post.first_seen or self._now) if has_begun else self._now


def _by_source(public: Iterable[Post], newsletter: NewsletterConfig) -> list[list[Post]]:
    """Return the items of each source that a newsletter takes, oldest first."""
    found: dict[str, list[Post]] = {}
    for post in public if newsletter.sources else ():
        if post.from_source and not {post.from_source, *post.also_from}.isdisjoint(newsletter.sources):
            found.setdefault(post.from_source, []).append(post)
    return list(found.values())


def _new_items(
    items: Sequence[Post], newsletter: NewsletterConfig, handled: Collection[str], beginning: _Beginning
) -> tuple[list[Post], list[Post]]:
    """Return the items of a source that a newsletter takes, including those that it has taken, and those passed over.

    What was there at the first fetch of the source is a backlog, of which every newsletter takes what its beginning
    says. A newsletter for each post takes none of it, unless it has a setting for that. What the feed showed only later
    is the oldest part of it, and nothing for a newsletter that has begun.
    """
    has_begun = any(post.id in handled for post in items)
    wanted = [post for post in items if is_for(post, newsletter)]
    backlog = sorted((post for post in wanted if post.is_backlog), key=lambda post: not post.is_old)
    if has_begun:
        backlog = [post for post in backlog if not post.is_old]
    each_post = parse_schedule(newsletter.schedule).kind is ScheduleKind.EACH_POST
    if each_post and not (newsletter.first or newsletter.since):
        backlog = []
    taken = beginning.of(backlog, has_begun=has_begun)
    later = [post for post in wanted if not post.is_backlog]
    if has_begun:
        return taken + later, []
    recent = [post for post in later if beginning.is_recent(post)]
    old = [post for post in items if post.is_backlog] + later
    return taken + recent, _others(old, taken + recent)


def _age(post: Post) -> tuple[datetime, str]:
    return (post.published, post.id)


def _others(posts: Iterable[Post], kept: Iterable[Post]) -> list[Post]:
    ids = {post.id for post in kept}
    return [post for post in posts if post.id not in ids]
