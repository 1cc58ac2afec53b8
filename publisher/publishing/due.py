"""Which newsletters the clock calls for now, and for which slot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import parse_duration
from publisher.core import hold_reasons as holds
from publisher.core.hold_reasons import Hold
from publisher.core.models import Post
from publisher.newsletters.select import select_posts
from publisher.newsletters.slots import Decision, Late, SlotHistory, decide, next_due, post_timing
from publisher.posts.archive import open_archive, require_posts
from publisher.publishing.plan import Call
from publisher.site.build.ids import KnownIds

if TYPE_CHECKING:
    from publisher.posts.archive import Archive
    from publisher.store import Store
    from publisher.store.newsletters import Watched

# So long before a slot its posts are looked at, so that a broken one can be mended in time.
SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Calls:
    """What the clock calls for.

    calls   by the newsletter's name
    begun   slots that are over when their editions are made, or when there is nothing to make, by newsletter
    soon    whether a slot is near
    """

    calls: dict[str, Call] = field(default_factory=dict)
    begun: dict[str, datetime] = field(default_factory=dict)
    soon: bool = False


def due_calls(config: Config, store: Store, now: datetime) -> Calls:
    """Decide which newsletters are called for at `now`. Writes only from when on new newsletters count."""
    found = Calls()
    archive: Archive | None = None
    soon = False
    for newsletter in config.newsletters:
        schedule = parse_schedule(newsletter.schedule)
        if schedule.kind is ScheduleKind.MANUAL:
            continue
        if schedule.kind is ScheduleKind.EACH_POST:
            archive = archive or _look(config, now)
            if call := _each_post(config, store, newsletter, archive, now):
                found.calls[newsletter.name] = call
            soon = True
            continue
        watched = store.newsletters.see(newsletter.name, rule_of(config, newsletter), now)
        decision = decision_of(config, store, newsletter, watched, now)
        if decision is not None:
            found.calls[newsletter.name] = _call(config, newsletter, decision)
            if decision.slot.at <= now:
                found.begun[newsletter.name] = decision.slot.at
        following = next_due(schedule, now, config.newsletter_zone(newsletter))
        soon = soon or (following is not None and following.at - now <= SOON + lead_of(newsletter))
    return Calls(found.calls, found.begun, soon)


def rule_of(config: Config, newsletter: NewsletterConfig) -> str:
    """Return a newsletter's schedule and zone as one text: with another, its slots count anew."""
    return f"{newsletter.schedule} | {config.newsletter_zone(newsletter).key}"


def lead_of(newsletter: NewsletterConfig) -> timedelta:
    """Return how long before its slot an edition is made."""
    return timedelta(hours=newsletter.approve_hours) if newsletter.approve else timedelta()


def decision_of(
    config: Config, store: Store, newsletter: NewsletterConfig, watched: Watched, now: datetime
) -> Decision:
    """Return what is to be done about a newsletter's newest slot."""
    return decide(
        parse_schedule(newsletter.schedule),
        config.newsletter_zone(newsletter),
        SlotHistory(watched.since, watched.passed, store.editions.slots(newsletter.name)),
        now,
        max_lateness=parse_duration(newsletter.max_lateness),
        lead=lead_of(newsletter),
    )


def _call(config: Config, newsletter: NewsletterConfig, decision: Decision) -> Call:
    assert decision is not None  # noqa: S101 - the caller has looked
    zone = config.newsletter_zone(newsletter)
    slot, is_late = decision.slot, isinstance(decision, Late)
    late = holds.late(slot.at, decision.found, zone) if isinstance(decision, Late) else None
    approval = holds.approval(None if is_late else slot.at, zone) if newsletter.approve else None
    ahead = newsletter.approve and not is_late
    return Call(slot.label, False, None, holds.joined(approval, late), slot.at if ahead else None)


def _each_post(
    config: Config, store: Store, newsletter: NewsletterConfig, archive: Archive, now: datetime
) -> Call | None:
    """Return a call for the posts that have settled. What was there before the newsletter, it passes over."""
    is_new = store.newsletters.find(newsletter.name) is None
    if is_new and not store.editions.exist(newsletter.name):
        store.editions.pass_over(newsletter.name, [post.id for post in archive.posts])
    store.newsletters.see(newsletter.name, rule_of(config, newsletter), now)
    new = _new_posts(config, store, newsletter, archive, now)
    ready = dict(_settled(config, newsletter, archive, new, now))
    if ready and not store.subscribers.choices(newsletter.name, now):
        store.editions.pass_over(newsletter.name, list(ready))  # who comes later gets what comes later
        return None
    return Call(beside=False, posts=ready) if ready else None


def _new_posts(
    config: Config, store: Store, newsletter: NewsletterConfig, archive: Archive, now: datetime
) -> Sequence[Post]:
    handled = store.editions.handled_posts(newsletter.name)
    is_first = not store.editions.exist(newsletter.name)
    zone = config.newsletter_zone(newsletter)
    return select_posts(list(archive.posts), newsletter, handled, is_first, now, zone).posts


def _settled(
    config: Config, newsletter: NewsletterConfig, archive: Archive, new: Iterable[Post], now: datetime
) -> Iterable[tuple[str, Hold | None]]:
    zone = config.newsletter_zone(newsletter)
    settle, allowed = timedelta(minutes=newsletter.settle_minutes), parse_duration(newsletter.max_lateness)
    for post in new:
        state = post_timing(post.published, _changed(archive, post), now, settle=settle, max_lateness=allowed)
        if state.ready:
            late = holds.late(state.due, now, zone) if state.late else None
            yield post.id, holds.joined(holds.approval(None, zone) if newsletter.approve else None, late)


def _changed(archive: Archive, post: Post) -> datetime | None:
    try:
        return datetime.fromtimestamp((archive.folder / post.source).stat().st_mtime, UTC)
    except OSError:
        return None  # it went meanwhile; rendering it will tell


def _look(config: Config, now: datetime) -> Archive:
    require_posts(config)
    archive = open_archive(config, now)
    KnownIds(config, accept_new=False).require_same(archive)
    return archive
