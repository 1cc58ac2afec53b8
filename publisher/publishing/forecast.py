"""Forecast the next slots (scheduled times) of each newsletter, and what each edition will contain.

A forecast assumes that no more posts are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import Schedule
from publisher.core.errors import SegmentError
from publisher.core.frozen import dataclass
from publisher.core.models import Post
from publisher.newsletters.slots import Late, Slot, upcoming
from publisher.newsletters.streams import NewsletterStream, streams_of
from publisher.posts.archive import Archive, ArchiveReader
from publisher.publishing.edition_plan import (
    DueEdition,
    Idle,
    PlannedEdition,
    decision_of,
    lead_of,
    plan_stream,
    rule_of,
)
from publisher.publishing.sent_files import sent_again
from publisher.publishing.stream_audience import StreamAudience, audience_of

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a future edition.

    posts    titles of its posts, newest first
    readers  number of subscribers who will get it
    idle     why no edition will be created; None if one will be
    """

    posts: tuple[str, ...] = ()
    readers: int = 0
    idle: Idle | None = None

    @property
    def advice(self) -> str:
        """Why no edition will be created, with the command that would change it; "" if one will be created."""
        return self.idle.advice if self.idle else ""


@dataclass(frozen=True, slots=True)
class ForecastSlot:
    """A slot that is still to come, or one that is due and has no edition yet.

    at      time of the slot, in the newsletter's time zone
    remark  an unusual circumstance, such as "the clocks go forward and skip 02:30 ..."; "" if there is none
    made    whether the slot already has an edition, created by hand or for approval; `contents` is then empty
    """

    label: str
    at: datetime
    remark: str = ""
    made: bool = False
    contents: Contents = Contents()


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of one newsletter, or of one frequency that its subscribers can choose.

    newsletter  with the schedule of the frequency
    frequency   "" for the newsletter's own schedule
    slots  its next slots, soonest first; empty if its schedule has no next slot
    next   contents of its next edition: for the first slot without an edition, or for now if there are no slots
    """

    newsletter: NewsletterConfig
    slots: tuple[ForecastSlot, ...]
    next: Contents
    frequency: str = ""


def forecasts(
    config: Config, store: Store | None, names: Sequence[str], now: datetime, count: int = 10, *, keep: bool = False
) -> list[Forecast]:
    """Return the forecasts of the newsletters called `names` (all, if it is empty), and of each of their frequencies.

    The contents of an edition follow the rules of the scheduler at the time at which it will create the edition.

    count  number of slots for each newsletter
    keep   whether to write the index of posts, which is a cache; nothing else is written
    """
    wanted = [each for each in config.newsletters if not names or each.name in names]
    if not wanted:
        return []
    posts = FuturePosts(config, store, now, keep=keep)
    return [
        _forecast(config, store, stream, posts, now, count)
        for newsletter in wanted
        for stream in streams_of(newsletter)
    ]


class FuturePosts:
    """The posts that are public now, and those that will be public at later times. Each post is loaded once.

    Posts that were sent under another id are left out, as the scheduler does.
    """

    def __init__(self, config: Config, store: Store | None, now: datetime, *, keep: bool) -> None:
        self._reader = ArchiveReader.whole(config, keep=keep)
        self._now = now
        first = self._reader.archive(now)
        self._held = {each.source for each in sent_again(config, store, first)}
        self._public = self._without_held(first.posts)
        self._spans: list[tuple[Archive, list[Post]]] = [(first, self._public)]

    def at(self, moment: datetime) -> list[Post]:
        """Return the posts at a moment that is not before `now`. They may include posts that have expired by then."""
        for archive, posts in self._spans:
            if archive.now <= moment and (archive.next_change is None or moment < archive.next_change):
                return posts
        archive = self._reader.archive(moment)
        later = takewhile(lambda post: post.published > self._now, archive.posts)
        posts = [*self._without_held(later), *self._public]
        self._spans.append((archive, posts))
        return posts

    def _without_held(self, posts: Iterable[Post]) -> list[Post]:
        return [post for post in posts if post.source not in self._held]


def describe_schedule(schedule: Schedule, settle_minutes: int) -> str:
    """Return in words when editions are created by a schedule that has no next slot."""
    match schedule.kind:
        case ScheduleKind.MANUAL:
            return "when you publish"
        case ScheduleKind.EACH_POST:
            return f"{settle_minutes} minute{'s' * (settle_minutes != 1)} after a post is published or changed"
    return "no more slots"


def remark(schedule: Schedule, slot: Slot, zone: tzinfo) -> str:
    """Return a remark if a slot falls where the clocks go forward or back; "" otherwise."""
    local = slot.at.astimezone(zone)
    wanted = slot.label[-5:] if schedule.kind is ScheduleKind.CRON else f"{schedule.at:%H:%M}" if schedule.at else ""
    if wanted and f"{local:%H:%M}" != wanted:
        return f"the clocks go forward and skip {wanted}: due at the first moment after it"
    again = local.replace(fold=1).astimezone(UTC)
    if again > slot.at and again - slot.at < timedelta(days=1):
        return f"the clocks go back and {local:%H:%M} occurs twice: due the first time"
    return ""


def _forecast(
    config: Config, store: Store | None, stream: NewsletterStream, posts: FuturePosts, now: datetime, count: int
) -> Forecast:
    newsletter = stream.newsletter
    slots = tuple(_slots(config, store, stream, posts, now, count))
    if slots:
        following = next(
            (slot.contents for slot in slots if not slot.made),
            Contents(idle=Idle(newsletter, "every slot has an edition", frequency=stream.frequency)),
        )
    else:
        following = _contents(_planned_now(config, store, stream, posts, now))
    return Forecast(newsletter, slots, following, stream.frequency)


def _slots(
    config: Config, store: Store | None, stream: NewsletterStream, posts: FuturePosts, now: datetime, count: int
) -> Iterator[ForecastSlot]:
    newsletter = stream.newsletter
    zone, schedule = config.newsletter_zone(newsletter), parse_schedule(newsletter.schedule)
    made = stream.labels(store.editions.slots(newsletter.name)) if store else frozenset()
    gone: frozenset[str] = frozenset()  # posts that earlier slots take
    audience: StreamAudience | None = None  # counted once, however many slots bring nothing
    coming = ((slot, remark(schedule, slot, zone)) for slot in upcoming(schedule, now, zone))
    for slot, remarks in islice(chain(_overdue(config, store, stream, now), coming), count):
        local = slot.at.astimezone(zone)
        if slot.label in made:
            yield ForecastSlot(stream.slot(slot.label), local, remarks, made=True)
            continue
        moment = max(now, slot.at - lead_of(newsletter))
        due, public = DueEdition(slot.label, beside=False), posts.at(moment)
        planned: Sequence[PlannedEdition] | Idle
        try:
            audience = audience or audience_of(config, store, stream, public, moment)
            planned = plan_stream(config, store, stream, public, moment, due, gone, audience)
        except SegmentError as error:
            planned = _without_segment(stream, error)
        if isinstance(planned, Idle):
            gone |= set(planned.passed_over)
        else:
            gone |= {post_id for each in planned for post_id in (*(p.id for p in each.posts), *each.passed_over)}
        yield ForecastSlot(stream.slot(slot.label), local, remarks, contents=_contents(planned))


def _planned_now(
    config: Config, store: Store | None, stream: NewsletterStream, posts: FuturePosts, now: datetime
) -> Sequence[PlannedEdition] | Idle:
    try:
        return plan_stream(config, store, stream, posts.at(now), now, DueEdition())
    except SegmentError as error:
        return _without_segment(stream, error)


def _without_segment(stream: NewsletterStream, error: SegmentError) -> Idle:
    return Idle(stream.newsletter, str(error), "", stream.frequency)


def _overdue(
    config: Config, store: Store | None, stream: NewsletterStream, now: datetime
) -> Iterator[tuple[Slot, str]]:
    """Yield the slot that has begun and gets its edition at the next tick, with a remark.

    Yields nothing if no tick has seen the newsletter with its present schedule.
    """
    watched = store.newsletters.find(stream.name) if store else None
    if store is None or watched is None or watched.rule != rule_of(config, stream.newsletter):
        return
    decision = decision_of(config, store, stream, watched, now)
    if decision is not None and decision.slot.at <= now:
        late = isinstance(decision, Late)
        yield decision.slot, "late: it will be put on hold" if late else "due now"


def _contents(planned: Sequence[PlannedEdition] | Idle) -> Contents:
    if isinstance(planned, Idle):
        return Contents(idle=planned)
    titles = tuple(post.title for each in planned for post in each.posts)
    return Contents(titles, max((each.recipients for each in planned), default=0))
