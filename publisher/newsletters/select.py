"""Selects the posts of an edition. The functions are pure: the ledger and the current time are arguments.

The choice depends on the ledger of posts that were already sent, not on a period of time. So a post that is added late
with an old date is still sent once, and no post is sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from publisher.config import OWN_POSTS, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import parse_duration
from publisher.core.frozen import dataclass
from publisher.core.models import Post, require_aware
from publisher.core.source_records import SourceBeginning
from publisher.posts.post_groups import site_language
from publisher.posts.slugs import topic_slug

# What a first edition takes if the newsletter does not say: this many of the newest posts, and none older than this.
USUAL_FIRST, LONG_AGO = 5, timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Selection:
    """The posts of the next edition, and the posts that are left out of it.

    posts        newest first, as the email shows them; empty if there is no edition now
    passed_over  the ids of posts that this newsletter will never send once this edition is made, because they were
                 there before it began, or because it does not take them although they are items of its sources
    never        the same ids, but also given if there is no edition now
    waiting      the number of new posts left for a later edition: too few so far, or more than the maximum
    needed       the number of new posts that an edition needs
    too_old      the number of posts that are left out of a first edition because they are too old
    resting      the number of new items that may still change
    rests_until  when all of these have rested, if they don't change again; None if there are none
    """

    posts: tuple[Post, ...]
    passed_over: tuple[str, ...]
    waiting: int
    needed: int
    too_old: int = 0
    resting: int = 0
    rests_until: datetime | None = None
    never: tuple[str, ...] = ()


def select_posts(
    posts: Sequence[Post],
    newsletter: NewsletterConfig,
    handled: Collection[str],
    is_first: bool,
    now: datetime,
    zone: tzinfo,
    begun: Mapping[str, SourceBeginning] | None = None,
) -> Selection:
    """Select the posts of the newsletter's next edition, and the posts that a first edition passes over for ever.

    posts      every post of the project, in any order
    handled    the ids of posts in the ledger of this newsletter, which were sent or passed over
    is_first   whether the newsletter has no edition yet
    zone       the newsletter's time zone, in which the day of the setting `since` begins
    begun      when the newsletter began to use its sources, by name; it begins to use missing ones now

    If there are more new posts than `maximum`, the oldest go first, so that no post waits for ever; within the edition
    the newest post comes first. A first edition starts from the newest `first` posts, or from the day `since`; if the
    newsletter sets neither, it takes no post that is too old. It passes over all others that are public now.

    The same applies to the items that a source already had when the newsletter began to use it. Every later item is
    sent, whatever its date. An item that may still change rests; after that, it is passed over if the newsletter does
    not take it. A post whose file cannot be read (Post.is_last_version) waits until it can.
    """
    require_aware("now", now)
    public = sorted((post for post in posts if post.is_public(now)), key=_age)
    beginning = _Beginning(newsletter, now, zone)
    own = [post for post in public if not post.from_source]
    new = [post for post in own if post.id not in handled and is_for(post, newsletter)]
    new = beginning.of(new) if is_first else new
    passed_over = _others(own, new) if is_first else []
    for name, items in _by_source(public, newsletter).items():
        wanted = _wanted(items, newsletter, handled, beginning, (begun or {}).get(name))
        new += [post for post in wanted if post.id not in handled]
        settled = (post for post in items if post.is_backlog or now >= settled_at(post, newsletter))
        passed_over += _others(settled, wanted)
    rests = {post.id: at for post in new if post.from_source and (at := settled_at(post, newsletter)) > now}
    new = sorted((post for post in new if post.id not in rests and not post.is_last_version), key=_age)
    ids = tuple(post.id for post in passed_over if post.id not in handled)
    needed = _needed(newsletter, beginning, is_first=is_first)
    rest = len(rests), max(rests.values(), default=None), ids
    if len(new) < needed or not new:
        return Selection((), (), len(new), needed, beginning.too_old, *rest)
    taken, left = tuple(reversed(new[: newsletter.maximum])), max(len(new) - newsletter.maximum, 0)
    return Selection(taken, ids, left, needed, 0, *rest)


def _needed(newsletter: NewsletterConfig, beginning: _Beginning, *, is_first: bool) -> int:
    """Return how many posts an edition needs. A newsletter whose `first` is below its `minimum` would never start."""
    needed = min(newsletter.minimum, newsletter.maximum)
    return min(needed, beginning.count) if is_first and not newsletter.since else needed


def in_its_language(posts: Iterable[Post], newsletter: NewsletterConfig, config: Config) -> list[Post]:
    """Return the posts in the language of a newsletter, if the site has several, and all items of sources."""
    languages, usual = config.site.all_languages, config.site.language
    if not languages:
        return list(posts)
    spoken = site_language(config.newsletter_language(newsletter), languages, usual)
    return [post for post in posts if post.from_source or site_language(post.language, languages, usual) == spoken]


def is_for(post: Post, newsletter: NewsletterConfig) -> bool:
    """Return whether a newsletter may send a post, judging by its source, its tags, and its author's wishes."""
    if not post.in_newsletters or not has_tag(post, newsletter.tags):
        return False
    if not post.from_source and not newsletter.sources:
        return True
    return not {post.from_source or OWN_POSTS, *post.also_from}.isdisjoint(newsletter.sources)


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
    """The rule for which posts a newsletter takes when it begins, or when it begins to use a source.

    count    the maximum number of posts
    too_old  how many posts were left out because they are too old
    """

    def __init__(self, newsletter: NewsletterConfig, now: datetime, zone: tzinfo) -> None:
        self._newsletter, self._now, self._zone = newsletter, now, zone
        self.count, self.too_old = newsletter.first or USUAL_FIRST, 0

    def of(self, posts: Sequence[Post], at: datetime | None = None, *, counts: bool = True) -> list[Post]:
        """Return the posts, oldest first, that the beginning does not exclude.

        at      when the newsletter began to use their source; None for now
        counts  whether to count those that are too old
        """
        if self._newsletter.since:
            return [post for post in posts if self.is_since(post.published)]
        recent = list(posts)
        if not self._newsletter.first:
            recent = [post for post in posts if post.published > (at or self._now) - LONG_AGO]
            self.too_old += len(posts) - len(recent) if counts else 0
        return recent[-self.count :]

    def is_since(self, moment: datetime) -> bool:
        """Return whether a moment is on the day `since` or later."""
        return moment.astimezone(self._zone).date() >= date.fromisoformat(self._newsletter.since)


def _by_source(public: Iterable[Post], newsletter: NewsletterConfig) -> dict[str, list[Post]]:
    """Return the items that a newsletter's sources have, oldest first, by the name of the source.

    An item of several sources belongs to the first of them that the newsletter takes.
    """
    found: dict[str, list[Post]] = {}
    for post in public if newsletter.sources else ():
        names = (post.from_source, *post.also_from) if post.from_source else ()
        if name := next((name for name in names if name in newsletter.sources), ""):
            found.setdefault(name, []).append(post)
    return found


def _wanted(
    items: Sequence[Post],
    newsletter: NewsletterConfig,
    handled: Collection[str],
    beginning: _Beginning,
    began: SourceBeginning | None,
) -> list[Post]:
    """Return the items of a source that a newsletter takes, including those that it has taken.

    began  when it began to use the source; None if that is not recorded. It begins now if it has handled nothing from
           it; otherwise it began with the first fetch.

    The items that were there at the beginning are a backlog, of which a newsletter takes as much as its settings say. A
    newsletter that sends each post by itself takes none of it, unless it has a setting for that. Old items that
    appeared in the feed only later count as the oldest part of it, but a newsletter that had already begun ignores
    them.
    """
    has_taken = any(post.id in handled for post in items)

    def was_there(post: Post) -> bool:
        """Return whether an item was there when the newsletter began to use its source."""
        if began is None:
            return post.is_backlog or not has_taken
        seen = post.first_seen or post.published
        is_early = bool(newsletter.since) and not has_taken and not beginning.is_since(seen)
        return post.is_backlog or (seen <= began.seen and post.published <= began.at) or is_early

    def is_too_late(post: Post) -> bool:
        """Return whether an item was old when it was first seen, after the newsletter began to use its source."""
        return post.is_old and (has_taken if began is None else (post.first_seen or post.published) > began.seen)

    taken = [post for post in items if is_for(post, newsletter)]
    later = [post for post in taken if not was_there(post)]
    old = sorted((post for post in _others(taken, later) if not is_too_late(post)), key=lambda post: not post.is_old)
    if parse_schedule(newsletter.schedule).kind is ScheduleKind.EACH_POST and not (
        newsletter.first or newsletter.since
    ):
        return later
    at = began.at if began else _first_seen(old, has_taken=has_taken)
    return beginning.of(old, at, counts=not has_taken) + later


def _first_seen(backlog: Iterable[Post], *, has_taken: bool) -> datetime | None:
    """Return when the source was first fetched if the newsletter began to use it then; None if it begins now."""
    return min((post.first_seen for post in backlog if post.first_seen), default=None) if has_taken else None


def _age(post: Post) -> tuple[datetime, str]:
    return (post.published, post.id)


def _others(posts: Iterable[Post], kept: Iterable[Post]) -> list[Post]:
    ids = {post.id for post in kept}
    return [post for post in posts if post.id not in ids]
