"""Plan which editions would be created now, and from which posts. Planning creates no edition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import OWN_POSTS, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import parse_duration
from publisher.core import hold_reasons as holds
from publisher.core.errors import SegmentError
from publisher.core.frozen import dataclass
from publisher.core.hold_reasons import Hold
from publisher.core.models import Post, Problem, problem_at
from publisher.core.newsletter_models import Choice, DeliveryCounts, Edition, ledger_name, name_of_edition
from publisher.newsletters.select import Selection, in_its_language, is_for, select_posts, settled_at
from publisher.newsletters.slots import Decision, SlotHistory, decide, free_slot, post_slot, slot_label
from publisher.newsletters.streams import NewsletterStream, streams_of
from publisher.newsletters.variants import Variant, everyone, variants_of
from publisher.posts.archive import Archive, open_archive
from publisher.publishing.idle_reasons import for_more_posts, no_subscribers, nobody_in, resting, too_few_posts
from publisher.publishing.recipients import local, outside_of
from publisher.publishing.sent_before import handled_posts, other_ids, unhandled_sources
from publisher.publishing.stream_audience import StreamAudience, audience_of, with_sent

if TYPE_CHECKING:
    from publisher.newsletters.letter.own_text import OwnText
    from publisher.store import Store
    from publisher.store.newsletters import Watched


@dataclass(frozen=True, slots=True)
class DueEdition:
    """The slot (scheduled time) for which to plan a newsletter's edition, and the conditions.

    slot     label of the slot; "" for the current one
    beside   whether to plan another edition (2026-W47.2) if the slot has one already
    posts    for the schedule "each post": the ids of the posts that may be sent, each with the hold of its edition
             (None if it is not on hold); None for all posts
    hold     the hold with which the edition is created; None if it is not on hold
    goes_at  when to send the edition if it is created ahead of its slot
    segment  a segment that its recipients must be in, besides the newsletter's own: its name, or a condition
    """

    slot: str = ""
    beside: bool = True
    posts: Mapping[str, Hold | None] | None = None
    hold: Hold | None = None
    goes_at: datetime | None = None
    segment: str = ""


# Another edition for the current slot.
USUAL = DueEdition()


@dataclass(frozen=True, slots=True)
class PlannedEdition:
    """An edition that would be created now.

    passed_over  ids of older posts that the newsletter will never send
    variants     which subscribers get which of the posts; the variant for all topics comes first
    hold         the hold with which the edition is created; None if it is not on hold
    goes_at      when to send the edition, if it is created ahead of its slot
    other_ids    pairs: the id of a post, new or sent before, and an id that the same post has in another source
    is_sample    whether nothing is new, so that it only shows how the newest posts would look
    rests        a text about the items that wait because they may still change; "" if none do
    text         the text of an email without posts; None for an edition of posts
    segment      the condition on its subscribers, in the language of segments; "" for all of the newsletter
    outside      how many other subscribers could get email, but are not in the segment and never get these posts
    frequency    the frequency that its subscribers have chosen; "" for the newsletter's own schedule
    earlier      posts that some of its subscribers lack because they have changed their frequency
    ahead        the ids in `passed_over` of posts that all its subscribers have already received, at another frequency
    repeats      whether all its posts are earlier ones, for subscribers who lack them
    once         the ids of its posts, if subscribers who got them from other newsletters do not get them again
    begins       the ledger names of all streams, if it is the newsletter's first edition
    """

    newsletter: NewsletterConfig
    slot: str
    number: int
    posts: tuple[Post, ...]
    passed_over: tuple[str, ...]
    variants: tuple[Variant, ...]
    hold: Hold | None = None
    goes_at: datetime | None = None
    other_ids: tuple[tuple[str, str], ...] = ()
    is_sample: bool = False
    rests: str = ""
    text: OwnText | None = None
    segment: str = ""
    outside: int = 0
    frequency: str = ""
    earlier: tuple[Post, ...] = ()
    ahead: tuple[str, ...] = ()
    repeats: bool = False
    once: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()

    @property
    def stream(self) -> str:
        """The name of its stream."""
        return ledger_name(self.newsletter.name, self.frequency)

    @property
    def name(self) -> str:
        """The newsletter, the slot and the number, as people see them."""
        return name_of_edition(self.newsletter.name, self.slot, self.number)

    @property
    def recipients(self) -> int:
        """The number of subscribers who will get an email."""
        return sum(variant.subscribers for variant in self.variants if self.is_sent(variant))

    @property
    def unmatched(self) -> int:
        """The number of subscribers who will get no email because no post matches their topics."""
        return sum(variant.subscribers for variant in self.variants if not self.is_sent(variant))

    def is_sent(self, variant: Variant) -> bool:
        """Return whether the subscribers of a variant get an email."""
        return bool(variant.posts) or self.text is not None

    def for_choices(self, choices: Iterable[Choice]) -> PlannedEdition:
        """Return the same edition with the variants for these choices of topics."""
        if self.text is not None:
            return replace(self, variants=(everyone(choices),))
        return replace(self, variants=variants_of(self.posts, choices, self.earlier, repeats=self.repeats))

    def for_subscribers(self, config: Config, store: Store, now: datetime) -> PlannedEdition:
        """Return the same edition with the variants for the subscribers who may get email at a moment."""
        at, often = local(config, self.newsletter, now), self.frequency if self.text is None else None
        choices = store.subscribers.choices(self.newsletter.name, at, self.segment, frequency=often, once=self.once)
        outside = outside_of(store, self.newsletter, self.segment, choices, at, often)
        return replace(self.for_choices(choices), outside=outside)

    def again(self, config: Config, store: Store, now: datetime) -> PlannedEdition:
        """Return the same edition after subscribers have changed something, without posts handled since it was planned.

        It may have no posts left.
        """
        if self.text is not None or self.repeats:
            return self.for_subscribers(config, store, now)
        handled = handled_posts(store, self.stream, self.posts)
        left = tuple(post for post in self.posts if post.id not in handled)
        return replace(self, posts=left).for_subscribers(config, store, now)


@dataclass(frozen=True, slots=True)
class Idle:
    """A newsletter for which no edition would be created now, and the reason.

    command      advice on what to do about it on the command line; "" if there is none
    frequency    the stream; "" for the newsletter's own schedule
    passed_over  ids of the posts that are passed over at this slot because no one has the frequency now
    segment      the condition that its subscribers would meet
    """

    newsletter: NewsletterConfig
    reason: str
    command: str = ""
    frequency: str = ""
    passed_over: tuple[str, ...] = ()
    segment: str = ""

    @property
    def stream(self) -> str:
        """The name of its stream."""
        return ledger_name(self.newsletter.name, self.frequency)

    @property
    def advice(self) -> str:
        """The reason, followed by the command if there is one."""
        return f"{self.reason} ({self.command})" if self.command else self.reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The work that publishing would do now.

    editions    the editions to create
    idle        the newsletters that get no edition
    unfinished  existing editions with messages still to send
    left_out    problems of posts that had to be skipped because their bodies cannot be rendered, or that are held
    broken      problems of newsletters whose edition cannot be rendered, because a note, template or key is broken, or
                that go to a segment which does not exist
    emails      a line for each email without posts that is not sent now, but could be expected to be
    """

    archive: Archive
    editions: tuple[PlannedEdition, ...] = ()
    idle: tuple[Idle, ...] = ()
    unfinished: tuple[tuple[Edition, DeliveryCounts], ...] = ()
    left_out: tuple[Problem, ...] = ()
    broken: tuple[Problem, ...] = ()
    emails: tuple[str, ...] = ()


def make_plan(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    archive: Archive | None = None,
    *,
    due: Mapping[str, DueEdition] | None = None,
    usual: DueEdition = USUAL,
    held: Mapping[str, Problem] | None = None,
) -> Plan:
    """Plan the editions that the newsletters called `names` (all, if it is empty) would send at `now`.

    store    None if there is no database yet, so that there are no subscribers and nothing was sent
    archive  the posts; None to read them
    due      the edition to plan, by the name of the stream; an edition of a frequency is planned only if it is due
    usual    the edition to plan for other newsletters; the recipients of all editions must be in its segment
    held     posts to leave out, by source, with the problem of each
    """
    due, held = due or {}, held or {}
    streams = _streams(config, names, due)
    # Before the posts are read, so that an item that is stored meanwhile does not seem to be left out.
    items = {each.name: _unhandled_items(store, each, now) for each in streams} if store else {}
    archive = archive or open_archive(config, now, whole=True)
    known = {*archive.ids().values(), *(copy.id for copy in archive.copies)}
    sources = (unhandled_sources(store, streams, archive) if store else archive.ids()) if streams else ()
    posts = archive.load(each for each in sources if each not in held)
    editions, idle, broken = list[PlannedEdition](), list[Idle](), dict[Problem, None]()
    for stream in streams:
        wanted = replace(due.get(stream.name, usual), segment=usual.segment)
        try:
            planned = plan_stream(config, store, stream, posts, now, wanted)
        except SegmentError as error:
            broken[problem_at(error)] = None
            continue
        if isinstance(planned, Idle):
            idle.append(planned)
        else:
            passed_over = (*planned[0].passed_over, *sorted(items.get(stream.name, frozenset()) - known))
            editions += [replace(planned[0], passed_over=passed_over), *planned[1:]]
    unfinished = _unfinished(store, names) if store else ()
    return Plan(archive, tuple(editions), tuple(idle), unfinished, tuple(held.values()), tuple(broken))


def _streams(config: Config, names: Sequence[str], due: Collection[str]) -> list[NewsletterStream]:
    """Return the streams that are due, and the newsletters' own schedules, if they are named or no names are given."""
    every = [each for newsletter in config.newsletters for each in streams_of(newsletter)]
    return [s for s in every if s.name in due or (not s.frequency and (not names or s.name in names))]


def plan_stream(
    config: Config,
    store: Store | None,
    stream: NewsletterStream,
    posts: Sequence[Post],
    now: datetime,
    due: DueEdition,
    gone: frozenset[str] = frozenset(),
    audience: StreamAudience | None = None,
) -> list[PlannedEdition] | Idle:
    """Return the editions that a newsletter would create from these posts at `now`, or why there would be none.

    gone      ids of posts that do not count as new, because planned editions will have sent or passed over them by then
    audience  the subscribers at an earlier moment, counted again if there is something to send; None to count them
    Raises SegmentError if the newsletter goes to a segment that does not exist.
    """
    newsletter, zone = stream.newsletter, config.newsletter_zone(stream.newsletter)
    # In this order: an edition that another process creates meanwhile either takes the slot or shows in `handled`.
    slots = store.editions.slots(newsletter.name) if store else frozenset()
    handled = gone | (handled_posts(store, stream.name, posts) if store else frozenset())
    is_first, begun = not (slots or gone), store.editions.beginnings(newsletter.name) if store else None
    spoken = in_its_language(posts, newsletter, config)
    audience = audience or audience_of(config, store, stream, posts, now, due.segment)
    ahead = audience.ahead - handled
    selection = select_posts(spoken, newsletter, handled | ahead, is_first, now, zone, begun)
    schedule = parse_schedule(newsletter.schedule)
    is_empty = not (selection.posts or selection.waiting or schedule.kind is ScheduleKind.EACH_POST)
    lacking = audience.lacking(gone) if is_empty else ()
    if not selection.posts and not lacking:
        return Idle(newsletter, too_few_posts(selection, zone), for_more_posts(newsletter, selection), stream.frequency)
    audience = audience if audience.at in (None, now) else audience_of(config, store, stream, posts, now, due.segment)
    if store is None or not audience.choices:
        return _without_subscribers(stream, audience, selection, spoken, handled, now, is_first=is_first)
    audience = with_sent(config, store, stream, audience, selection.posts, now)
    number = store.editions.next_number(newsletter.name, stream.frequency)
    planned = _planned(stream, selection, lacking, audience, due, number, is_first=is_first)
    planned = replace(planned, passed_over=(*planned.passed_over, *sorted(ahead)), ahead=tuple(sorted(ahead)))
    if schedule.kind is ScheduleKind.EACH_POST:
        made = _with_other_ids(_one_for_each_post(planned, audience.choices, due), posts, handled)
        return _held_for_a_person(store, made)
    label, taken = due.slot or slot_label(schedule, now, zone), stream.labels(slots)
    if label in taken and not due.beside and schedule.kind is not ScheduleKind.MANUAL:
        reason = f"{stream.slot(label)} already has an edition"
        return Idle(newsletter, reason, "use --extra to create another", stream.frequency)
    planned = replace(planned, slot=stream.slot(free_slot(label, taken)), rests=resting(selection, zone))
    return _held_for_a_person(store, _with_other_ids([planned.for_choices(audience.choices)], posts, handled))


def _planned(
    stream: NewsletterStream,
    selection: Selection,
    lacking: tuple[Post, ...],
    audience: StreamAudience,
    due: DueEdition,
    number: int,
    *,
    is_first: bool,
) -> PlannedEdition:
    """Return the edition of a stream, as yet without slot and variants."""
    newsletter = stream.newsletter
    return PlannedEdition(
        newsletter,
        "",
        number,
        selection.posts or lacking,
        selection.passed_over,
        (),
        due.hold,
        due.goes_at,
        segment=audience.segment,
        outside=audience.outside,
        frequency=stream.frequency,
        earlier=audience.earlier,
        repeats=not selection.posts,
        once=audience.once,
        begins=tuple(each.name for each in streams_of(newsletter)) if is_first and newsletter.frequencies else (),
    )


def _without_subscribers(
    stream: NewsletterStream,
    audience: StreamAudience,
    selection: Selection,
    posts: Iterable[Post],
    handled: Collection[str],
    now: datetime,
    *,
    is_first: bool,
) -> Idle:
    """Return why there is no edition. If others have chosen another frequency, the posts are passed over.

    Otherwise the first subscriber to choose this frequency later would get all of them.
    """
    newsletter = stream.newsletter
    passed: tuple[str, ...] = ()
    if newsletter.frequencies and not is_first and handled:
        new = (post for post in posts if post.is_public(now) and is_for(post, newsletter) and post.id not in handled)
        passed = tuple(sorted(post.id for post in new if settled_at(post, newsletter) <= now))
    reason, command = no_subscribers(selection), ""
    if audience.outside:
        reason = nobody_in(audience, selection)
    elif stream.frequency:
        reason = f"no subscriber has chosen {stream.frequency} editions"
    else:
        command = f"add one: publisher subscribers add you@example.org --newsletter {newsletter.name}"
    return Idle(newsletter, reason, command, stream.frequency, passed, audience.segment)


def _unhandled_items(store: Store, stream: NewsletterStream, now: datetime) -> frozenset[str]:
    """Return the ids of items that have rested and that a newsletter has not handled.

    Items that are not among the posts are left out by a filter. After an edition was made without them, they stay out
    even if the filter changes.
    """
    names = [name for name in stream.newsletter.sources if name != OWN_POSTS]
    rested = now - timedelta(minutes=stream.newsletter.settle_minutes)
    return store.editions.unhandled_items(stream.name, names, rested) if names else frozenset()


def _with_other_ids(
    editions: list[PlannedEdition], posts: Iterable[Post], handled: Collection[str]
) -> list[PlannedEdition]:
    """Add the ids that each edition's posts have in other sources; to the first edition, also those of old posts."""
    before = [post for post in posts if post.also_ids and post.id in handled]
    return [
        replace(each, other_ids=other_ids((*each.posts, *(before if each is editions[0] else ())), handled))
        for each in editions
    ]


def _held_for_a_person(store: Store | None, editions: list[PlannedEdition]) -> list[PlannedEdition]:
    """Put an edition on hold if it has items that came when more than half of a feed suddenly appeared as new."""
    if store is None or not any(post.from_source for each in editions for post in each.posts):
        return editions
    suspects = store.sources.suspects()
    names = [sorted({suspects[post.id] for post in each.posts if post.id in suspects}) for each in editions]
    return [
        replace(each, hold=holds.joined(each.hold, holds.turned_new(found))) if found else each
        for each, found in zip(editions, names, strict=True)
    ]


def rule_of(config: Config, newsletter: NewsletterConfig) -> str:
    """Return the schedule and time zone of a stream as one string. When it changes, earlier slots no longer count."""
    return f"{newsletter.schedule} | {config.newsletter_zone(newsletter).key}"


def lead_of(newsletter: NewsletterConfig) -> timedelta:
    """Return how long before its slot an edition is created, so that the owner has time to approve it if needed."""
    return timedelta(hours=newsletter.approve_hours) if newsletter.approve else timedelta()


def decision_of(config: Config, store: Store, stream: NewsletterStream, watched: Watched, now: datetime) -> Decision:
    """Return the decision about the newest slot of a stream at `now`."""
    newsletter = stream.newsletter
    return decide(
        parse_schedule(newsletter.schedule),
        config.newsletter_zone(newsletter),
        SlotHistory(watched.since, watched.passed, stream.labels(store.editions.slots(newsletter.name))),
        now,
        max_lateness=parse_duration(newsletter.max_lateness),
        lead=lead_of(newsletter),
    )


def _one_for_each_post(planned: PlannedEdition, choices: Sequence[Choice], due: DueEdition) -> list[PlannedEdition]:
    # Oldest first, so that emails arrive in the order of the posts. Only the first one passes over the older posts.
    oldest_first = [post for post in reversed(planned.posts) if due.posts is None or post.id in due.posts]
    return [
        replace(
            planned,
            slot=post_slot(post.id),
            number=planned.number + index,
            posts=(post,),
            passed_over=planned.passed_over if index == 0 else (),
            ahead=planned.ahead if index == 0 else (),
            hold=(due.posts or {}).get(post.id, due.hold),
            goes_at=None,
        ).for_choices(choices)
        for index, post in enumerate(oldest_first)
    ]


def _unfinished(store: Store, names: Sequence[str]) -> tuple[tuple[Edition, DeliveryCounts], ...]:
    return tuple(
        (edition, store.deliveries.counts(edition.id))
        for edition in store.editions.unfinished()
        if not names or edition.newsletter in names
    )
