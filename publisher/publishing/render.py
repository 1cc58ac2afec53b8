"""Composing planned editions: posts are rendered once, however many letters carry them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from publisher.config import CONFIG_FILE, Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.errors import PublisherError
from publisher.core.hold_reasons import Hold
from publisher.core.models import Post, Problem, RenderedPost
from publisher.core.newsletter_models import Choice, EditionDraft, EditionPost, Letter, slot_path
from publisher.core.templates import Templates
from publisher.newsletters.select import select_posts
from publisher.newsletters.slots import post_slot, slot_label
from publisher.newsletters.variants import Variant, all_topics, variants_of
from publisher.posts.archive import Archive

if TYPE_CHECKING:
    from publisher.newsletters.letter.note import Note
    from publisher.newsletters.letter.template_context import PostView
    from publisher.posts.markup import Renderer


@dataclass(frozen=True, slots=True)
class Planned:
    """An edition that would be made now.

    variants  who gets which of the posts; the one for all topics first
    hold      why nothing of it is to be sent until it is released; None if it is sent
    goes_at   when it goes, of one that is made ahead
    """

    newsletter: NewsletterConfig
    slot: str
    number: int
    posts: tuple[Post, ...]
    passed_over: tuple[str, ...]
    variants: tuple[Variant, ...]
    hold: Hold | None = None
    goes_at: datetime | None = None

    @property
    def recipients(self) -> int:
        """How many subscribers get a letter."""
        return sum(variant.subscribers for variant in self.variants if variant.posts)

    @property
    def unmatched(self) -> int:
        """How many subscribers get none, because no post has any of their topics."""
        return sum(variant.subscribers for variant in self.variants if not variant.posts)

    def for_choices(self, choices: Iterable[Choice]) -> Planned:
        """Return the same edition for subscribers who hold these choices of topics."""
        return replace(self, variants=variants_of(self.posts, choices))


class UnreadablePostError(PublisherError):
    """A post whose head was good cannot be rendered."""

    def __init__(self, source: str, problem: Problem) -> None:
        hint = problem.hint or "mend it; publisher build leaves it out"
        super().__init__(problem.message, where=problem.where, hint=hint)
        self.source, self.problem = source, problem


def unmade(newsletter: str, error: PublisherError) -> Problem:
    """Return why a letter cannot be made, as a problem of its template or note, with its newsletter's name."""
    path, _, line = error.where.rpartition(":")
    number = int(line) if path and line.isdigit() else 0
    message = f"newsletter {newsletter}: {error.message}"
    return Problem(path if number else error.where or CONFIG_FILE, number, message, error.hint)


class Press:
    """Composes planned editions. Rendered posts are shared by all editions of a run, and by their variants."""

    def __init__(self, config: Config, archive: Archive) -> None:
        from publisher.posts.markup import Renderer

        self._config, self._archive = config, archive
        self._renderer: Renderer = Renderer(archive, config)
        self._templates = Templates(config.root / "templates")
        self._views: dict[tuple[Any, ...], PostView] = {}

    def draft(self, planned: Planned, now: datetime) -> EditionDraft:
        """Return the planned edition composed and ready for the ledger: one letter for each variant with posts.

        Raises like `letter`.
        """
        letters = self._letters(planned, now)
        return EditionDraft(
            newsletter=planned.newsletter.name,
            slot=planned.slot,
            number=planned.number,
            subject=letters[0].subject,
            made_at=now,
            posts=tuple(EditionPost(post.id, post.title, post.url) for post in planned.posts),
            letters=letters,
            passed_over=planned.passed_over,
            variants={
                choice.topics: variant.key if variant.posts else None
                for variant in planned.variants
                for choice in variant.choices
            },
            hold=planned.hold,
            goes_at=planned.goes_at,
        )

    def letter(self, planned: Planned, now: datetime, variant: Variant | None = None) -> Letter:
        """Compose the letter of a variant that has posts, or the one for all topics.

        Raises PublisherError when a note or template is broken. Raises UnreadablePostError for a post, and
        marks it, so that the next build leaves it out.
        """
        from publisher.newsletters.letter.note import read_note

        note = read_note(self._config, planned.newsletter, planned.slot)
        return self._compose(planned, now, variant or all_topics(planned.posts), note)

    def _letters(self, planned: Planned, now: datetime) -> tuple[Letter, ...]:
        from publisher.newsletters.letter.note import read_note

        note = read_note(self._config, planned.newsletter, planned.slot)
        letters = []
        composed: dict[tuple[str, ...], Letter] = {}
        for variant in planned.variants:
            if variant.posts:
                # A letter says nothing of its topics: where two variants take the same posts, it is the same.
                ids = tuple(post.id for post in variant.posts)
                composed[ids] = composed.get(ids) or self._compose(planned, now, variant, note)
                letters.append(replace(composed[ids], variant=variant.key))
        return tuple(letters)

    def _compose(self, planned: Planned, now: datetime, variant: Variant, note: Note | None) -> Letter:
        from publisher.newsletters.letter.compose import compose

        config, newsletter = _without_missing_logo(self._config, planned.newsletter)
        return compose(
            config,
            newsletter,
            [self._rendered(post) for post in variant.posts],
            planned.number,
            planned.slot,
            planned.goes_at or now,
            self._templates,
            f"{self._config.site_url}/editions/{planned.newsletter.name}/{slot_path(planned.slot)}/",
            note,
            variant.key,
            self._view,
        )

    def _view(self, rendered: RenderedPost, *how: Any) -> PostView:
        """Return what a letter shows of a post, made once: fifty letters of one edition carry it."""
        from publisher.newsletters.letter.template_context import post_view

        key = (rendered.post.source, *how)
        if key not in self._views:
            self._views[key] = post_view(rendered, *how)
        return self._views[key]

    def _rendered(self, post: Post) -> RenderedPost:
        from publisher.posts.markup import BrokenPost

        try:
            return self._renderer.render(post)
        except BrokenPost as broken:
            self._archive.mark_broken(broken.problem, broken.source)
            raise UnreadablePostError(broken.source, broken.problem) from broken


def _without_missing_logo(config: Config, newsletter: NewsletterConfig) -> tuple[Config, NewsletterConfig]:
    """Leave a logo out whose file is not there: a broken picture at the top is worse than the name."""
    if not config.missing_logo(config.newsletter_theme(newsletter)):
        return config, newsletter
    bare = replace(newsletter, theme=replace(newsletter.theme, logo=""))
    return replace(config, theme=replace(config.theme, logo="")), bare


def newsletter_posts(config: Config, newsletter: NewsletterConfig, archive: Archive, now: datetime) -> Planned:
    """Return the edition a newsletter would begin with, whatever it has sent: for tests and checks."""
    zone = config.newsletter_zone(newsletter)
    selection = select_posts(list(archive.posts), newsletter, frozenset(), True, now, zone)
    schedule = parse_schedule(newsletter.schedule)
    posts = selection.posts
    if schedule.kind is ScheduleKind.EACH_POST:
        posts = posts[:1]
        slot = post_slot(posts[0].id) if posts else "post:"
    else:
        slot = slot_label(schedule, now, zone)
    return Planned(newsletter, slot, 1, posts, (), (all_topics(posts),))
