"""Composes the letter of an edition: renders the templates and inlines their CSS, before any recipient is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from publisher.config import Config, NewsletterConfig
from publisher.config.palette import looks_of
from publisher.core.characters import shorten
from publisher.core.i18n import Counted, civil_date
from publisher.core.models import RenderedPost, require_aware
from publisher.core.newsletter_models import Fallback, Letter, Mark
from publisher.core.personal_marks import for_everyone, unsealed, with_whole_marks
from publisher.core.templates import Templates
from publisher.newsletters.letter.css_sources import sources_of
from publisher.newsletters.letter.email_html import BodyPlace, mail_body
from publisher.newsletters.letter.email_strings import Words, direction, words_of
from publisher.newsletters.letter.inline_css import inline_css
from publisher.newsletters.letter.note import Note, default_note
from publisher.newsletters.letter.own_text import SAID, OwnText, message_template
from publisher.newsletters.letter.personal import beginning, finished, marked_setting, personal_post
from publisher.newsletters.letter.plain_text import text_of
from publisher.newsletters.letter.safe_text import one_line, safe_url
from publisher.newsletters.letter.template_context import (
    Content,
    LetterView,
    PostView,
    by_source,
    feed_url,
    post_view,
    postal_lines,
    postal_name,
)
from publisher.newsletters.letter.text_lines import WIDTH, indent, underlined, wrap
from publisher.posts.pictures import static_picture

TEXT_TEMPLATE = "email/letter.txt"
WHOLE_POST_TEMPLATE = "post"  # shows posts in full, whatever the newsletter's `content` says
BY_SOURCE_TEMPLATE = "by-source"  # has a heading for each source above those of its posts

CLIPPED = 100_000  # bytes of HTML: near 102 KB Gmail cuts an email off, and hides the unsubscribe link at its end
LEVELS: tuple[Content, ...] = ("full", "excerpt", "titles")
_LEVEL_NAMES: dict[str, str] = {"full": "whole posts", "excerpt": "excerpts", "titles": "titles"}

SUBJECT_LENGTH = 60  # characters that an inbox shows on a wide screen; a phone shows about 40
LONGEST_TITLE = 250
PREHEADER_LENGTH = 140


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
    """Compose the letter with `posts` in the given order; the first one provides the default subject and preheader.

    note     the writer's note for this edition; None stands for the newsletter's intro
    variant  the key of the selection of topics that the letter is for; "" for all topics
    view     post_view, or a version of it that caches its results, because the letters of an edition share posts

    If Gmail would cut the letter off, it contains less of each post than the newsletter's settings say (see fitting).
    Values that differ from subscriber to subscriber are left as marks, which no other text can be mistaken for. Equal
    arguments give the same letter. Raises ValueError without posts, and TemplateError for a missing or broken template.
    """
    if not posts:
        raise ValueError("a letter needs at least one post")
    require_aware("made_at", made_at)
    note = note or default_note(config, newsletter)
    web_copy_url = web_copy_url if any(each.post.has_page for each in posts) else ""  # no part of it is on the web
    posts = [personal_post(each, config, newsletter) for each in posts]
    subject = marked_setting(config, newsletter, "subject", is_markdown=False)
    words = words_of(config.newsletter_language(newsletter), templates)
    looks = looks_of(config.newsletter_theme(newsletter), config.site_url)

    def _compose_with(content: Content) -> Letter:
        views = _post_views(config, newsletter, posts, content, words, view)
        letter = _letter_view(config, newsletter, content, words, number, slot, made_at, note, web_copy_url)
        letter = _about_posts(letter, note.subject or subject, views, words)
        shown = [_only_title(view) if content == "titles" else view for view in views]
        context = {"letter": letter, "posts": shown, "groups": by_source(shown, config)}
        context |= {"words": words, "mark": Mark, "looks": looks}
        template = f"email/{newsletter.template}.html"
        html = inline_css(templates.render(template, **context), template, lambda: sources_of(templates, template))
        text = _text(templates, newsletter.template, context)
        return finished(Letter(variant, letter.subject, letter.preheader, html, text), template, config, newsletter)

    return fitting(_compose_with, content_of(newsletter), _hopeless(posts))


def compose_text(
    config: Config,
    newsletter: NewsletterConfig,
    text: OwnText,
    made_at: datetime,
    templates: Templates,
    *,
    is_dated: bool = True,
) -> Letter:
    """Compose the letter of a text without posts, in the design of the newsletter's editions.

    is_dated: whether the letter shows its date; False if people get it at different times. The letter has no number,
    and no link to a web version, because it is not published. Marks are as in `compose`, and equal arguments give the
    same letter. Raises PublisherError if the text cannot be rendered or a template is broken.
    """
    words = words_of(config.newsletter_language(newsletter), templates)
    letter = replace(text_view(config, newsletter, text, made_at, words), is_dated=is_dated)
    looks = looks_of(config.newsletter_theme(newsletter), config.site_url)
    context = {"letter": letter, "posts": [], "groups": [], "words": words, "mark": Mark, "looks": looks}
    name = message_template(newsletter, templates)
    template = f"email/{name}.html"
    html = inline_css(templates.render(template, **context), template, lambda: sources_of(templates, template))
    whole = Letter("", letter.subject, letter.preheader, html, _text(templates, name, context))
    return finished(whole, template, config, newsletter)


def text_view(
    config: Config, newsletter: NewsletterConfig, text: OwnText, made_at: datetime, words: Words
) -> LetterView:
    """Return the values of the letter of a text without posts, with sealed marks.

    Raises PublisherError if the text cannot be rendered.
    """
    require_aware("made_at", made_at)
    language = config.newsletter_language(newsletter)
    subject, preheader = (_said(config, newsletter, text, key, made_at) for key in SAID)
    letter = _letter_view(
        *(config, newsletter, "full", words, 0, "", made_at),
        Note(subject, preheader, text.file.html(config, language)),
        web_copy_url="",
    )
    return replace(letter, preheader=letter.preheader or one_line(beginning(letter.intro, PREHEADER_LENGTH)))


def subject_of_text(config: Config, newsletter: NewsletterConfig, text: OwnText, made_at: datetime) -> str:
    """Return the subject of the letter of a text without posts, for a reader about whom nothing is known.

    Raises PublisherError if a tag about the subscriber in the subject is wrong.
    """
    return for_everyone(unsealed(one_line(_said(config, newsletter, text, "subject", made_at))))


def content_of(newsletter: NewsletterConfig) -> Content:
    """Return how much of each post the newsletter's letters contain, as long as it fits."""
    return "full" if newsletter.template == WHOLE_POST_TEMPLATE else newsletter.content


def fitting(make: Callable[[Content], Letter], wanted: Content, hopeless: int = 0) -> Letter:
    """Return the letter with the wanted amount of each post, or with less if its HTML is over CLIPPED bytes.

    make      a function that composes the letter at one of LEVELS
    wanted    the level to try first
    hopeless  the size of whole posts if they cannot fit, so that they are not tried; 0 if they may fit

    If not even the titles fit, the letter with titles is returned anyway. If the letter contains less than was wanted,
    its `fallback` is set.
    """
    levels = LEVELS[LEVELS.index(wanted) :]
    before = hopeless if wanted == "full" else 0
    if before:
        levels = levels[1:]
        letter = replace(make(levels[0]), fallback=Fallback(wanted, levels[0], before))
    else:
        letter = make(wanted)
        before = html_bytes(letter)
    for content in levels[1:]:
        if html_bytes(letter) <= CLIPPED:
            break
        letter = replace(make(content), fallback=Fallback(wanted, content, before))
    return letter


def _hopeless(posts: Sequence[RenderedPost]) -> int:
    """Return the size of the posts' HTML if it is far too large for a letter, so that trying is useless; else 0."""
    size = sum(len(post.html) for post in posts)
    return size if size > 3 * CLIPPED or sum(post.html.count("<") for post in posts) > CLIPPED / 5 else 0


def html_bytes(letter: Letter) -> int:
    """Return the size of the letter's HTML, in bytes of UTF-8."""
    return len(letter.html.encode("utf-8", "replace"))


def fallback_line(letter: Letter) -> str:
    """Return a sentence that explains why a letter contains less than was wanted; "" if it does not."""
    if letter.fallback is None:
        return ""
    wanted, contained = (_LEVEL_NAMES[level] for level in (letter.fallback.wanted, letter.fallback.carried))
    return (
        f"with {wanted} the HTML would have {letter.fallback.bytes_before:,} bytes, and Gmail cuts emails off near "
        f"{CLIPPED:,}; the email contains {contained} instead ({html_bytes(letter):,} bytes)"
    )


def default_subject(first: str, count: int, and_more: Counted) -> str:
    """Return a subject made from the first post's title and the number of the others, within SUBJECT_LENGTH characters.

    The title of a single post is only shortened if it is too long to have been meant as a title.

    first     the title of the first post
    count     the number of all posts
    and_more  the phrase for the others, such as " and 3 more"
    """
    if count == 1:
        return shorten(one_line(first), LONGEST_TITLE)
    suffix = and_more.format(count=count - 1)
    return shorten(one_line(first), SUBJECT_LENGTH - len(suffix)) + suffix


def _post_views(
    config: Config,
    newsletter: NewsletterConfig,
    posts: Sequence[RenderedPost],
    content: Content,
    words: Words,
    view: Callable[..., PostView],
) -> list[PostView]:
    language = config.newsletter_language(newsletter)
    heading = 2 if newsletter.template == WHOLE_POST_TEMPLATE and len(posts) == 1 else 3
    heading += newsletter.template == BY_SOURCE_TEMPLATE
    zone = config.newsletter_zone(newsletter)
    links = newsletter.text_links
    return [view(post, content, heading, zone, language, words, links) for post in posts]


def _only_title(view: PostView) -> PostView:
    if not view.url:  # there is no page on which the rest could be read
        return view
    shown = replace(view, excerpt="", html="", text="", listen="", has_title=True)
    return replace(shown, image=None, image_width=0, thumbnail="")


def _letter_view(
    config: Config,
    newsletter: NewsletterConfig,
    content: Content,
    words: Words,
    number: int,
    slot: str,
    made_at: datetime,
    note: Note,
    web_copy_url: str,
) -> LetterView:
    """Return the values of a letter apart from its posts, with the note's subject and preheader as they are."""
    language = config.newsletter_language(newsletter)
    title = one_line(config.newsletter_title(newsletter))
    reads = direction(language)
    place = BodyPlace(config.site_url, 2, words, rtl=reads == "rtl", picture=lambda url: static_picture(config, url))
    intro = mail_body(note.html, place) if note.html else ""
    return LetterView(
        newsletter=newsletter.name,
        title=title,
        subject=one_line(note.subject),
        preheader=with_whole_marks(_as_preheader, one_line(note.preheader)),
        number=number,
        slot=slot,
        date=made_at.astimezone(config.newsletter_zone(newsletter)),
        language=language,
        direction=reads,
        content=content,
        intro=intro,
        intro_text=text_of(intro, words, links=newsletter.text_links),
        web_copy_url=safe_url(web_copy_url),
        site_url=f"{config.site_url}/",
        feed_url=feed_url(config, newsletter),
        postal=postal_lines(config),
        postal_name=postal_name(config, title),
    )


def _about_posts(letter: LetterView, subject: str, posts: list[PostView], words: Words) -> LetterView:
    """Return the letter with its subject (given as a pattern or "") and its preheader filled in from its posts."""
    values = {"title": letter.title, "number": str(letter.number), "date": civil_date(letter.date, letter.language)}
    preheader = letter.preheader or with_whole_marks(_as_preheader, one_line(_preheader(posts[0], values)))
    return replace(letter, subject=_subject(subject, posts, words, values), preheader=preheader)


def _as_preheader(text: str) -> str:
    return shorten(text, PREHEADER_LENGTH)


def _preheader(post: PostView, values: dict[str, str]) -> str:
    """Return a preheader that does not repeat the subject, which may be the first words of a post without a title."""
    words = post.title.rstrip("…")
    if post.has_title or not post.excerpt.startswith(words):
        return post.excerpt
    return post.excerpt[len(words) :].strip() or f"{values['title']} · {values['date']}"


def _text(templates: Templates, template: str, context: dict[str, Any]) -> str:
    """Return the plain text, rendered from the template's own .txt file if it has one, or else from the shared one."""
    own = f"email/{template}.txt"
    text = templates.render(
        own if templates.exists(own) else TEXT_TEMPLATE,
        **context,
        wrapped=lambda value, sign="": "\n".join(indent(wrap(value, WIDTH - len(sign)), sign, " " * len(sign))),
        underlined=lambda value, sign="=": "\n".join(underlined(value, sign)),
        rule="-" * WIDTH,
    )
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def _subject(pattern: str, posts: list[PostView], words: Words, values: dict[str, str]) -> str:
    """Fill in the pattern's placeholders, leaving other braces alone; return the default subject if it is empty."""
    values = {**values, "first": posts[0].title, "count": str(len(posts))}
    filled = one_line(_filled(pattern, values))
    return filled or default_subject(posts[0].title, len(posts), words.and_more)


def _said(config: Config, newsletter: NewsletterConfig, text: OwnText, key: str, made_at: datetime) -> str:
    """Return the value of a key in SAID for a text without posts, with placeholders filled in and with sealed marks."""
    language = config.newsletter_language(newsletter)
    date = civil_date(made_at.astimezone(config.newsletter_zone(newsletter)), language)
    values = {"title": one_line(config.newsletter_title(newsletter)), "date": date}
    return _filled(text.file.marked(key, config, language), values)


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), pattern)
