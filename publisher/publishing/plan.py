"""What a publish would do now, decided and not done: planning writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.hold_reasons import Hold
from publisher.core.models import Post, Problem
from publisher.core.newsletter_models import Choice, DeliveryCounts, Edition
from publisher.newsletters.select import Selection, select_posts
from publisher.newsletters.slots import post_slot, slot_label
from publisher.newsletters.variants import variants_of
from publisher.posts.archive import Archive, open_archive, require_posts
from publisher.publishing.render import Planned

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Idle:
    """A newsletter that has no edition to make now, and why.

    command  what would change that on the command line; "" for nothing
    """

    newsletter: NewsletterConfig
    reason: str
    command: str = ""

    @property
    def advice(self) -> str:
        """The reason, followed by the command that would change it."""
        return f"{self.reason} ({self.command})" if self.command else self.reason


@dataclass(frozen=True, slots=True)
class Call:
    """For which of its slots a newsletter is planned, and what becomes of the edition.

    slot     its label; "" for the one that holds the moment
    beside   whether an edition may stand beside the one that the slot has already (2026-W47.2)
    posts    of "each post": the ids of those that may go, each with the hold of its edition (None if it is sent);
             None is all of them
    hold     why nothing of the edition is to be sent until it is released; None if it is sent
    goes_at  when it goes, of one that is made ahead
    """

    slot: str = ""
    beside: bool = True
    posts: Mapping[str, Hold | None] | None = None
    hold: Hold | None = None
    goes_at: datetime | None = None


BY_HAND = Call()


def calls_by_hand(config: Config, *, extra: bool) -> dict[str, Call]:
    """Return the calls of a publish by hand: editions for the moment's slots, or `extra` ones beside theirs."""
    return {newsletter.name: Call(beside=extra) for newsletter in config.newsletters}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publish would do: editions to make, newsletters with none, and editions that are not all delivered.

    left_out  why posts that seemed good are in no edition: their bodies could not be read
    broken    why newsletters have no edition here though they should: a note or a template is broken
    """

    archive: Archive
    editions: tuple[Planned, ...] = ()
    idle: tuple[Idle, ...] = ()
    unfinished: tuple[tuple[Edition, DeliveryCounts], ...] = ()
    left_out: tuple[Problem, ...] = ()
    broken: tuple[Problem, ...] = ()


def make_plan(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    *,
    keep: bool = True,
    without: Collection[str] = (),
    calls: Mapping[str, Call] | None = None,
) -> Plan:
    """Decide what the newsletters called `names` (all, if none are named) would send at `now`.

    store    None when there is no database yet: no subscribers, nothing sent
    keep     False reads the posts without writing their index
    without  sources of posts that cannot be sent
    calls    for which slot, by the newsletter's name; without one, for the moment's, or beside it
    """
    require_posts(config)
    archive = open_archive(config, now, keep=keep)
    posts = [post for post in archive.posts if post.source not in without]
    wanted = [n for n in config.newsletters if not names or n.name in names]
    editions: list[Planned] = []
    idle: list[Idle] = []
    for newsletter in wanted:
        planned = plan_newsletter(config, store, newsletter, posts, now, (calls or {}).get(newsletter.name, BY_HAND))
        if isinstance(planned, Idle):
            idle.append(planned)
        else:
            editions.extend(planned)
    unfinished = (
        ()
        if store is None
        else tuple(
            (edition, store.deliveries.counts(edition.id))
            for edition in store.editions.unfinished()
            if not names or edition.newsletter in names
        )
    )
    return Plan(archive, tuple(editions), tuple(idle), unfinished)


def plan_newsletter(
    config: Config,
    store: Store | None,
    newsletter: NewsletterConfig,
    posts: Sequence[Post],
    now: datetime,
    call: Call,
    gone: frozenset[str] = frozenset(),
) -> list[Planned] | Idle:
    """Decide what one newsletter would send of these posts at `now`; or why it would send nothing.

    gone: ids of posts that go, or are passed over, with editions before it that are not made yet.
    """
    zone = config.newsletter_zone(newsletter)
    # In this order: an edition that another process makes meanwhile takes the slot, or shows in what is handled.
    taken = store.editions.slots(newsletter.name) if store else frozenset()
    is_first = not (taken or gone)
    handled = gone | (store.editions.handled_posts(newsletter.name) if store else frozenset())
    selection = select_posts(posts, newsletter, handled, is_first, now, zone)
    if not selection.posts:
        return Idle(newsletter, _why_idle(selection))
    choices = store.subscribers.choices(newsletter.name, now) if store else ()
    if not choices:
        command = f"publisher subscribers add you@example.org --newsletter {newsletter.name}"
        return Idle(newsletter, _nobody(selection), command)
    schedule = parse_schedule(newsletter.schedule)
    number = store.editions.next_number(newsletter.name) if store else 1
    if schedule.kind is ScheduleKind.EACH_POST:
        return _each_post(newsletter, selection, choices, number, call)
    slot = call.slot or slot_label(schedule, now, zone)
    if slot in taken and not call.beside and schedule.kind is not ScheduleKind.MANUAL:
        return Idle(newsletter, f"{slot} has its edition", "--extra makes another beside it")
    variants = variants_of(selection.posts, choices)
    slot = free_slot(slot, taken)
    return [
        Planned(newsletter, slot, number, selection.posts, selection.passed_over, variants, call.hold, call.goes_at)
    ]


def _each_post(
    newsletter: NewsletterConfig, selection: Selection, choices: Sequence[Choice], number: int, call: Call
) -> list[Planned]:
    # Oldest first, so that letters arrive in the order of the posts; only the first one carries the archive.
    oldest_first = [post for post in reversed(selection.posts) if call.posts is None or post.id in call.posts]
    return [
        Planned(
            newsletter,
            post_slot(post.id),
            number + index,
            (post,),
            selection.passed_over if index == 0 else (),
            variants_of((post,), choices),
            (call.posts or {}).get(post.id, call.hold),
        )
        for index, post in enumerate(oldest_first)
    ]


def free_slot(label: str, taken: frozenset[str]) -> str:
    """Return the slot for an edition made by hand: the current one, or a place beside it (2026-W47.2)."""
    if label not in taken:
        return label
    number = 2
    while f"{label}.{number}" in taken:
        number += 1
    return f"{label}.{number}"


def _why_idle(selection: Selection) -> str:
    if selection.waiting:
        return f"{selection.waiting} of {selection.needed} new posts that an edition needs"
    return "no new posts"


def _nobody(selection: Selection) -> str:
    waiting = len(selection.posts) + selection.waiting
    return f"{waiting} new post{'s' if waiting != 1 else ''}, and no subscribers yet"
