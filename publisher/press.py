"""Composing planned editions: posts are rendered once, however many letters carry them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.editions.schedule import post_slot, slot_label
from publisher.editions.select import select_posts
from publisher.errors import PublisherError
from publisher.model import EditionDraft, EditionPost, Letter, Post, Problem, slot_path
from publisher.posts.archive import Archive
from publisher.templating import Templates

if TYPE_CHECKING:
    from publisher.posts.markup import Renderer


@dataclass(frozen=True, slots=True)
class Planned:
    """An edition that would be made now."""

    newsletter: NewsletterConfig
    slot: str
    number: int
    posts: tuple[Post, ...]
    passed_over: tuple[str, ...]
    recipients: int


class UnreadablePostError(PublisherError):
    """A post whose head was good cannot be rendered."""

    def __init__(self, source: str, problem: Problem) -> None:
        mend = problem.mend or "mend it; publisher build leaves it out"
        super().__init__(problem.message, where=problem.where, mend=mend)
        self.source, self.problem = source, problem


class Press:
    """Composes planned editions. Rendered posts are shared by all editions of a run."""

    def __init__(self, config: Config, archive: Archive) -> None:
        from publisher.posts.markup import Renderer

        self._config, self._archive = config, archive
        self._renderer: Renderer = Renderer(archive, config)
        self._templates = Templates(config.root / "templates")

    def draft(self, planned: Planned, now: datetime) -> EditionDraft:
        """Return the planned edition composed and ready for the ledger."""
        letter = self.letter(planned, now)
        return EditionDraft(
            newsletter=planned.newsletter.name,
            slot=planned.slot,
            number=planned.number,
            subject=letter.subject,
            made_at=now,
            posts=tuple(EditionPost(post.id, post.title, post.url) for post in planned.posts),
            letters=(letter,),
            passed_over=planned.passed_over,
        )

    def letter(self, planned: Planned, now: datetime) -> Letter:
        """Compose the letter for all topics; raise PublisherError when a note or template is broken.

        Raises UnreadablePostError for a post, and marks it, so that the next build leaves it out.
        """
        from publisher.editions.compose import compose
        from publisher.editions.note import read_note
        from publisher.posts.markup import BrokenPost

        try:
            posts = [self._renderer.render(post) for post in planned.posts]
        except BrokenPost as broken:
            self._archive.mark_broken(broken.problem, broken.source)
            raise UnreadablePostError(broken.source, broken.problem) from broken
        newsletter = planned.newsletter
        path = f"/editions/{newsletter.name}/{slot_path(planned.slot)}/"
        return compose(
            self._config,
            newsletter,
            posts,
            planned.number,
            planned.slot,
            now,
            self._templates,
            self._config.site_url + path,
            read_note(self._config, newsletter, planned.slot),
        )


def newsletter_posts(config: Config, newsletter: NewsletterConfig, archive: Archive, now: datetime) -> Planned:
    """Return the edition a newsletter would begin with, whatever it has sent: for tests and checks."""
    zone = config.newsletter_zone(newsletter)
    selection = select_posts(list(archive.posts), newsletter, frozenset(), True, now, zone)
    schedule = parse_schedule(newsletter.schedule)
    posts = selection.posts
    if schedule.kind is ScheduleKind.EACH_POST:
        posts = posts[:1]
        return Planned(newsletter, post_slot(posts[0].id) if posts else "post:", 1, posts, (), 0)
    return Planned(newsletter, slot_label(schedule, now, zone), 1, posts, (), 0)
