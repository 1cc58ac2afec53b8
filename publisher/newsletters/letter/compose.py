"""An edition's letter: templates, then premailer, once, before any recipient is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from publisher.config import Config, NewsletterConfig
from publisher.core.models import RenderedPost, require_aware
from publisher.core.newsletter_models import Letter, Mark
from publisher.core.templates import Templates, civil_date
from publisher.newsletters.letter import sanitise as defuse
from publisher.newsletters.letter.body import Place, mail_body
from publisher.newsletters.letter.css.sources import sources_of
from publisher.newsletters.letter.inline_css import inline_css
from publisher.newsletters.letter.note import Note, default_note
from publisher.newsletters.letter.plain_text import text_of, underlined
from publisher.newsletters.letter.size_fallback import at_level, fitting
from publisher.newsletters.letter.strings import Words, direction, words_of
from publisher.newsletters.letter.subject import default_subject, fill_subject, preheader_of
from publisher.newsletters.letter.theme import looks_of
from publisher.newsletters.letter.views import Content, LetterView, PostView, post_view
from publisher.newsletters.letter.wrap import WIDTH, indent, wrap

TEXT_TEMPLATE = "email/letter.txt"
WHOLE_POST_TEMPLATE = "post"  # it shows posts in full, whatever the newsletter's `content` says


def compose(
    config: Config,
    newsletter: NewsletterConfig,
    posts: Sequence[RenderedPost],
    number: int,
    slot: str,
    made_at: datetime,
    templates: Templates,
    web_copy_url: str,
    note: Note | None = None,
    variant: str = "",
    view: Callable[..., PostView] = post_view,
) -> Letter:
    """Return the letter that carries `posts` in the order given; the first one leads.

    note     the writer's words for this edition; None takes the newsletter's intro
    variant  which choice of topics the letter is for; "" is all of them
    view     post_view, or what answers like it and remembers: letters of one edition share their posts

    Whole posts become excerpts, and excerpts titles, where Gmail would cut the letter off (see fit.fitting).
    Nothing is fetched, no clock is read, and equal arguments give an equal letter, byte for byte.
    Each recipient's own values stand as marks (see model.Mark), and nothing else in the letter reads as
    one. Raises ValueError without posts, TemplateError when the newsletter's template is missing or broken.
    """
    if not posts:
        raise ValueError("a letter needs at least one post")
    require_aware("made_at", made_at)
    note = note or default_note(config, newsletter)
    language = config.newsletter_language(newsletter)
    words = words_of(language, templates)
    looks = looks_of(config.newsletter_theme(newsletter), config.site_url)

    def made(content: Content) -> Letter:
        views = _post_views(config, newsletter, posts, content, language, words, view)
        letter = _letter_view(config, newsletter, views, content, words, number, slot, made_at, note, web_copy_url)
        shown = [at_level(view, content) for view in views]
        context = {"letter": letter, "posts": shown, "words": words, "mark": Mark, "looks": looks}
        template = f"email/{newsletter.template}.html"
        html = inline_css(templates.render(template, **context), template, lambda: sources_of(templates, template))
        text = _text(templates, newsletter.template, context)
        return Letter(variant, letter.subject, letter.preheader, html, text)

    return fitting(made, content_of(newsletter))


def _post_views(
    config: Config,
    newsletter: NewsletterConfig,
    posts: Sequence[RenderedPost],
    content: Content,
    language: str,
    words: Words,
    view: Callable[..., PostView],
) -> list[PostView]:
    heading = 2 if newsletter.template == WHOLE_POST_TEMPLATE and len(posts) == 1 else 3
    zone = config.newsletter_zone(newsletter)
    links = newsletter.text_links
    return [view(post, content, heading, zone, language, words, links) for post in posts]


def content_of(newsletter: NewsletterConfig) -> Content:
    """Return whether the newsletter's letters carry whole posts or excerpts, as long as they fit."""
    return "full" if newsletter.template == WHOLE_POST_TEMPLATE else newsletter.content


def _letter_view(
    config: Config,
    newsletter: NewsletterConfig,
    posts: list[PostView],
    content: Content,
    words: Words,
    number: int,
    slot: str,
    made_at: datetime,
    note: Note,
    web_copy_url: str,
) -> LetterView:
    language = config.newsletter_language(newsletter)
    title = defuse.one_line(config.newsletter_title(newsletter))
    date = made_at.astimezone(config.newsletter_zone(newsletter))
    reads = direction(language)
    intro = mail_body(note.html, Place(config.site_url, 2, words, rtl=reads == "rtl")) if note.html else ""
    values = {
        "title": title,
        "number": str(number),
        "date": civil_date(date, language),
        "first": posts[0].title,
        "count": str(len(posts)),
    }
    default = default_subject(posts[0].title, len(posts), words.and_more)
    return LetterView(
        newsletter=newsletter.name,
        title=title,
        subject=fill_subject(note.subject or newsletter.subject, values) or default,
        preheader=preheader_of(note.preheader or posts[0].excerpt),
        number=number,
        slot=slot,
        date=date,
        language=language,
        direction=reads,
        content=content,
        intro=intro,
        intro_text=text_of(intro, words, links=newsletter.text_links),
        web_copy_url=defuse.address(web_copy_url),
        site_url=f"{config.site_url}/",
        feed_url=f"{config.site_url}/feed.xml",
        postal=tuple(defuse.one_line(line) for line in config.site.postal_address.splitlines() if line.strip()),
    )


def _text(templates: Templates, template: str, context: dict[str, Any]) -> str:
    """The plain text: the template's own .txt beside its .html, or the one that all share."""
    own = f"email/{template}.txt"
    text = templates.render(
        own if templates.exists(own) else TEXT_TEMPLATE,
        **context,
        wrapped=lambda value, sign="": "\n".join(indent(wrap(value, WIDTH - len(sign)), sign, " " * len(sign))),
        underlined=lambda value, sign="=": "\n".join(underlined(value, sign)),
        rule="-" * WIDTH,
    )
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"
