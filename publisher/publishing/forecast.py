"""The next slots of each newsletter, and what each would hold if nothing were written until then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import Schedule
from publisher.newsletters.slots import Late, Slot, upcoming
from publisher.posts.archive import Archive, ArchiveReader, require_posts
from publisher.publishing.due import decision_of, lead_of, rule_of
from publisher.publishing.plan import Call, Idle, plan_newsletter

if TYPE_CHECKING:
    from publisher.core.models import Post
    from publisher.publishing.render import Planned
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Contents:
    """What an edition would hold.

    posts    titles, newest first
    readers  how many would get it
    idle     why there would be none
    """

    posts: tuple[str, ...] = ()
    readers: int = 0
    idle: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """A slot to come, or one that is due and not made yet.

    at      in the newsletter's zone
    remark  what is special: "02:30 is skipped by the clock ..."; "" where nothing is
    made    whether the slot has its edition already: by hand, or for approval. It holds nothing here then
    """

    label: str
    at: datetime
    remark: str = ""
    made: bool = False
    contents: Contents = Contents()


@dataclass(frozen=True, slots=True)
class Timetable:
    """One newsletter's.

    slots  the next ones, soonest first; none of a newsletter that has no clock
    next   what its next edition would hold: that of the first slot without one, or of this moment without a clock
    """

    newsletter: NewsletterConfig
    slots: tuple[Coming, ...]
    next: Contents


def timetables(
    config: Config, store: Store | None, names: Sequence[str], now: datetime, count: int = 10, *, keep: bool = False
) -> list[Timetable]:
    """Return the timetables of the newsletters called `names` (all, if none are named).

    count  how many slots of each
    keep   whether the index of posts, which is a cache, is written; nothing else is
    What a slot holds is decided by the rules of the clock, for the moment at which its edition is made.
    """
    wanted = [each for each in config.newsletters if not names or each.name in names]
    if not wanted:
        return []
    require_posts(config)
    ahead = Ahead(config, now, keep=keep)
    return [_table(config, store, each, ahead, now, count) for each in wanted]


class Ahead:
    """The posts as they will be at later moments. All are loaded once; only those that appear later are added."""

    def __init__(self, config: Config, now: datetime, *, keep: bool) -> None:
        self._reader = ArchiveReader(config, keep=keep)
        self._now = now
        first = self._reader.archive(now)
        self._public = list(first.posts)
        self._spans: list[tuple[Archive, list[Post]]] = [(first, self._public)]

    def at(self, moment: datetime) -> list[Post]:
        """Return the posts for a moment that is not before the first; of those that are over by then some may be in."""
        for archive, posts in self._spans:
            if archive.now <= moment and (archive.next_change is None or moment < archive.next_change):
                return posts
        archive = self._reader.archive(moment)
        posts = [*takewhile(lambda post: post.published > self._now, archive.posts), *self._public]
        self._spans.append((archive, posts))
        return posts


def _table(
    config: Config, store: Store | None, newsletter: NewsletterConfig, ahead: Ahead, now: datetime, count: int
) -> Timetable:
    slots = tuple(_slots(config, store, newsletter, ahead, now, count))
    if slots:
        following = next(
            (slot.contents for slot in slots if not slot.made), Contents(idle="every slot has its edition")
        )
    else:
        planned = plan_newsletter(config, store, newsletter, ahead.at(now), now, Call())
        following = _contents(planned)
    return Timetable(newsletter, slots, following)


def _slots(
    config: Config, store: Store | None, newsletter: NewsletterConfig, ahead: Ahead, now: datetime, count: int
) -> Iterator[Coming]:
    zone, schedule = config.newsletter_zone(newsletter), parse_schedule(newsletter.schedule)
    made = store.editions.slots(newsletter.name) if store else frozenset()
    gone: frozenset[str] = frozenset()  # posts that go with the slots before
    coming = ((slot, remark(schedule, slot, zone)) for slot in upcoming(schedule, now, zone))
    for slot, said in islice(chain(_overdue(config, store, newsletter, now), coming), count):
        local = slot.at.astimezone(zone)
        if slot.label in made:
            yield Coming(slot.label, local, said, made=True)
            continue
        moment = max(now, slot.at - lead_of(newsletter))
        call = Call(slot.label, beside=False)
        planned = plan_newsletter(config, store, newsletter, ahead.at(moment), moment, call, gone)
        if not isinstance(planned, Idle):
            gone |= {post_id for each in planned for post_id in (*(p.id for p in each.posts), *each.passed_over)}
        yield Coming(slot.label, local, said, contents=_contents(planned))


def _overdue(
    config: Config, store: Store | None, newsletter: NewsletterConfig, now: datetime
) -> Iterator[tuple[Slot, str]]:
    """The slot that has begun and that the next tick makes; none of a newsletter that no tick has seen."""
    watched = store.newsletters.find(newsletter.name) if store else None
    if store is None or watched is None or watched.rule != rule_of(config, newsletter):
        return
    decision = decision_of(config, store, newsletter, watched, now)
    if decision is not None and decision.slot.at <= now:
        late = isinstance(decision, Late)
        yield decision.slot, "late: it will wait for a person" if late else "due now"


def _contents(planned: Sequence[Planned] | Idle) -> Contents:
    if isinstance(planned, Idle):
        return Contents(idle=planned.advice)
    titles = tuple(post.title for each in planned for post in each.posts)
    return Contents(titles, max((each.recipients for each in planned), default=0))


def when_not(schedule: Schedule, settle_minutes: int) -> str:
    """Return in words when editions are made for which no slot is to come."""
    match schedule.kind:
        case ScheduleKind.MANUAL:
            return "when you publish"
        case ScheduleKind.EACH_POST:
            return f"{settle_minutes} minute{'s' * (settle_minutes != 1)} after a post is published or changed"
    return "no slot after this"


def remark(schedule: Schedule, slot: Slot, zone: tzinfo) -> str:
    """Return what the clock on the wall does at a slot; "" where it reads the schedule's time, once."""
    local = slot.at.astimezone(zone)
    wanted = slot.label[-5:] if schedule.kind is ScheduleKind.CRON else f"{schedule.at:%H:%M}" if schedule.at else ""
    if wanted and f"{local:%H:%M}" != wanted:
        return f"{wanted} is skipped by the clock: due at the first moment after it"
    again = local.replace(fold=1).astimezone(UTC)
    if again > slot.at and again - slot.at < timedelta(days=1):
        return f"{local:%H:%M} comes twice: due the first time"
    return ""
