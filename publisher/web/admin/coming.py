"""What comes next: the slots of each newsletter, and what each would hold if nothing were written until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING

from publisher.build import code_key
from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.editions.schedule import Slot, upcoming
from publisher.editions.select import has_tag
from publisher.model import Edition, Letter, Post, Severity
from publisher.plan import Plan, make_plan
from publisher.posts.archive import read_archive
from publisher.press import Planned, Press
from publisher.proofs import next_edition
from publisher.web.preview.sample import make_sample

if TYPE_CHECKING:
    from publisher.store import Store

_SLOTS = 3


@dataclass(frozen=True, slots=True)
class Next:
    """One slot that comes, or an edition that waits for a hand.

    at       when it is due; None where a person publishes, or each post goes by itself
    posts    titles of what it would hold, newest first; of a later slot only what is dated until then
    reason   why it would hold nothing
    readers  to how many it would go; None where that is not decided yet
    """

    label: str
    at: datetime | None
    posts: tuple[str, ...]
    reason: str = ""
    readers: int | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes of one newsletter. zone: of its slots."""

    name: str
    title: str
    schedule: str
    zone: str
    slots: tuple[Next, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A newsletter's next letter as it would go out, for a look and for a test."""

    number: int
    subject: str
    letter: Letter
    html: str
    posts: int


def what_comes(config: Config, store: Store, now: datetime) -> list[Coming]:
    """Return what comes of every newsletter. Writes nothing but the index of posts, which is a cache."""
    return [_coming(config, store, newsletter, now) for newsletter in config.newsletters]


def left_out(config: Config, now: datetime) -> int:
    """Return how many files of posts are left out of everything, because of what is wrong in them."""
    archive = read_archive(config, now, code_key())
    return len({problem.path for problem in archive.problems if problem.severity is Severity.ERROR})


def next_letter(config: Config, store: Store, newsletter: NewsletterConfig, now: datetime) -> Draft | None:
    """Compose a newsletter's next letter, as of its next slot; None where there is no post to show.

    Raises PublisherError for a post, note or template that is broken.
    """
    moment = _first_moment(config, newsletter, now)
    archive = read_archive(config, moment, code_key())
    planned = next_edition(config, store, newsletter, archive, moment)
    if not planned.posts:
        return None
    letter = Press(config, archive).letter(planned, moment)
    edition = Edition(0, newsletter.name, planned.slot, planned.number, letter.subject, moment)
    html = make_sample(config, edition, letter, ()).html
    return Draft(planned.number, letter.subject, letter, html, len(planned.posts))


def _coming(config: Config, store: Store, newsletter: NewsletterConfig, now: datetime) -> Coming:
    zone = config.newsletter_zone(newsletter)
    schedule = parse_schedule(newsletter.schedule)
    slots = list(islice(upcoming(schedule, now, zone), _SLOTS))
    first = make_plan(config, store, [newsletter.name], slots[0].at if slots else now)
    shown = _by_hand(schedule.kind, first) if not slots else _by_clock(config, newsletter, slots, first)
    return Coming(newsletter.name, config.newsletter_title(newsletter), newsletter.schedule, zone.key, tuple(shown))


def _by_hand(kind: ScheduleKind, plan: Plan) -> list[Next]:
    label = "with each post" if kind is ScheduleKind.EACH_POST else "when you publish"
    if not plan.editions:
        return [Next(label, None, (), _reason(plan))]
    return [_planned(label, None, each) for each in plan.editions]


def _by_clock(config: Config, newsletter: NewsletterConfig, slots: Sequence[Slot], plan: Plan) -> list[Next]:
    first = slots[0]
    planned = plan.editions[0] if plan.editions else None
    shown = [_planned(first.label, first.at, planned) if planned else Next(first.label, first.at, (), _reason(plan))]
    dated = _dated(config, newsletter, plan, slots)
    for before, slot in pairwise(slots):
        titles = tuple(post.title for post in dated if before.at < post.published <= slot.at)
        shown.append(Next(slot.label, slot.at, titles, "" if titles else "nothing is dated until then"))
    return shown


def _dated(config: Config, newsletter: NewsletterConfig, plan: Plan, slots: Sequence[Slot]) -> list[Post]:
    """The newsletter's posts that are dated between its first slot and its last. Few: the others are not loaded."""
    if not plan.archive.waiting:
        return []
    archive = read_archive(config, slots[-1].at, code_key())
    dated = takewhile(lambda post: post.published > slots[0].at, archive.posts)
    return [post for post in dated if post.in_newsletters and has_tag(post, newsletter.tags)]


def _planned(label: str, at: datetime | None, planned: Planned) -> Next:
    return Next(label, at, tuple(post.title for post in planned.posts), readers=planned.recipients)


def _reason(plan: Plan) -> str:
    # A reason may end with the command that mends it, in brackets: that is for a terminal.
    return plan.idle[0].reason.partition(" (")[0] if plan.idle else "nothing"


def _first_moment(config: Config, newsletter: NewsletterConfig, now: datetime) -> datetime:
    slot = next(upcoming(parse_schedule(newsletter.schedule), now, config.newsletter_zone(newsletter)), None)
    return slot.at if slot else now
