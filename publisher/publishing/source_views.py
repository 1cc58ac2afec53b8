"""The sources of a project as people see them, in commands, on the admin page and in the report of `check`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from publisher.config import Config, SourceConfig
from publisher.core.frozen import dataclass
from publisher.publishing.sent_before import left_items

if TYPE_CHECKING:
    from publisher.core.source_records import SourceState
    from publisher.store import Store


class SourceHealth(StrEnum):
    """Whether a source can be fetched."""

    NEW = "not fetched yet"
    OK = "ok"
    FAILING = "failing"
    HELD = "held"  # more than half of its items suddenly appeared as new
    ENDED = "ended"  # the server said that the feed is gone for good


_TROUBLES = {
    SourceHealth.FAILING: "can't be fetched",
    SourceHealth.HELD: "needs you",
    SourceHealth.ENDED: "has ended",
}


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """A source as people see it.

    title        the configured title, or the feed's, or the source's name if neither is known
    link         the page that the feed belongs to; "" if that is unknown
    address      where it is fetched after it has moved; "" if that is `url`
    moved_to, moved_seen  another host to which its last answers were redirected for good, and how many in a row
    waits_in     the id of the edition that waits for a person because of its items; None if there is none
    why          the problem with it, in one line; "" if there is none
    since        when the problem began; None if there is none
    items        how many items its last document had
    newest       when its newest item was published or, without a date, first seen
    asked_at     when it was last fetched, whatever the result
    next_at      when it is due; None if it was never fetched, or will not be fetched again
    newsletters  the newsletters that take it
    """

    name: str
    title: str
    url: str
    link: str
    health: SourceHealth
    why: str = ""
    since: datetime | None = None
    items: int = 0
    newest: datetime | None = None
    asked_at: datetime | None = None
    next_at: datetime | None = None
    newsletters: tuple[str, ...] = ()
    address: str = ""
    moved_to: str = ""
    moved_seen: int = 0
    waits_in: int | None = None

    @property
    def trouble(self) -> str:
        """The trouble with the source, in words that "since" and `why` can follow; "" if there is none."""
        return _TROUBLES.get(self.health, "")

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to report about it."""
        return not self.trouble

    def as_json(self, zone: tzinfo) -> dict[str, Any]:
        """Return it as JSON values, times in the time zone `zone`."""
        return {
            "name": self.name,
            "title": self.title,
            "url": self.url,
            "link": self.link,
            "address": self.address or self.url,
            "moved_to": self.moved_to,
            "moved_seen": self.moved_seen,
            "state": self.health.value,
            "trouble": self.trouble,
            "why": self.why,
            "since": _iso(self.since, zone),
            "items": self.items,
            "newest": _iso(self.newest, zone),
            "fetched_at": _iso(self.asked_at, zone),
            "next_at": _iso(self.next_at, zone),
            "newsletters": list(self.newsletters),
        }


def source_views(config: Config, store: Store | None) -> tuple[SourceSummary, ...]:
    """Return the configured sources in their order. store: None if there is no database yet."""
    states = {state.name: state for state in store.sources.states()} if store and config.sources else {}
    return tuple(_view(config, store, source, states.get(source.name)) for source in config.sources)


def _view(config: Config, store: Store | None, source: SourceConfig, state: SourceState | None) -> SourceSummary:
    taken = tuple(each.name for each in config.newsletters if source.name in each.sources)
    if store is None or state is None or state.asked_at is None or state.url != source.url:
        return SourceSummary(
            source.name, source.title or source.name, source.url, "", SourceHealth.NEW, newsletters=taken
        )
    waits_in = _waits_in(config, store, state)
    health, why, since = _health(state)
    if (
        health is SourceHealth.HELD
        and waits_in is None
        and not unhandled(config, store, state.name, suspects_of(store, state.name))
    ):
        health, why, since = SourceHealth.OK, "", None  # the next fetch records it
    newest = store.sources.item(state.listed[0]) if state.listed else None
    return SourceSummary(
        source.name,
        source.title or state.title or source.name,
        source.url,
        state.link,
        health,
        why,
        since,
        items=len(state.listed),
        newest=(newest.item.published or newest.first_seen_at) if newest else None,
        asked_at=state.asked_at,
        next_at=None if health is SourceHealth.ENDED else state.next_at,
        newsletters=taken,
        address=state.address,
        moved_to=state.moved_to,
        moved_seen=state.moved_seen,
        waits_in=waits_in,
    )


def _health(state: SourceState) -> tuple[SourceHealth, str, datetime | None]:
    """Return the health of a source that was fetched before, why, and since when."""
    if state.ended_at is not None:
        return SourceHealth.ENDED, "its server says that the feed is gone for good (410)", state.ended_at
    if state.failing_since is not None:
        return SourceHealth.FAILING, state.error, state.failing_since
    if state.held_at is not None:
        return SourceHealth.HELD, "more than half of its items suddenly appeared as new", state.held_at
    return SourceHealth.OK, "", None


def suspects_of(store: Store, name: str) -> frozenset[str]:
    """Return the ids of the posts of a source that came when more than half of it suddenly appeared as new."""
    return frozenset(post_id for post_id, source in store.sources.suspects().items() if source == name)


def unhandled(config: Config, store: Store, name: str, post_ids: Collection[str]) -> frozenset[str]:
    """Return the posts of a source that at least one of its newsletters has neither sent nor passed over."""
    takers = [each.name for each in config.newsletters if name in each.sources]
    left = [left_items(store, newsletter, name, post_ids) for newsletter in takers]
    return frozenset().union(*left)


def _waits_in(config: Config, store: Store, state: SourceState) -> int | None:
    """Return the id of the edition that is held because of new items of a source; None if there is none."""
    if state.held_at is None:
        return None
    suspects = suspects_of(store, state.name)
    waiting = (each for each in store.editions.unfinished() if each.hold and each.hold.asks_owner)
    return next((each.id for each in waiting if suspects & {post.id for post in each.posts}), None)


def troubled(views: Sequence[SourceSummary]) -> list[SourceSummary]:
    """Return the sources that have a problem."""
    return [view for view in views if not view.is_well]


def _iso(moment: datetime | None, zone: tzinfo) -> str | None:
    return moment.astimezone(zone).isoformat(timespec="seconds") if moment else None
