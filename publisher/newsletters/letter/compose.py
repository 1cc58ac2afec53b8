"""An edition's letter: templates, then premailer, once, before any recipient is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from publisher.config import Config, NewsletterConfig
from publisher.core.i18n import Counted
from publisher.core.models import RenderedPost, require_aware
from publisher.core.newsletter_models import Fallback, Letter, Mark
from publisher.core.templates import Templates, civil_date
from publisher.newsletters.letter.css_sources import sources_of
from publisher.newsletters.letter.email_html import BodyPlace, mail_body
from publisher.newsletters.letter.email_strings import Words, direction, words_of
from publisher.newsletters.letter.html_tree import PERSONAL, parse_document, serialise
from publisher.newsletters.letter.inline_css import inline_css
from publisher.newsletters.letter.note import Note, default_note
from publisher.newsletters.letter.palette import looks_of
from publisher.newsletters.letter.plain_text import WIDTH, indent, text_of, underlined, wrap
from publisher.newsletters.letter.safe_text import one_line, safe_url
from publisher.newsletters.letter.template_context import Content, LetterView, PostView, post_view

CLIPPED = 100_000  # bytes of HTML: near 102 KB Gmail cuts a letter off, with the link for leaving at its end
LEVELS: tuple[Content, ...] = ("full", "excerpt", "titles")


def fitting(make: Callable[[Content], Letter], wanted: Content) -> Letter:
    """Return the letter at the fullest level, from `wanted` down, whose HTML stays within CLIPPED bytes.

    make  composes the letter at a level
    Where not even titles fit, they are returned all the same: less there is not to say. A letter that carries
    less than was wanted says so in Letter.fallback. Pure if `make` is.
    """
    letter = make(wanted)
    before = html_bytes(letter)
    for content in LEVELS[LEVELS.index(wanted) + 1 :]:
        if html_bytes(letter) <= CLIPPED:
            break
        letter = replace(make(content), fallback=Fallback(wanted, content, before))
    return letter


def html_bytes(letter: Letter) -> int:
    """Return how long the letter's HTML is, in bytes of UTF-8."""
    return len(letter.html.encode("utf-8", "replace"))


def at_level(view: PostView, content: Content) -> PostView:
    """Return what a letter of titles shows of a post: no words, no picture; other levels change nothing."""
    return replace(view, excerpt="", image=None, listen="") if content == "titles" else view


def fallback_line(letter: Letter) -> str:
    """Return one sentence that says what a letter carries instead of what was wanted, or ""."""
    if letter.fallback is None:
        return ""
    wanted, carried = (_NAMES[level] for level in (letter.fallback.wanted, letter.fallback.carried))
    return (
        f"with {wanted} the HTML has {letter.fallback.bytes_before:,} bytes, and Gmail cuts letters off near "
        f"{CLIPPED:,}: it carries {carried} instead, {html_bytes(letter):,} bytes"
    )


_NAMES: dict[str, str] = {"full": "whole posts", "excerpt": "excerpts", "titles": "titles"}


SUBJECT_LENGTH = 60  # what inboxes on a wide screen show; a phone shows about 40
PREHEADER_LENGTH = 140


def shorten(text: str, length: int) -> str:
    """Return text of at most `length` characters, cut between words where there are any, with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    head, space, _ = cut.rpartition(" ")
    if space and len(head) > length // 2:
        cut = head
    return cut.rstrip(" ,;:.-–—") + "…"


def default_subject(first: str, count: int, and_more: Counted) -> str:
    """Return the lead's title, and how many posts follow it, within SUBJECT_LENGTH.

    and_more  the words for the others, such as " and 3 more"
    """
    suffix = and_more.format(count=count - 1) if count > 1 else ""
    return shorten(one_line(first), SUBJECT_LENGTH - len(suffix)) + suffix


def fill_subject(pattern: str, values: dict[str, str]) -> str:
    """Fill {title}, {number}, {date}, {first} and {count} into a writer's pattern; other braces stay."""
    return one_line(re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), pattern))


def preheader_of(text: str) -> str:
    """Return the few words that an inbox shows after the subject."""
    return shorten(one_line(text), PREHEADER_LENGTH)


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
    title = one_line(config.newsletter_title(newsletter))
    date = made_at.astimezone(config.newsletter_zone(newsletter))
    reads = direction(language)
    intro = mail_body(note.html, BodyPlace(config.site_url, 2, words, rtl=reads == "rtl")) if note.html else ""
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
        web_copy_url=safe_url(web_copy_url),
        site_url=f"{config.site_url}/",
        feed_url=f"{config.site_url}/feed.xml",
        postal=tuple(one_line(line) for line in config.site.postal_address.splitlines() if line.strip()),
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


def web_copy(html: str) -> str:
    """Return a letter's HTML for the web: no mark, no unsubscribe link, nothing else changed.

    Elements of the class `personal` go; a mark that a writer's own template left elsewhere becomes nothing,
    and a link that leads to one becomes plain text.
    """
    tree = parse_document(html)
    for element in tree.xpath(f"//*[contains(concat(' ', @class, ' '), ' {PERSONAL} ')]"):
        if element.getparent() is not None:
            element.drop_tree()
    for link in tree.xpath("//a[contains(@href, '@@publisher-')]"):
        link.drop_tag()
    copy = serialise(tree)
    for mark in Mark.ALL:
        copy = copy.replace(mark, "")
    return copy
