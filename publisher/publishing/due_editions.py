"""Find the editions that are due according to their newsletters' schedules, and create them.

The posts are read again each time. An edition that cannot be created is reported. An edition that looks wrong is
created on hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, frequency_schedules, parse_schedule
from publisher.config.schedule import parse_duration
from publisher.core import hold_reasons as holds
from publisher.core.errors import SegmentError
from publisher.core.frozen import dataclass
from publisher.core.hold_reasons import Hold
from publisher.core.models import Post, Problem, Severity
from publisher.core.newsletter_models import Edition
from publisher.newsletters.select import in_its_language, select_posts, settled_at
from publisher.newsletters.slots import Decision, Late, next_due, post_timing
from publisher.newsletters.streams import streams_of
from publisher.posts.archive import Archive, open_archive
from publisher.publishing.edition_plan import DueEdition, Plan, decision_of, lead_of, rule_of
from publisher.publishing.publish import compose_emails, compose_plan, create_editions, hold_on_errors
from publisher.publishing.recipients import local, segment_of
from publisher.publishing.sent_before import handled_posts
from publisher.publishing.sent_files import held_posts, remember_files
from publisher.publishing.source_slots import SlotSources, begin_with_sources
from publisher.publishing.wiring import Project
from publisher.site.build.ids import KnownIds

if TYPE_CHECKING:
    from publisher.store import Store

# Posts are checked this long before a slot, so that a broken post can still be fixed in time.
SOON = timedelta(hours=1)

# A broken file is reported once it has not changed for this long, because until then it is probably being written.
UNTOUCHED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class DueEditions:
    """The editions that are due now, and the state of the slots (scheduled times).

    editions  the editions to create, by the newsletter's name
    begun     the time of the slot that has begun, by the newsletter's name; the slot is over once its edition is
              created or turns out to have nothing to send
    soon      whether a slot is near, so that posts should be checked
    without   warnings about sources whose new items the editions lack
    """

    editions: dict[str, DueEdition] = field(default_factory=dict)
    begun: dict[str, datetime] = field(default_factory=dict)
    soon: bool = False
    without: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class DueReport:
    """The editions that were created, and the problems that were found.

    problems  errors in skipped posts, and in newsletters whose edition cannot be rendered
    broken    errors in every post that cannot be read, including files that are still being written
    looked    whether posts were read at all
    """

    created: tuple[Edition, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: tuple[Problem, ...] = ()
    looked: bool = False


def create_due_editions(project: Project, now: datetime) -> DueReport:
    """Create the editions that are due, late, or to be approved at `now`.

    If there is nothing to send for a slot, the slot is over, and later posts go into the next one. Raises
    PublisherError if no edition can be created.
    """
    if project.store.post_files.missing():  # a database of an older version, or a process that was killed
        remember_files(project.config, project.store, open_archive(project.config, now))
    due = find_due(project, now)
    if due.editions:
        return _create(project, due, now)
    if not due.soon:
        return DueReport()
    config = project.config
    errors = _errors(open_archive(config, now, whole=True).problems)
    return DueReport((), tuple(error for error in errors if is_untouched(config, error, now)), errors, looked=True)


def create_due_emails(project: Project, now: datetime) -> DueReport:
    """Create the emails without posts that are due, late, or to be approved at `now`.

    A file that is not valid is reported once it has not changed for a while. Raises PublisherError if none can be
    created.
    """
    config = project.config
    composed = compose_emails(config, project.store, now)
    if composed is None:
        return DueReport()
    plan, drafts = hold_on_errors(config, *composed)
    created = tuple(edition for _, edition in create_editions(project, plan, drafts, now))
    return DueReport(created, tuple(each for each in plan.broken if is_untouched(config, each, now)), plan.broken)


def find_due(project: Project, now: datetime) -> DueEditions:
    """Return the editions that are due at `now`. An edition is not due while it waits for a source.

    The first call for a newsletter records the time from which the newsletter's slots count, and the first call for a
    newsletter with a source records that the newsletter begins to use the source. For an "each post" newsletter, the
    posts that are never sent are recorded too.
    """
    config, store = project.config, project.store
    begin_with_sources(config, store, now)
    editions: dict[str, DueEdition] = {}
    begun: dict[str, datetime] = {}
    archive: Archive | None = None
    sources = SlotSources(store, now)
    soon = False
    for newsletter in config.newsletters:
        store.newsletters.offer(newsletter.name, list(frequency_schedules(newsletter)))
    for stream in (stream for each in config.newsletters for stream in streams_of(each)):
        newsletter = stream.newsletter
        schedule = parse_schedule(newsletter.schedule)
        if schedule.kind is ScheduleKind.MANUAL:
            continue
        if schedule.kind is ScheduleKind.EACH_POST:
            archive = archive or _read_posts(config, now)
            if due := _settled_posts(project, newsletter, archive, now):
                editions[newsletter.name] = due
            soon = True
            continue
        watched = store.newsletters.see(stream.name, rule_of(config, newsletter), now)
        decided = decision_of(config, store, stream, watched, now)
        decision = sources.settled(newsletter, decided)
        if decision is not None:
            editions[stream.name] = _due_edition(config, newsletter, decision)
            if decision.slot.at <= now:
                begun[stream.name] = decision.slot.at
        following = next_due(schedule, now, config.newsletter_zone(newsletter))
        is_near = following is not None and following.at - now <= SOON + lead_of(newsletter)
        soon = soon or is_near or decision is not decided
    return DueEditions(editions, begun, soon, tuple(sources.without))


def frequencies_due(
    config: Config, store: Store, names: Collection[str], now: datetime, *, writes: bool = True
) -> DueEditions:
    """Return the editions due at `now` for subscribers who have chosen a frequency, when someone publishes by hand.

    Unlike editions of the newsletter's own schedule, they are never made between their slots.

    names   the newsletters; all if it is empty
    writes  whether to record the frequencies that are new, and to drop those that are no longer offered
    """
    editions: dict[str, DueEdition] = {}
    begun: dict[str, datetime] = {}
    for newsletter in config.newsletters:
        if names and newsletter.name not in names:
            continue
        if writes:
            store.newsletters.offer(newsletter.name, list(frequency_schedules(newsletter)))
        for stream in streams_of(newsletter)[1:]:
            rule = rule_of(config, stream.newsletter)
            watched = store.newsletters.see(stream.name, rule, now) if writes else store.newsletters.find(stream.name)
            if watched is None or watched.rule != rule:
                continue
            decision = decision_of(config, store, stream, watched, now)
            if decision is not None:
                editions[stream.name] = _due_edition(config, stream.newsletter, decision)
                if decision.slot.at <= now:
                    begun[stream.name] = decision.slot.at
    return DueEditions(editions, begun)


def _create(project: Project, due: DueEditions, now: datetime) -> DueReport:
    config, store = project.config, project.store
    archive = open_archive(config, now, whole=True)
    KnownIds(config, accept_new=False).require_same(archive)
    held = held_posts(config, store, archive, list(due.editions))
    plan, drafts = compose_plan(config, store, list(due.editions), now, due=due.editions, held=held, emails=False)
    plan, drafts = hold_on_errors(config, plan, drafts)
    created = tuple(edition for _, edition in create_editions(project, plan, drafts, now))
    remember_files(config, store, plan.archive)
    pass_slots(project, plan, due, now)
    errors = _errors(plan.archive.problems)
    return DueReport(created, (*errors, *plan.left_out, *plan.broken, *due.without), errors, looked=True)


def pass_slots(project: Project, plan: Plan, due: DueEditions, now: datetime) -> None:
    """Record which slots are over, after the editions of a plan were created."""
    config, store = project.config, project.store
    decided = {planned.stream for planned in plan.editions} | {idle.stream for idle in plan.idle}
    for idle in plan.idle:
        if idle.stream in due.begun and idle.passed_over:
            whose, at = (idle.newsletter.name, idle.frequency), local(config, idle.newsletter, now)
            store.newsletters.let_go_by(*whose, idle.passed_over, idle.segment, at)
    for name, until in due.begun.items():
        if name in decided:  # a newsletter whose template is broken is tried again until it is fixed
            store.newsletters.passed(name, until)


def _due_edition(config: Config, newsletter: NewsletterConfig, decision: Decision) -> DueEdition:
    assert decision is not None  # noqa: S101 - the caller has checked
    zone = config.newsletter_zone(newsletter)
    slot, is_late = decision.slot, isinstance(decision, Late)
    late = holds.late(slot.at, decision.found, zone) if isinstance(decision, Late) else None
    approval = holds.approval(None if is_late else slot.at, zone) if newsletter.approve else None
    ahead = newsletter.approve and not is_late
    return DueEdition(slot.label, False, None, holds.joined(approval, late), slot.at if ahead else None)


def _settled_posts(
    project: Project, newsletter: NewsletterConfig, archive: Archive, now: datetime
) -> DueEdition | None:
    """Return the due edition of an "each post" newsletter with the posts that may be sent now, or None.

    Posts that were published before the newsletter existed are never sent.
    """
    config, store = project.config, project.store
    is_new = store.newsletters.find(newsletter.name) is None
    if is_new and not store.editions.exist(newsletter.name):
        store.editions.pass_over(newsletter.name, [post.id for post in archive.posts])
    store.newsletters.see(newsletter.name, rule_of(config, newsletter), now)
    new = unsent_posts(project, newsletter, archive, now)
    ready = dict(_ready(config, newsletter, archive, new, now))
    if ready and _let_pass(project, newsletter, ready, now):
        return None  # no one gets them; later subscribers get later posts
    return DueEdition(beside=False, posts=ready) if ready else None


def _let_pass(project: Project, newsletter: NewsletterConfig, ids: Collection[str], now: datetime) -> bool:
    try:
        segment = segment_of(project.config, project.store, newsletter)
    except SegmentError:
        return False  # planning the edition will report it
    at = local(project.config, newsletter, now)
    return project.store.newsletters.let_go_by(newsletter.name, "", ids, segment, at)


def unsent_posts(project: Project, newsletter: NewsletterConfig, archive: Archive, now: datetime) -> Sequence[Post]:
    """Return the posts that a newsletter has neither sent nor passed over, limited to the posts of one edition."""
    editions = project.store.editions
    handled = handled_posts(project.store, newsletter.name, archive.posts)
    is_first = not editions.exist(newsletter.name)
    zone = project.config.newsletter_zone(newsletter)
    begun = editions.beginnings(newsletter.name)
    posts = in_its_language(archive.posts, newsletter, project.config)
    return select_posts(posts, newsletter, handled, is_first, now, zone, begun).posts


def _ready(
    config: Config, newsletter: NewsletterConfig, archive: Archive, new: Iterable[Post], now: datetime
) -> Iterable[tuple[str, Hold | None]]:
    """Yield the id of each post that has waited long enough, and the hold of its edition (None if there is none)."""
    zone = config.newsletter_zone(newsletter)
    settle, allowed = timedelta(minutes=newsletter.settle_minutes), parse_duration(newsletter.max_lateness)
    for post in new:
        if post.first_seen:  # an item of a source has rested already
            changed = max(post.first_seen, settled_at(post, newsletter))
            state = post_timing(post.published, changed, now, settle=timedelta(), max_lateness=allowed)
        else:
            state = post_timing(post.published, _changed(archive, post), now, settle=settle, max_lateness=allowed)
        if state.ready:
            late = holds.late(state.due, now, zone) if state.late else None
            yield post.id, holds.joined(holds.approval(None, zone) if newsletter.approve else None, late)


def _changed(archive: Archive, post: Post) -> datetime | None:
    try:
        return datetime.fromtimestamp((archive.folder / post.source).stat().st_mtime, UTC)
    except OSError:
        return None  # the file is gone by now; rendering the post will report it


def _read_posts(config: Config, now: datetime) -> Archive:
    archive = open_archive(config, now, whole=True)
    KnownIds(config, accept_new=False).require_same(archive)
    return archive


def is_untouched(config: Config, problem: Problem, now: datetime) -> bool:
    """Return whether a broken file has not changed for a while, so that it is probably not still being written."""
    try:
        changed = datetime.fromtimestamp((config.root / problem.path).stat().st_mtime, UTC)
    except OSError:
        return True
    return changed > now or now - changed >= UNTOUCHED


def _errors(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
