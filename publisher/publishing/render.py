"""Render planned editions into emails. Each post is rendered once, however many editions and variants contain it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from publisher.config import Config, FieldConfig, NewsletterConfig
from publisher.core.errors import PublisherError, StoreError
from publisher.core.models import Post, RenderedPost, UnreadablePostError
from publisher.core.newsletter_models import Audience, EditionDraft, EditionKind, EditionPost, Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import compose, compose_text, subject_of_text
from publisher.newsletters.letter.note import Note, read_note, require_notes
from publisher.newsletters.letter.own_text import OwnText
from publisher.newsletters.letter.template_context import PostView, post_view
from publisher.newsletters.variants import Variant, all_topics
from publisher.posts.archive import Archive
from publisher.posts.markup import BrokenPost, Renderer
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.recipients import local
from publisher.publishing.wiring import open_existing_store, web_version_url
from publisher.subscribers.edit import known_fields


def render_text(
    config: Config, newsletter: NewsletterConfig, text: OwnText, at: datetime, *, is_dated: bool = True
) -> Letter:
    """Render a text without posts as the newsletter's email, for all topics.

    at        when it is sent, which is its date
    is_dated  whether it shows its date; otherwise it is the same whenever it is rendered
    Raises PublisherError if the text or a template is broken.
    """
    templates = Templates(config.root / "templates")
    templates.require_readable()
    shown = _without_missing_logo(with_found_fields(config), newsletter)
    return compose_text(*shown, text, at, templates, is_dated=is_dated)


def shown_subject(config: Config, newsletter: NewsletterConfig, text: OwnText, at: datetime) -> str:
    """Return the subject of a text for a reader about whom nothing is known; unchanged if it has a mistake."""
    try:
        return subject_of_text(with_found_fields(config), newsletter, text, at)
    except PublisherError:
        return text.file.text("subject")


def with_found_fields(config: Config) -> Config:
    """Return the configuration with the fields that imports have found, besides those of [[fields]].

    Without a database, or if it can't be opened, it is returned as it is.
    """
    try:
        with open_existing_store(config) as store:
            known = known_fields(store, config.fields)
    except StoreError:
        return config
    named = {each.name for each in config.fields}
    found = (FieldConfig(name=name, kind=kind.value) for name, kind in known.items() if name not in named)
    return replace(config, fields=(*config.fields, *found))


class EditionRenderer:
    """Renders the editions of one run from one archive of posts."""

    def __init__(self, config: Config, archive: Archive) -> None:
        self._config, self._archive = config, archive
        self._renderer = Renderer(archive, config)
        self._templates = Templates(config.root / "templates")
        self._is_readable = False
        self._views: dict[tuple[Any, ...], PostView] = {}

    def draft(self, planned: PlannedEdition, now: datetime) -> EditionDraft:
        """Render a planned edition for the ledger, with one letter for each variant that has posts.

        Raises the same errors as `letter`.
        """
        at = local(self._config, planned.newsletter, now) if planned.segment else now
        return draft_of(planned, self._letters(planned, now), at)

    def letter(self, planned: PlannedEdition, now: datetime, variant: Variant | None = None) -> Letter:
        """Render the letter of a variant that has posts, by default the variant for all topics.

        Raises PublisherError if a note or a template is broken. If a post cannot be rendered, it marks the post in the
        index so that the next build skips it, and raises UnreadablePostError.
        """
        if planned.text:
            return render_text(self._config, planned.newsletter, planned.text, planned.goes_at or now)
        note = self._note(planned)
        return self._compose(planned, now, variant or all_topics(planned.posts), note)

    def _letters(self, planned: PlannedEdition, now: datetime) -> tuple[Letter, ...]:
        if planned.text:
            return (self.letter(planned, now),)
        note = self._note(planned)
        letters = []
        composed: dict[tuple[str, ...], Letter] = {}
        for variant in planned.variants:
            if variant.posts:
                # A letter does not mention its topics, so two variants with the same posts have the same letter.
                ids = tuple(post.id for post in variant.posts)
                composed[ids] = composed.get(ids) or self._compose(planned, now, variant, note)
                letters.append(replace(composed[ids], variant=variant.key, posts=ids if variant.key else ()))
        return tuple(letters)

    def _note(self, planned: PlannedEdition) -> Note | None:
        """Return the note for an edition, or None, after making sure that no template or note is overlooked."""
        if not self._is_readable:
            self._templates.require_readable()
            require_notes(self._config)
            self._is_readable = True
        return read_note(self._with_fields, planned.newsletter, planned.slot)

    @cached_property
    def _with_fields(self) -> Config:
        return with_found_fields(self._config)

    def _compose(self, planned: PlannedEdition, now: datetime, variant: Variant, note: Note | None) -> Letter:
        config, newsletter = _without_missing_logo(self._with_fields, planned.newsletter)
        self._renderer.expect(variant.posts)
        return compose(
            config,
            newsletter,
            [self._rendered(post) for post in variant.posts],
            planned.number,
            planned.slot,
            planned.goes_at or now,
            self._templates,
            web_version_url(self._config, planned.newsletter.name, planned.slot),
            note,
            variant.key,
            self._view,
        )

    def _view(self, rendered: RenderedPost, *how: Any) -> PostView:
        """Return a post's values for the template. They are kept, because an edition can have fifty letters."""
        key = (rendered.post.source, *how)
        if key not in self._views:
            self._views[key] = post_view(rendered, *how)
        return self._views[key]

    def _rendered(self, post: Post) -> RenderedPost:
        try:
            return self._renderer.render(post)
        except BrokenPost as broken:
            problem = self._archive.mark_broken(broken.problem, broken.source, lasting=broken.lasting)
            raise UnreadablePostError(broken.source, problem) from broken


def _without_missing_logo(config: Config, newsletter: NewsletterConfig) -> tuple[Config, NewsletterConfig]:
    """Remove a logo whose file is missing, because the name at the top is better than a broken picture."""
    if not config.missing_logo(config.newsletter_theme(newsletter)):
        return config, newsletter
    bare = replace(newsletter, theme=replace(newsletter.theme, logo=""))
    return replace(config, theme=replace(config.theme, logo="")), bare


def draft_of(planned: PlannedEdition, letters: tuple[Letter, ...], now: datetime) -> EditionDraft:
    """Return a planned edition for the ledger, with its letters, of which the first is the one for all topics."""
    keys = [
        (choice, variant.key if planned.is_sent(variant) else None)
        for variant in planned.variants
        for choice in variant.choices
    ]
    return EditionDraft(
        newsletter=planned.newsletter.name,
        slot=planned.slot,
        number=planned.number,
        subject=letters[0].plain_subject,
        made_at=now,
        posts=tuple(EditionPost(post.id, post.title, post.url if post.has_page else "") for post in planned.posts),
        letters=letters,
        passed_over=planned.passed_over,
        other_ids=planned.other_ids,
        variants={choice.topics: key for choice, key in keys if choice.audience == Audience(choice.topics)},
        others={choice.audience: key for choice, key in keys},
        once=planned.once,
        hold=planned.hold,
        goes_at=planned.goes_at,
        kind=EditionKind.LETTER if planned.text else EditionKind.POSTS,
        segment=planned.segment,
        frequency=planned.frequency,
        earlier=frozenset(post.id for post in planned.earlier),
        ahead=frozenset(planned.ahead),
        repeats=frozenset(post.id for post in planned.posts) if planned.repeats else frozenset(),
        begins=planned.begins,
    )
