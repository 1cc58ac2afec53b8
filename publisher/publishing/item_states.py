"""The state of each item of a source: whether it was sent, will be sent, or is left out, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from publisher.config import Config, NewsletterConfig, SourceConfig
from publisher.core.frozen import dataclass
from publisher.core.models import Post
from publisher.core.newsletter_models import Edition, EditionKind
from publisher.core.source_records import StoredItem
from publisher.newsletters.select import Selection, has_tag, in_its_language, select_posts, settled_at
from publisher.posts.archive import open_archive
from publisher.posts.scan import is_item, item_source
from publisher.posts.sources.item_post import is_wanted, item_name
from publisher.publishing.sent_before import handled_as
from publisher.publishing.wiring import Project
from publisher.store import Store


class ItemStatus(StrEnum):
    """The fate of an item of a source."""

    SEEN = "seen"  # no newsletter takes it
    RESTING = "resting"  # it may still change
    WAITING = "waiting"  # for the next edition
    SENT = "in edition"
    SKIPPED = "skipped"  # a person decided so, about it or about its edition
    GONE = "gone"  # it vanished from the feed before it was sent


# If several newsletters take an item, the one that is furthest along decides its state.
_ORDER = (ItemStatus.SENT, ItemStatus.WAITING, ItemStatus.RESTING, ItemStatus.SKIPPED, ItemStatus.SEEN)


@dataclass(frozen=True, slots=True)
class ItemState:
    """An item of a source, and what becomes of it.

    number     identifies it: `publisher sources skip NUMBER`
    title      see item_name
    published  when it was published, or first seen if it has no date
    why        the reason, or the editions; never empty
    """

    number: int
    title: str
    link: str
    published: datetime
    state: ItemStatus
    why: str

    @property
    def may_be_skipped(self) -> bool:
        """Whether skipping it would change anything."""
        return self.state in (ItemStatus.RESTING, ItemStatus.WAITING)

    def as_json(self, zone: tzinfo) -> dict[str, Any]:
        """Return it as JSON values, with times in `zone`."""
        published = self.published.astimezone(zone).isoformat(timespec="seconds")
        values = {"number": self.number, "title": self.title, "link": self.link, "published": published}
        return {**values, "state": self.state.value, "why": self.why}


def item_states(project: Project, name: str) -> tuple[ItemState, ...]:
    """Return the items of a source with what becomes of them now, in the order of its feed, newest first.

    Returns () if there is no such source. Raises StoreError if the database cannot be used.
    """
    config, now = project.config, project.clock()
    source = next((each for each in config.sources if each.name == name), None)
    if source is None:
        return ()
    archive = open_archive(config, now)
    posts = archive.posts
    takers = [
        _Taker(config, project.store, newsletter, posts, now)
        for newsletter in config.newsletters
        if name in newsletter.sources
    ]
    by_source = {post.source: post for post in posts}
    shown = {source: post for source, post in by_source.items() if is_item(source)}
    shown |= {copy.source: by_source[copy.original] for copy in archive.copies if copy.original in by_source}
    judge = _Judge(config, source, takers, shown, project.store, now)
    return tuple(judge.state(item) for item in reversed(project.store.sources.items(name)))


class _Taker:
    """A newsletter that takes items of a source, and what it has sent and will send."""

    def __init__(
        self, config: Config, store: Store, newsletter: NewsletterConfig, posts: Sequence[Post], now: datetime
    ) -> None:
        editions = store.editions.list(newsletter.name, kind=EditionKind.POSTS)
        self.newsletter, self.name = newsletter, newsletter.name
        handled = store.editions.handled_posts(newsletter.name)
        self.handled_as = handled_as(store, newsletter.name, handled, posts)
        self.handled = handled.union(self.handled_as)
        # The newest counts, because the posts of a skipped edition are sent with a later one.
        self.editions = {post.id: edition for edition in reversed(editions) for post in edition.posts}
        self.called_off = store.editions.called_off(newsletter.name)
        self.on_hold = {each.id for each in editions if each.held and not store.deliveries.counts(each.id).is_over}
        zone, self._begun = config.newsletter_zone(newsletter), store.editions.beginnings(newsletter.name)
        own = in_its_language(posts, newsletter, config)
        self.next: Selection = select_posts(own, newsletter, self.handled, not editions, now, zone, self._begun)
        self.next_ids = {post.id for post in self.next.posts}

    def handled_state(self, item: StoredItem, ids: Iterable[str]) -> tuple[ItemStatus, str] | None:
        """Return what became of a handled item, and why; None if it was there when the newsletter began.

        ids: the ids of its post
        """
        if edition := next((self.editions[each] for each in ids if each in self.editions), None):
            return _in_edition(edition, self)
        began = self._begun.get(item.source)
        if item.is_backlog or item.is_old or began is None or item.first_seen_at <= began.seen:
            return None
        return (
            ItemStatus.SEEN,
            f"an edition of {self.name} was made without it, because it was left out or had no recipients",
        )


class _Judge:
    """Decides the state of the items of one source."""

    def __init__(
        self,
        config: Config,
        source: SourceConfig,
        takers: list[_Taker],
        posts: Mapping[str, Post],
        store: Store,
        now: datetime,
    ) -> None:
        self._zone, self._source, self._takers, self._posts, self._now = config.zone, source, takers, posts, now
        self._suspects, self._html_of = store.sources.suspects(), store.sources.html

    def state(self, item: StoredItem) -> ItemState:
        """Return the state of an item."""
        found = [self._in_newsletter(item, taker) for taker in self._takers] or [
            (ItemStatus.SEEN, "no newsletter takes this source")
        ]
        state = min((status for status, _ in found), key=_ORDER.index)
        whys = [why for status, why in found if status is state]
        if state not in (ItemStatus.SENT, ItemStatus.SKIPPED):
            state, whys = next(self._left_out(item), (state, whys))
        published = item.item.published or item.first_seen_at
        title = item_name(item, self._html_of)
        return ItemState(item.number, title, item.item.link, published, state, "; ".join(dict.fromkeys(whys)))

    def _post_of(self, item: StoredItem) -> Post | None:
        """Return the post of an item, which may also belong to a file or to another source."""
        return self._posts.get(item_source(item.source, item.number))

    def _left_out(self, item: StoredItem) -> Iterator[tuple[ItemStatus, list[str]]]:
        """Yield the reasons that keep every newsletter from sending an item."""
        if item.skipped_at is not None:
            yield ItemStatus.SKIPPED, [f"by a person, on {self._civil(item.skipped_at)}"]
        if item.gone_at is not None:
            yield ItemStatus.GONE, [f"it vanished from the feed by {self._civil(item.gone_at)}"]
        if not is_wanted(item.item, self._source):
            yield ItemStatus.SEEN, ["`include` or `exclude` of the source leaves it out"]

    def _in_newsletter(self, item: StoredItem, taker: _Taker) -> tuple[ItemStatus, str]:
        """Return the status of an item in one newsletter, and the reason."""
        name, post = taker.name, self._post_of(item)
        post_id = post.id if post else item.post_id
        ids = (item.post_id, post_id, taker.handled_as.get(post_id, post_id))
        was_there = ItemStatus.SEEN, _was_there(item, name)
        if not taker.handled.isdisjoint(ids):
            return taker.handled_state(item, ids) or was_there
        if item.item.published and item.item.published > self._now:
            return ItemStatus.WAITING, f"for its date, {self._civil(item.item.published)}"
        if post is None:
            return ItemStatus.SEEN, f"it is not among the newest {self._source.max_items:,} items"
        if not has_tag(post, taker.newsletter.tags):
            return ItemStatus.SEEN, f"it has none of the tags of {name}"
        if post_id in taker.next_ids:
            return ItemStatus.WAITING, self._waits(item, f"for the next edition of {name}")
        settled = settled_at(post, taker.newsletter)
        if self._now < settled and post_id not in taker.next.never and not item.is_old:
            return ItemStatus.RESTING, f"until {self._civil(settled)}, unless it changes again"
        if item.is_old or post_id in taker.next.never:
            return was_there
        return ItemStatus.WAITING, self._waits(item, f"for a later edition of {name}")

    def _waits(self, item: StoredItem, otherwise: str) -> str:
        is_suspect = item.post_id in self._suspects
        return "for a person, because more than half of the feed suddenly appeared as new" if is_suspect else otherwise

    def _civil(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}"


def _was_there(item: StoredItem, newsletter: str) -> str:
    """Return why a newsletter does not take an item that was there before it began."""
    older = "it is older than what the feed had before"
    return older if item.is_old else f"it was in the feed before {newsletter} began to use this source"


def _in_edition(edition: Edition, taker: _Taker) -> tuple[ItemStatus, str]:
    """Return the status of an item with an edition, and the edition's name, as the reason."""
    name = f"{edition.number} of {edition.newsletter}, {edition.slot}"
    if edition.id in taker.called_off:
        return ItemStatus.SKIPPED, f"by a person, with edition {name}"
    return ItemStatus.SENT, name + (", which is on hold" if edition.id in taker.on_hold else "")
