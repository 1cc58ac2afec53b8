"""From new posts to delivered editions: plan, make, deliver. Each step may be run again at any time.

Planning writes nothing. Making is one transaction an edition. Delivering goes on with whatever is open, of
this run or of one that was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.build import code_key, require_posts
from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.editions.schedule import post_slot, slot_label
from publisher.editions.select import Selection, select_posts
from publisher.errors import PublisherError
from publisher.model import (
    Delivery,
    DeliveryCounts,
    DeliveryStatus,
    Edition,
    EditionDraft,
    Post,
    Problem,
)
from publisher.posts.archive import Archive, read_archive
from publisher.press import Planned, Press, UnreadablePostError, newsletter_posts
from publisher.runtime import delivery_terms, headers_of, open_transport, project_links

if TYPE_CHECKING:
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Idle:
    """A newsletter that has no edition to make now, and why."""

    newsletter: NewsletterConfig
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publish would do: editions to make, newsletters with none, and editions that are not all delivered.

    left_out  why posts that seemed good are in no edition: their bodies could not be read
    """

    archive: Archive
    editions: tuple[Planned, ...] = ()
    idle: tuple[Idle, ...] = ()
    unfinished: tuple[tuple[Edition, DeliveryCounts], ...] = ()
    left_out: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the deliveries of one edition. sent: by this run; another one may send at the same time."""

    edition: Edition
    sent: int
    after: DeliveryCounts


def make_plan(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    *,
    keep: bool = True,
    without: Collection[str] = (),
) -> Plan:
    """Decide what the newsletters called `names` (all, if none are named) would send at `now`.

    store    None when there is no database yet: no subscribers, nothing sent
    keep     False reads the posts without writing their index
    without  sources of posts that cannot be sent
    """
    require_posts(config)
    archive = read_archive(config, now, code_key(), keep=keep)
    posts = [post for post in archive.posts if post.source not in without]
    wanted = [n for n in config.newsletters if not names or n.name in names]
    editions: list[Planned] = []
    idle: list[Idle] = []
    for newsletter in wanted:
        planned = _plan_newsletter(config, store, newsletter, posts, now)
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


def _plan_newsletter(
    config: Config, store: Store | None, newsletter: NewsletterConfig, posts: Sequence[Post], now: datetime
) -> list[Planned] | Idle:
    zone = config.newsletter_zone(newsletter)
    # In this order: an edition that another process makes meanwhile takes the slot, or shows in what is handled.
    taken = store.editions.slots(newsletter.name) if store else frozenset()
    is_first = not taken
    handled = store.editions.handled_posts(newsletter.name) if store else frozenset()
    selection = select_posts(posts, newsletter, handled, is_first, now, zone)
    if not selection.posts:
        return Idle(newsletter, _why_idle(selection))
    recipients = _recipients(store, newsletter, now)
    if not recipients:
        return Idle(newsletter, _nobody(newsletter, selection))
    schedule = parse_schedule(newsletter.schedule)
    number = store.editions.next_number(newsletter.name) if store else 1
    if schedule.kind is ScheduleKind.EACH_POST:
        # Oldest first, so that letters arrive in the order of the posts; only the first one carries the archive.
        oldest_first = list(reversed(selection.posts))
        return [
            Planned(
                newsletter,
                post_slot(post.id),
                number + index,
                (post,),
                _left_behind(selection, oldest_first[1:]) if index == 0 else (),
                recipients,
            )
            for index, post in enumerate(oldest_first)
        ]
    slot = free_slot(slot_label(schedule, now, zone), taken)
    return [Planned(newsletter, slot, number, selection.posts, selection.passed_over, recipients)]


def _left_behind(selection: Selection, later: Sequence[Post]) -> tuple[str, ...]:
    """The archive without the posts whose own letters follow at once."""
    ids = {post.id for post in later}
    return tuple(post_id for post_id in selection.passed_over if post_id not in ids)


def free_slot(label: str, taken: frozenset[str]) -> str:
    """Return the slot for an edition made by hand: the current one, or a place beside it (2026-W47.2)."""
    if label not in taken:
        return label
    number = 2
    while f"{label}.{number}" in taken:
        number += 1
    return f"{label}.{number}"


def _recipients(store: Store | None, newsletter: NewsletterConfig, now: datetime) -> int:
    return store.subscribers.count(newsletter.name, mailable_at=now) if store else 0


def _why_idle(selection: Selection) -> str:
    if selection.waiting:
        return f"{selection.waiting} of {selection.needed} new posts that an edition needs"
    return "no new posts"


def _nobody(newsletter: NewsletterConfig, selection: Selection) -> str:
    waiting = len(selection.posts) + selection.waiting
    return (
        f"{waiting} new post{'s' if waiting != 1 else ''}, and no subscribers yet "
        f"(publisher subscribers add you@example.org --newsletter {newsletter.name})"
    )


def compose_plan(
    config: Config, store: Store | None, names: Sequence[str], now: datetime, *, keep: bool = True
) -> tuple[Plan, list[EditionDraft]]:
    """Plan as make_plan does, and compose every edition of the plan; write none of them.

    A post that cannot be rendered is left out, and all is planned again without it. Raises PublisherError when
    a note or a template is broken: then there is no edition at all, and nothing is half made.
    """
    unreadable: dict[str, Problem] = {}
    while True:
        plan = make_plan(config, store, names, now, keep=keep, without=unreadable)
        try:
            press = Press(config, plan.archive) if plan.editions else None
            drafts = [press.draft(planned, now) for planned in plan.editions] if press else []
        except UnreadablePostError as error:
            unreadable[error.source] = error.problem
            continue
        return replace(plan, left_out=tuple(unreadable.values())), drafts


def make_editions(store: Store, drafts: Iterable[EditionDraft]) -> list[Edition]:
    """Write editions into the ledger; one that another process made meanwhile is left to it."""
    made = (store.editions.create(draft) for draft in drafts)
    return [edition for edition in made if edition is not None]


def deliver_open(
    config: Config,
    store: Store,
    names: Sequence[str],
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] | None,
) -> list[Delivered]:
    """Deliver whatever is open, oldest edition first; raise TransportError when the transport gives no answer."""
    from publisher.delivery.deliver import deliver

    editions = [e for e in store.editions.unfinished() if not names or e.newsletter in names]
    if not editions:
        return []
    links = project_links(config)
    results = []
    with open_transport(config) as transport:
        for edition in editions:
            before = store.deliveries.counts(edition.id)
            done = _Counter(before.open, progress)
            after = deliver(
                store,
                transport,
                edition,
                headers_of(config, edition.newsletter),
                links,
                terms=delivery_terms(config),
                clock=clock,
                progress=done,
            )
            results.append(Delivered(edition, done.sent, after))
    return results


class _Counter:
    """Turns settled deliveries into (done, total), and counts those that were sent."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._total, self._progress, self._done = total, progress, 0
        self.sent = 0

    def __call__(self, delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        self._done += 1
        self.sent += status is DeliveryStatus.SENT
        if self._progress:
            self._progress(self._done, max(self._total, self._done))


def send_test(config: Config, plan: Plan, address: str, name: str, now: datetime) -> str:
    """Send one marked copy of a newsletter's next letter to an address; return its subject.

    Touches neither the ledger nor an edition. A newsletter with nothing new shows its newest posts. Its links
    for leaving belong to nobody.
    """
    from publisher.delivery.copy import send_copy
    from publisher.delivery.transport import Accepted

    newsletter = config.newsletter(name)
    assert newsletter is not None  # noqa: S101 - the command line has looked
    planned = next((p for p in plan.editions if p.newsletter.name == name), None)
    planned = planned or newsletter_posts(config, newsletter, plan.archive, now)
    if not planned.posts:
        raise PublisherError(f"{name} has no post to show", mend="write one, or give the newsletter other tags")
    letter = Press(config, plan.archive).letter(planned, now)
    # A slot that no edition has: a second copy is a second message, not the first one again.
    draft = Edition(0, name, f"copy-{now:%Y%m%dT%H%M%S}", planned.number, letter.subject, now)
    with open_transport(config) as transport:
        outcome = send_copy(transport, draft, letter, headers_of(config, name), project_links(config), to=address)
    if not isinstance(outcome, Accepted):
        raise PublisherError(f"the copy was not taken: {outcome.reason}", where=address)
    return letter.subject
