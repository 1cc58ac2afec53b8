"""Plan which editions would be created now, and from which posts. Planning creates no edition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from publisher.config import OWN_POSTS, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import parse_duration
from publisher.core import hold_reasons as holds
from publisher.core.errors import PublisherError
from publisher.core.hold_reasons import Hold
from publisher.core.models import Post, Problem
from publisher.core.newsletter_models import Choice, DeliveryCounts, Edition, name_of_edition
from publisher.newsletters.select import LONG_AGO, USUAL_FIRST, Selection, in_its_language, select_posts
from publisher.newsletters.slots import Decision, SlotHistory, decide, post_slot, slot_label
from publisher.newsletters.variants import Variant, all_topics, everyone, variants_of
from publisher.posts.archive import Archive, open_archive
from publisher.publishing.sent_before import handled_posts, other_ids
from publisher.publishing.sent_files import sent_again

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
    """

    slot: str = ""
    beside: bool = True
    posts: Mapping[str, Hold | None] | None = None
    hold: Hold | None = None
    goes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlannedEdition:
    """An edition that would be created now.

    passed_over  ids of older posts that the newsletter will never send
    variants     which subscribers get which of the posts; the variant for all topics comes first
    hold         the hold with which the edition is created; None if it is not on hold
    goes_at      when to send the edition, if it is created ahead of its slot
    other_ids    pairs of the id of a post, new or sent before, and one that it has in another source
    is_sample    whether nothing is new, so that it only shows how the newest posts would look
    rests        what is left for later because it may still change; "" if nothing is
    text         what an email without posts says; None for an edition of posts
    segment      the condition on its subscribers, in the language of segments; "" for all of the newsletter
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
        variants = variants_of(self.posts, choices) if self.text is None else (everyone(choices),)
        return replace(self, variants=variants)


@dataclass(frozen=True, slots=True)
class Idle:
    """A newsletter for which no edition would be created now, and the reason.

    command  advice on what to do about it on the command line; "" if there is none
    """

    newsletter: NewsletterConfig
    reason: str
    command: str = ""

    @property
    def advice(self) -> str:
        """The reason, followed by the command if there is one."""
        return f"{self.reason} ({self.command})" if self.command else self.reason


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing would do now.

    editions    the editions to create
    idle        the newsletters that get no edition
    unfinished  existing editions with messages still to send
    left_out    problems of posts that had to be skipped because their bodies cannot be rendered, or that are held
    broken      problems of newsletters whose edition cannot be rendered, because a note, template or key is broken
    emails      a line for each email without posts that is not sent now, but could be expected to be
    """

    archive: Archive
    editions: tuple[PlannedEdition, ...] = ()
    idle: tuple[Idle, ...] = ()
    unfinished: tuple[tuple[Edition, DeliveryCounts], ...] = ()
    left_out: tuple[Problem, ...] = ()
    broken: tuple[Problem, ...] = ()
    emails: tuple[str, ...] = ()


class UnreadablePostError(PublisherError):
    """Raised if the body of a planned post cannot be rendered, although its front matter is valid."""

    def __init__(self, source: str, problem: Problem) -> None:
        hint = problem.hint or "fix it; until then `publisher build` skips it"
        super().__init__(problem.message, where=problem.where, hint=hint)
        self.source, self.problem = source, problem


def make_plan(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    *,
    keep: bool = True,
    without: Collection[str] = (),
    due: Mapping[str, DueEdition] | None = None,
    extra: bool = True,
    held: bool = False,
) -> Plan:
    """Plan the editions that the newsletters called `names` (all, if it is empty) would send at `now`.

    store    None if there is no database yet, so that there are no subscribers and nothing was sent
    keep     whether to write the index of posts, which is a cache
    without  source files of posts to leave out
    due      the edition to plan, by the newsletter's name; a newsletter that it does not contain gets the current slot
    extra    whether to plan another edition for a current slot that already has one
    held     whether to leave out, with a problem, the posts that were sent under another id, as the scheduler does
    """
    # Before the posts are read, so that an item that is stored meanwhile does not seem to be left out.
    items = {each.name: _unhandled_items(store, each, now) for each in config.newsletters} if store else {}
    archive = open_archive(config, now, keep=keep, whole=True)
    known = {post.id for post in archive.posts} | {copy.id for copy in archive.copies}
    again = {each.source: each.problem(config) for each in sent_again(config, store, archive, names)} if held else {}
    posts = [post for post in archive.posts if post.source not in without and post.source not in again]
    editions: list[PlannedEdition] = []
    idle: list[Idle] = []
    for newsletter in config.newsletters:
        if names and newsletter.name not in names:
            continue
        planned = plan_newsletter(
            config, store, newsletter, posts, now, (due or {}).get(newsletter.name, DueEdition(beside=extra))
        )
        if isinstance(planned, Idle):
            idle.append(planned)
        else:
            left_out = items.get(newsletter.name, frozenset()) - known
            passed_over = (*planned[0].passed_over, *sorted(left_out))
            editions += [replace(planned[0], passed_over=passed_over), *planned[1:]]
    unfinished = _unfinished(store, names) if store else ()
    return Plan(archive, tuple(editions), tuple(idle), unfinished, left_out=tuple(again.values()))


def plan_newsletter(
    config: Config,
    store: Store | None,
    newsletter: NewsletterConfig,
    posts: Sequence[Post],
    now: datetime,
    due: DueEdition,
    gone: frozenset[str] = frozenset(),
) -> list[PlannedEdition] | Idle:
    """Return the editions that a newsletter would create from these posts at `now`, or why there would be none.

    gone  ids of posts that are not new, because editions that do not exist yet will have sent or passed over them
    """
    zone = config.newsletter_zone(newsletter)
    # In this order: an edition that another process creates meanwhile either takes the slot or shows in `handled`.
    taken = store.editions.slots(newsletter.name) if store else frozenset()
    is_first = not (taken or gone)
    handled = gone | (handled_posts(store, newsletter.name, posts) if store else frozenset())
    begun = store.editions.beginnings(newsletter.name) if store else None
    spoken = in_its_language(posts, newsletter, config)
    selection = select_posts(spoken, newsletter, handled, is_first, now, zone, begun)
    if not selection.posts:
        return Idle(newsletter, _too_few_posts(selection, zone), _for_more_posts(newsletter, selection))
    choices = store.subscribers.choices(newsletter.name, now) if store else ()
    if not choices:
        command = f"add one: publisher subscribers add you@example.org --newsletter {newsletter.name}"
        return Idle(newsletter, _no_subscribers(selection), command)
    schedule = parse_schedule(newsletter.schedule)
    number = store.editions.next_number(newsletter.name) if store else 1
    if schedule.kind is ScheduleKind.EACH_POST:
        each_post = _one_for_each_post(newsletter, selection, choices, number, due)
        return _held_for_a_person(store, _with_other_ids(each_post, posts, handled))
    slot = due.slot or slot_label(schedule, now, zone)
    if slot in taken and not due.beside and schedule.kind is not ScheduleKind.MANUAL:
        return Idle(newsletter, f"{slot} already has an edition", "use --extra to create another")
    variants = variants_of(selection.posts, choices)
    slot = _free_slot(slot, taken)
    planned = PlannedEdition(
        newsletter, slot, number, selection.posts, selection.passed_over, variants, due.hold, due.goes_at
    )
    return _held_for_a_person(
        store, _with_other_ids([replace(planned, rests=_resting(selection, zone))], posts, handled)
    )


def _unhandled_items(store: Store, newsletter: NewsletterConfig, now: datetime) -> frozenset[str]:
    """Return the ids of items that have rested and that a newsletter has not handled.

    Those of them that are not among the posts, a filter leaves out. They stay out once an edition was made without
    them, even if the filter changes.
    """
    names = [name for name in newsletter.sources if name != OWN_POSTS]
    rested = now - timedelta(minutes=newsletter.settle_minutes)
    return store.editions.unhandled_items(newsletter.name, names, rested) if names else frozenset()


def _with_other_ids(
    editions: list[PlannedEdition], posts: Iterable[Post], handled: Collection[str]
) -> list[PlannedEdition]:
    """Add the ids that their posts have in other sources; to the first, also those of posts that were sent before."""
    before = [post for post in posts if post.also_ids and post.id in handled]
    return [
        replace(each, other_ids=other_ids((*each.posts, *(before if each is editions[0] else ())), handled))
        for each in editions
    ]


def _held_for_a_person(store: Store | None, editions: list[PlannedEdition]) -> list[PlannedEdition]:
    """Put the editions on hold that have items which came when more than half of a feed turned new at once."""
    if store is None or not any(post.from_source for each in editions for post in each.posts):
        return editions
    suspects = store.sources.suspects()
    names = [sorted({suspects[post.id] for post in each.posts if post.id in suspects}) for each in editions]
    return [
        replace(each, hold=holds.joined(each.hold, holds.turned_new(found))) if found else each
        for each, found in zip(editions, names, strict=True)
    ]


def sample_edition(config: Config, newsletter: NewsletterConfig, archive: Archive, now: datetime) -> PlannedEdition:
    """Return the edition that a newsletter would send if it were new, to preview or check.

    If its posts are all too old for a first edition, it shows the newest of them.
    """
    zone = config.newsletter_zone(newsletter)
    own = in_its_language(archive.posts, newsletter, config)
    selection = select_posts(own, newsletter, frozenset(), True, now, zone)
    is_sample = not selection.posts
    if is_sample:  # posts of long ago still show how an email looks
        any_age = replace(newsletter, since="", first=newsletter.first or USUAL_FIRST)
        selection = select_posts(own, any_age, frozenset(), True, now, zone)
    schedule = parse_schedule(newsletter.schedule)
    posts = selection.posts
    if schedule.kind is ScheduleKind.EACH_POST:
        posts = posts[:1]
        slot = post_slot(posts[0].id) if posts else "post:"
    else:
        slot = slot_label(schedule, now, zone)
    return PlannedEdition(newsletter, slot, 1, posts, (), (all_topics(posts),), is_sample=is_sample)


def next_edition(
    config: Config, store: Store | None, newsletter: NewsletterConfig, archive: Archive, now: datetime
) -> PlannedEdition:
    """Return the edition that a newsletter sends next, whether or not it is due.

    It contains the posts that the newsletter has never sent; for the schedule "each post", only the oldest of them.
    If there are no new posts, it is the sample edition, with the number that the next one will have.
    """
    planned = sample_edition(config, newsletter, archive, now)
    if store is None:
        return planned
    posts, slot, number, is_sample = planned.posts, planned.slot, planned.number, planned.is_sample
    is_first, begun = not store.editions.slots(newsletter.name), store.editions.beginnings(newsletter.name)
    if begun or not is_first:
        handled, zone = handled_posts(store, newsletter.name, archive.posts), config.newsletter_zone(newsletter)
        own = in_its_language(archive.posts, newsletter, config)
        new = select_posts(own, newsletter, handled, is_first, now, zone, begun).posts
        posts, number, is_sample = new or posts, store.editions.next_number(newsletter.name), not new
        if new and parse_schedule(newsletter.schedule).kind is ScheduleKind.EACH_POST:
            posts, slot = new[-1:], post_slot(new[-1].id)
    next_one = replace(planned, posts=posts, slot=slot, number=number, is_sample=is_sample)
    return next_one.for_choices(store.subscribers.choices(newsletter.name, now))


def rule_of(config: Config, newsletter: NewsletterConfig) -> str:
    """Return a newsletter's schedule and time zone as one string. When it changes, earlier slots no longer count."""
    return f"{newsletter.schedule} | {config.newsletter_zone(newsletter).key}"


def lead_of(newsletter: NewsletterConfig) -> timedelta:
    """Return how long before its slot an edition is created, so that the owner has time to approve it if needed."""
    return timedelta(hours=newsletter.approve_hours) if newsletter.approve else timedelta()


def decision_of(
    config: Config, store: Store, newsletter: NewsletterConfig, watched: Watched, now: datetime
) -> Decision:
    """Return the decision about a newsletter's newest slot at `now`."""
    return decide(
        parse_schedule(newsletter.schedule),
        config.newsletter_zone(newsletter),
        SlotHistory(watched.since, watched.passed, store.editions.slots(newsletter.name)),
        now,
        max_lateness=parse_duration(newsletter.max_lateness),
        lead=lead_of(newsletter),
    )


def _one_for_each_post(
    newsletter: NewsletterConfig, selection: Selection, choices: Sequence[Choice], number: int, due: DueEdition
) -> list[PlannedEdition]:
    # Oldest first, so that emails arrive in the order of the posts. Only the first one passes over the older posts.
    oldest_first = [post for post in reversed(selection.posts) if due.posts is None or post.id in due.posts]
    return [
        PlannedEdition(
            newsletter,
            post_slot(post.id),
            number + index,
            (post,),
            selection.passed_over if index == 0 else (),
            variants_of((post,), choices),
            (due.posts or {}).get(post.id, due.hold),
        )
        for index, post in enumerate(oldest_first)
    ]


def _unfinished(store: Store, names: Sequence[str]) -> tuple[tuple[Edition, DeliveryCounts], ...]:
    return tuple(
        (edition, store.deliveries.counts(edition.id))
        for edition in store.editions.unfinished()
        if not names or edition.newsletter in names
    )


def _free_slot(label: str, taken: frozenset[str]) -> str:
    """Return the label of the slot, or if it is taken, the label with the first free number (2026-W47.2)."""
    if label not in taken:
        return label
    number = 2
    while f"{label}.{number}" in taken:
        number += 1
    return f"{label}.{number}"


def _too_few_posts(selection: Selection, zone: tzinfo) -> str:
    if selection.waiting:
        posts = f"{selection.waiting} new post{'s' if selection.waiting != 1 else ''}"
        rests = f"; {_resting(selection, zone)}" if selection.resting else ""
        return f"{posts}; an edition needs {selection.needed}{rests}"
    if selection.resting:
        return _resting(selection, zone)
    if selection.too_old:
        posts = (
            f"{selection.too_old} post{'s' if selection.too_old != 1 else ''} from more than {LONG_AGO.days} days ago"
        )
        return f"no new posts; {posts} {'stay' if selection.too_old != 1 else 'stays'} out of a first edition"
    return "no new posts"


def _for_more_posts(newsletter: NewsletterConfig, selection: Selection) -> str:
    """Return advice for a newsletter that has too few posts; "" if there is none."""
    if selection.too_old:
        return f'since = "..." under {newsletter.name} takes them'
    if selection.resting:
        return f"run it again then, or set settle_minutes under {newsletter.name} to 0"
    return ""


def _resting(selection: Selection, zone: tzinfo) -> str:
    """Return what is left for later because it may still change, and until when; "" if nothing is."""
    if selection.rests_until is None:
        return ""
    items = f"{selection.resting} new item{'s' if selection.resting != 1 else ''}"
    until = (selection.rests_until + timedelta(seconds=59)).astimezone(zone)  # a whole minute, and not too early
    return f"{items} may still change until {until:%Y-%m-%d %H:%M}"


def _no_subscribers(selection: Selection) -> str:
    waiting = len(selection.posts) + selection.waiting
    return f"{waiting} new post{'s' if waiting != 1 else ''}, but no subscribers yet"
